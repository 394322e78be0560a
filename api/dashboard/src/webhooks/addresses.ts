/** What the address of a webhook must be, as its hint says; where a name leads the server looks up. */

export type AddressProblem = "address" | "user" | "https" | "internet";

/** `networks`: those that the server lets be called beside the internet. null: fine so far. */
export function problemOfAddress(text: string, networks: readonly string[]): AddressProblem | null {
  const url = parse(text);
  if (!url || !["https:", "http:"].includes(url.protocol) || !url.hostname) return "address";
  if (url.username || url.password) return "user";
  if (networks.length > 0) return null;
  if (isOwn(url.hostname)) return "internet";
  return url.protocol === "https:" ? null : "https";
}

function parse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

const OWN_NAME = /(^|\.)(localhost|local|internal)$/;
/** A URL has its numbers in their usual form already: 127.1 is 127.0.0.1. */
const OWN_V4 = /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./;
const OWN_V6 = /^\[(::1?|f[cd]|fe[89ab]|::ffff:)/;

function isOwn(host: string): boolean {
  return OWN_NAME.test(host) || OWN_V4.test(host) || OWN_V6.test(host);
}
