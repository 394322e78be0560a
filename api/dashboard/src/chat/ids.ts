/** The id of something said: said again, it is the same. */
export function newSayId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `say-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
