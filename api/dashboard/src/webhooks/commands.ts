/** What a person types to call a trigger. */

export function triggerUrl(agent: string, origin = location.origin): string {
  return `${origin}/api/triggers/agents/${encodeURIComponent(agent)}`;
}

/** `secret` is the key; its place where it is not known any more. */
export function curlOf(url: string, kind: "bearer" | "signature", secret: string): string {
  const body = "What to do this time.";
  if (kind === "bearer") {
    return [
      `curl --fail-with-body ${url} \\`,
      `  -H 'Authorization: Bearer ${secret}' \\`,
      "  -H 'Idempotency-Key: one-for-each-event' \\",
      `  --data-binary '${body}'`,
    ].join("\n");
  }
  return [
    `BODY='${body}'`,
    `SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -hmac '${secret}' | sed 's/.* //')`,
    `curl --fail-with-body ${url} \\`,
    '  -H "X-Hub-Signature-256: sha256=$SIGNATURE" \\',
    "  -H 'X-GitHub-Delivery: one-for-each-event' \\",
    '  --data-binary "$BODY"',
  ].join("\n");
}
