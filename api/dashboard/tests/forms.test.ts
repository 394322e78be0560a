import { expect, test } from "vitest";
import { isSecretName } from "../src/lib/secrets";
import { problemOfAddress } from "../src/webhooks/addresses";

test.each(["db", "my-secret", "a", "0-1", "a".repeat(63)])("a secret may be called %s", (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each(["My_Secret", "my_secret", "Db", "-a", "a-", "a b", "a.b", "열쇠", "", "a".repeat(64)])(
  "a secret may not be called %j",
  (name) => {
    expect(isSecretName(name)).toBe(false);
  },
);

test.each([
  ["https://example.com/hook", null],
  ["https://192.0.2.1:8443/hook?x=1", null],
  ["http://example.com/hook", "https"],
  ["http://127.0.0.1", "internet"],
  ["https://127.1/", "internet"],
  ["https://localhost:9000", "internet"],
  ["https://10.1.2.3/", "internet"],
  ["https://172.31.0.1/", "internet"],
  ["https://192.168.0.1/", "internet"],
  ["https://169.254.169.254/", "internet"],
  ["https://[::1]/", "internet"],
  ["https://[fd00::1]/", "internet"],
  ["https://metadata.google.internal/", "internet"],
  ["https://me:word@example.com/", "user"],
  ["ftp://example.com/", "address"],
  ["example.com", "address"],
  ["https://", "address"],
])("the address %s of a webhook: %s", (address, problem) => {
  expect(problemOfAddress(address, [])).toBe(problem);
});

test("where the server lets networks be called, it judges", () => {
  expect(problemOfAddress("http://127.0.0.1:9/", ["127.0.0.0/8"])).toBeNull();
});
