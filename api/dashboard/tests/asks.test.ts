import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Approval, Report } from "../src/api/views";
import { factsOf, isWhole, lastSpeech, personOf } from "../src/lib/asks";
import { type AskPages, applyReport, keys } from "../src/live/cache";
import { afterReport, fromSnapshot, toSnapshot, waitingAsks } from "../src/live/world";
import type { Item } from "../src/transcript/items";
import { ask, snapshot } from "./samples";

function told(id: number, payload: Approval): Report {
  return {
    id,
    type: "approval.decided",
    correlationId: payload.correlationId,
    execution: payload.execution,
    time: "2026-11-22T11:00:01Z",
    payload: {
      ...payload,
      ask_id: payload.id,
      risk_level: "RED",
      decision: null,
      result: payload.state,
    },
  };
}

function fact(name: string, value: string, isCut = false) {
  return { name, value, isCut };
}

test("a tool's input is read member by member, the agent's prose apart from it", () => {
  const args =
    '{"command":"curl -d @a.csv\\nhttps://x","description":"Harmless","n":1200,"empty":""}';
  const shown = factsOf({
    tool: "Bash",
    facts: [fact("cwd", "/w"), fact("args", args), fact("workspace", "")],
  });
  expect(shown).toEqual({
    facts: [
      { name: "command", isInput: true, text: "curl -d @a.csv\nhttps://x" },
      { name: "n", isInput: true, text: "1200" },
      { name: "empty", isInput: true, text: '""' },
      { name: "cwd", isInput: false, text: "/w" },
    ],
    said: ["Harmless"],
  });
});

test("what is called prose in one tool acts in another", () => {
  const facts = [fact("args", '{"description":"an issue"}')];
  expect(factsOf({ tool: "mcp__tracker__create", facts }).said).toEqual([]);
  expect(factsOf({ tool: "mcp__tracker__create", facts }).facts).toHaveLength(1);
});

test.each(["[1]", "null", "{broken", '"text"'])(
  "input that is no object is shown as it is: %s",
  (value) => {
    expect(factsOf({ tool: "Bash", facts: [fact("args", value)] }).facts).toEqual([
      { name: "args", isInput: false, text: value },
    ]);
  },
);

test("only what is complete and uncut may be approved", () => {
  expect(isWhole(ask("a", { facts: [fact("args", "{}")] }))).toBe(true);
  expect(isWhole(ask("a", { isComplete: false }))).toBe(false);
  expect(isWhole(ask("a", { facts: [fact("args", "{", true)] }))).toBe(false);
});

test("the agent's last words are its own, not those of a helper that it called", () => {
  const speech = (text: string, parent: string | null = null): Item => ({
    kind: "text",
    key: text,
    parent,
    time: null,
    text,
    isStreaming: false,
  });
  expect(lastSpeech([speech("first"), speech("last"), speech("inner", "toolu_1")])).toBe("last");
  expect(lastSpeech([])).toBe("");
});

test("a person of this server is known by their name in decisions", () => {
  expect(personOf("heliostat:user-1")).toBe("user-1");
  expect(personOf("ann@example.com")).toBeNull();
});

test("what waits is what a person can do something about, the most urgent first", () => {
  const asks = [
    ask("late", { expiresTime: "2026-11-24T00:00:00Z" }),
    ask("soon", { expiresTime: "2026-11-23T00:00:00Z" }),
    ask("lost", { state: "OutcomeUnknown", expiresTime: "2026-11-25T00:00:00Z" }),
    ask("going", { state: "Claimed" }),
  ];
  const world = fromSnapshot({ ...snapshot(1), approvals: asks });
  expect(waitingAsks(world).map(({ id }) => id)).toEqual(["soon", "late", "lost"]);
  expect(fromSnapshot(toSnapshot(world))).toEqual(world);
  expect(waitingAsks(null)).toEqual([]);
});

test("a decided ask waits no more, a new one does", () => {
  let world = fromSnapshot({ ...snapshot(1), approvals: [ask("a")] });
  world = afterReport(world, told(2, ask("b")));
  world = afterReport(world, told(3, ask("a", { state: "Denied", isOpen: false })));
  expect(waitingAsks(world).map(({ id }) => id)).toEqual(["b"]);
});

test("lists follow reports, and a page keeps the facts that it read whole", () => {
  const client = new QueryClient();
  const whole = ask("a", { facts: [fact("args", "x".repeat(1000))] });
  const pages = (items: Approval[]): AskPages => ({
    pages: [{ items, next: null }],
    pageParams: [null],
  });
  client.setQueryData(keys.ask("a"), whole);
  client.setQueryData(keys.asks({ open: true }), pages([whole]));
  client.setQueryData(keys.asks({ open: false }), pages([]));
  client.setQueryData(keys.asks({ execution: "other" }), pages([]));
  const cut = [fact("args", "x".repeat(256), true)];
  applyReport(client, told(1, ask("a", { state: "Denied", isOpen: false, facts: cut })));
  const read = client.getQueryData<Approval>(keys.ask("a"));
  expect([read?.state, read?.facts]).toEqual(["Denied", whole.facts]);
  const listed = [{ open: true }, { open: false }, { execution: "other" }].map((filter) =>
    client.getQueryData<AskPages>(keys.asks(filter))?.pages[0]?.items.map(({ id }) => id),
  );
  expect(listed).toEqual([[], ["a"], []]);
});
