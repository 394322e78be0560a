/** Reads of the chat. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { agentPath } from "../api/agents";
import { command, read, send, withQuery } from "../api/client";
import { runsOf, useRuns } from "../api/queries";
import type { Conversation, Message, Page } from "../api/views";
import { heardConversations, keys, placeConversation } from "../live/cache";
import { reportedRun, useLive } from "../live/state";

const MOST = 1000;
const PAGE = 200;
const REPORTED_MS = 15_000;

export function useConversations() {
  return useQuery({
    queryKey: keys.conversations,
    queryFn: ({ signal }) => readConversations(signal),
  });
}

async function readConversations(signal: AbortSignal): Promise<Conversation[]> {
  const mark = heardConversations.mark();
  const found: Conversation[] = [];
  let cursor: string | null = null;
  do {
    const path = withQuery("/api/conversations", { cursor, limit: PAGE });
    const page: Page<Conversation> = await read(path, signal);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && found.length < MOST);
  const fresh = heardConversations.freshen(found, mark);
  return heardConversations
    .since(mark)
    .reduce((all, talk) => placeConversation(all, talk.id, talk), fresh);
}

const pathOf = (id: string) => `/api/conversations/${encodeURIComponent(id)}`;

export function useRename() {
  return useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) =>
      send<Conversation>({ method: "PATCH", path: pathOf(id), body: { title } }),
  });
}

/** `after` comes also when the report was faster than the answer, and its row is gone. */
export function useRemove(after: () => void) {
  return useMutation({
    mutationFn: (id: string) => send<null>({ method: "DELETE", path: pathOf(id) }),
    onSuccess: after,
  });
}

/** Messages before what a conversation begins with here. */
export function useOlder(id: string, add: (messages: Message[]) => void) {
  const [cursor, setCursor] = useState<string | null>(null);
  const older = useMutation({
    mutationFn: () => readOlder(id, cursor),
    onSuccess: (page) => {
      add(page.items);
      setCursor(page.next);
    },
  });
  const isEnd = older.isSuccess && cursor === null;
  return { read: () => older.mutate(), isEnd, isPending: older.isPending, error: older.error };
}

/** The newest page is what a conversation opens with, so the first look goes behind it. */
async function readOlder(id: string, cursor: string | null): Promise<Page<Message>> {
  const page = (after: string | null) =>
    read<Page<Message>>(withQuery(`${pathOf(id)}/messages`, { cursor: after, limit: 100 }));
  const first = await page(cursor);
  if (cursor !== null || first.next === null) return first;
  const second = await page(first.next);
  return { items: [...second.items, ...first.items], next: second.next };
}

interface Started {
  run: string | null;
  /** The run that the conversation told of last when this one was started. */
  after: string | null;
}

const startedKey = (agent: string) => ["testRun", agent] as const;

/** The latest test run: one that was started here, or one that the conversation tells of. */
export function useTestRun(agent: string, told: string | null): string | null {
  const { data: started } = useQuery<Started | null>({
    queryKey: startedKey(agent),
    queryFn: () => null,
    initialData: null,
  });
  // Those of the last runs that are tests of it: the first of them is the latest.
  const last = runsOf(useRuns({}).data).find((run) => run.testOf === agent);
  return started?.run && started.after === told ? started.run : (last?.id ?? told);
}

export function useTest(agent: string, told: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const { correlationId, execution } = await command(`${agentPath(agent)}/test`);
      return (await reportedRun(correlationId, REPORTED_MS)) ?? execution ?? null;
    },
    onSuccess: (run) => client.setQueryData<Started>(startedKey(agent), { run, after: told }),
  });
}

/** Which person this browser is; null until the first snapshot. */
export function usePersonId(): string | null {
  return useLive((state) => state.world?.person.id ?? null);
}
