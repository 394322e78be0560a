/** JSON whose integers stay exact, such as an id in a tool's input. */

/** Reviving costs time, and most texts have no such number. */
const HAS_LONG_NUMBER = /[:[,\s]-?\d{16}/;
const IS_INTEGER = /^-?\d+$/;

type Source = { source: string };
type Revive = (key: string, value: unknown, at?: Source) => unknown;
type Read<Known> = (text: string, revive: Revive) => Known;
type Raw = { rawJSON?: (text: string) => unknown };

/** An integer that a number cannot hold is a bigint. A browser that does not show a number's text
 * (from before 2025) rounds it. */
export function parseJson<Known>(text: string): Known {
  if (!HAS_LONG_NUMBER.test(text)) return JSON.parse(text);
  return (JSON.parse as Read<Known>)(text, (_, value, at) =>
    at && IS_INTEGER.test(at.source) && String(value) !== at.source ? BigInt(at.source) : value,
  );
}

export function printJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, each) => (typeof each === "bigint" ? printed(each) : each),
    indent,
  );
}

function printed(value: bigint): unknown {
  return (JSON as Raw).rawJSON?.(String(value)) ?? String(value);
}
