import type { UserKey } from "../api/views";

export type KeyState = "active" | "expired" | "revoked";

export function keyState(key: UserKey, now: number): KeyState {
  if (key.revokedTime) return "revoked";
  return key.expiresTime && Date.parse(key.expiresTime) <= now ? "expired" : "active";
}

/** Those that work first, the newest first. */
export function sortedKeys(keys: readonly UserKey[], now: number): UserKey[] {
  const rank = (key: UserKey) => (keyState(key, now) === "active" ? 0 : 1);
  return keys.toSorted(
    (one, other) =>
      rank(one) - rank(other) || Date.parse(other.createdTime) - Date.parse(one.createdTime),
  );
}
