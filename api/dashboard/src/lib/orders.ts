import { useMutation } from "@tanstack/react-query";
import { type Order, send } from "../api/client";
import type { Saved } from "../api/views";

/** Saving, activating, deleting: what comes of it is reported and read again, never drawn. */
export function useOrder() {
  return useMutation({ mutationFn: (order: Order) => send<Saved>(order) });
}

/** A name under which something is asked for once. (`randomUUID` is not there without TLS.) */
export function freshName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
