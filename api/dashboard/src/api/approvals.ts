/** Asks of runs, and what a person says to them. */
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type AskPages, heardAsks, keys, withFacts } from "../live/cache";
import { type AskFilter, isWantedAsk, place } from "../live/lists";
import { useLive } from "../live/state";
import { waitingAsks } from "../live/world";
import { read, send, withQuery } from "./client";
import type { Approval, Page } from "./views";

const PAGE = 50;

export function askPath(id: string): string {
  return `/approvals/${encodeURIComponent(id)}`;
}

export function useAsks(filter: AskFilter) {
  return useInfiniteQuery({
    queryKey: keys.asks(filter),
    queryFn: ({ pageParam, signal }) => readAsks(filter, pageParam, signal),
    initialPageParam: null,
    getNextPageParam: (last: Page<Approval>) => last.next,
  });
}

async function readAsks(
  { open, execution }: AskFilter,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Page<Approval>> {
  const mark = heardAsks.mark();
  const asked = { open: open === undefined ? null : String(open), execution, cursor, limit: PAGE };
  const page = await read<Page<Approval>>(withQuery("/api/approvals", asked), signal);
  const isShown = (ask: Approval) => isWantedAsk(ask, { open, execution });
  const items = heardAsks.freshen(page.items, mark).filter(isShown);
  if (cursor !== null) return { ...page, items };
  const news = heardAsks.since(mark).filter(isShown);
  const pages = news.reduce((all, ask) => place(all, ask, true), [{ ...page, items }]);
  return pages[0] ?? page;
}

/** What waits for a person, on every page: the stream brings it. */
export function useWaitingAsks(): Approval[] {
  const world = useLive((state) => state.world);
  return useMemo(() => waitingAsks(world), [world]);
}

export function asksOf(data: Pick<AskPages, "pages"> | undefined): Approval[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

/** One with its facts whole: only what was read so may be approved. */
export function useAsk(id: string) {
  return useQuery({
    queryKey: keys.ask(id),
    queryFn: async ({ signal }) => {
      const mark = heardAsks.mark();
      const ask = await read<Approval>(`/api${askPath(id)}`, signal);
      const heard = heardAsks.freshen([ask], mark)[0] ?? ask;
      return withFacts(heard, ask);
    },
  });
}

export interface Word {
  decision: "approve" | "deny";
  reason: string;
  /** When it was drawn, in this browser's milliseconds. */
  shownAt: number;
}

/** The digest that is sent is that of what this page shows. */
export function useDecide(ask: Approval) {
  return useMutation({
    mutationFn: ({ decision, reason, shownAt }: Word) =>
      send({
        path: `${askPath(ask.id)}/decide`,
        body: {
          decision,
          reason,
          digest: ask.digest,
          shownSeconds: Math.max(0, Date.now() - shownAt) / 1000,
        },
      }),
  });
}

export function useResolve(ask: Approval) {
  return useMutation({
    mutationFn: (body: { outcome: "happened" | "did_not_happen"; reason: string }) =>
      send({ path: `${askPath(ask.id)}/resolve`, body }),
  });
}

/** No to all that the run still asks for, and its agent starts nothing more. */
export function useDenyAll(ask: Approval) {
  return useMutation({
    mutationFn: (reason: string) =>
      send({
        path: "/api/approvals/deny",
        body: { execution: ask.execution, suspendAgent: true, reason },
      }),
  });
}
