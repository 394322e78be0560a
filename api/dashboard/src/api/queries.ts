/** Reads. What came by reports while an answer was on its way is put over the answer. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { heardAgents, heardRuns, heardUpTo, keys, placeAgent, type RunPages } from "../live/cache";
import { type Filter, isWanted, place } from "../live/lists";
import { afterPage, emptyTranscript, type Transcript } from "../transcript/transcript";
import { ApiError, read, withQuery } from "./client";
import type { Agent, Execution, FileList, Page, Person, RunCounts, TranscriptPage } from "./views";

const HOUR_MS = 3_600_000;
const PAGE = 50;
const AGENTS_MOST = 2000;
/** Events of one page of a transcript, as many as the server gives. */
const TRANSCRIPT_PAGE = 1000;
/** Pages of a transcript that are read at once, of 1 MB each; a person asks for the rest. */
const TRANSCRIPT_PAGES = 60;

/** Who is here, now and then again: a page may be open for weeks. */
export function useMe() {
  return useQuery({
    queryKey: keys.me,
    queryFn: ({ signal }) => read<Person>("/api/me", signal),
    refetchInterval: HOUR_MS,
    refetchIntervalInBackground: true,
  });
}

export function useAgents() {
  return useQuery({ queryKey: keys.agents, queryFn: ({ signal }) => readAgents(signal) });
}

async function readAgents(signal: AbortSignal): Promise<Agent[]> {
  const mark = heardAgents.mark();
  const agents: Agent[] = [];
  let cursor: string | null = null;
  do {
    const path = withQuery("/api/agents", { cursor, limit: 200 });
    const page: Page<Agent> = await read(path, signal);
    agents.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && agents.length < AGENTS_MOST);
  const fresh = heardAgents.freshen(agents, mark);
  return heardAgents.since(mark).reduce((all, agent) => placeAgent(all, agent.id, agent), fresh);
}

export function useAgent(id: string) {
  return useQuery({
    queryKey: keys.agent(id),
    queryFn: async ({ signal }) => {
      const mark = heardAgents.mark();
      const agent = await read<Agent>(`/api/agents/${encodeURIComponent(id)}`, signal);
      return heardAgents.freshen([agent], mark)[0] ?? agent;
    },
  });
}

export function useRuns(filter: Filter, enabled = true) {
  return useInfiniteQuery({
    enabled,
    queryKey: keys.runs(filter),
    queryFn: ({ pageParam, signal }) => readRuns(filter, pageParam, signal),
    initialPageParam: null,
    getNextPageParam: (last: Page<Execution>) => last.next,
    // Comparing ten thousand runs with themselves at every page takes longer than reading it.
    structuralSharing: false,
  });
}

/** How many runs go on and wait: the server counts all of them, again after each report. */
export function useRunCounts() {
  return useQuery({
    queryKey: keys.runCounts,
    queryFn: ({ signal }) => read<RunCounts>("/api/executions/counts", signal),
  });
}

async function readRuns(
  filter: Filter,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Page<Execution>> {
  const mark = heardRuns.mark();
  const { agent, ...others } = filter;
  const asked = filter.agentId ? others : { ...others, agent };
  const path = withQuery("/api/executions", { ...asked, cursor, limit: PAGE });
  const page = await read<Page<Execution>>(path, signal);
  const items = heardRuns.freshen(page.items, mark).filter((run) => isWanted(run, filter));
  if (cursor !== null) return { ...page, items };
  const news = heardRuns.since(mark).filter((run) => isWanted(run, filter));
  const pages = news.reduce((all, run) => place(all, run, true), [{ ...page, items }]);
  return pages[0] ?? page;
}

/** The agent of a run, as long as there is one: a run names the Agent resource, a test run the agent. */
export function useAgentOf(run: Execution): Agent | undefined {
  return agentOf(run, useAgents().data);
}

export function agentOf(run: Execution, agents: readonly Agent[] = []): Agent | undefined {
  if (run.testOf) return agents.find((agent) => agent.id === run.testOf);
  return agents.find(
    (agent) => resourceOf(agent) === run.agent && agent.namespace === run.namespace,
  );
}

/** What runs of an agent call it. */
export function resourceOf(agent: Agent): string {
  return agent.resource || agent.name;
}

/** Runs and test runs of an agent, newest first: what every page that tells of it tells. */
export function useAgentRuns(agent: Agent, enabled = true) {
  return useRuns(runsFilter(agent), enabled);
}

export function runsFilter({ id, resource }: Agent): Filter {
  return { agentId: id, agent: resource };
}

/** All runs of the pages that were read. */
export function runsOf(data: Pick<RunPages, "pages"> | undefined): Execution[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

export function useRun(id: string) {
  return useQuery({
    queryKey: keys.run(id),
    queryFn: async ({ signal }) => {
      const mark = heardRuns.mark();
      const run = await read<Execution>(`/api/executions/${encodeURIComponent(id)}`, signal);
      return heardRuns.freshen([run], mark)[0] ?? run;
    },
  });
}

/** Files are delivered before a run ends, so they are read once it has. */
export function useFiles(run: Execution) {
  return useQuery({
    queryKey: keys.files(run.id),
    queryFn: ({ signal }) =>
      read<FileList>(`/api/executions/${encodeURIComponent(run.id)}/files`, signal),
    enabled: run.isFinished,
  });
}

export function useTranscript(id: string, attempt: number) {
  const client = useQueryClient();
  const queryKey = keys.transcript(id, attempt);
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      // What is there is not read again: only what follows it.
      const known = client.getQueryData<Transcript>(queryKey) ?? emptyTranscript(attempt);
      let furthest = known;
      for await (const found of readTranscript(id, known, signal)) {
        furthest = further(client.getQueryData<Transcript>(queryKey), found);
        // Each page is shown as soon as it is here.
        client.setQueryData<Transcript>(queryKey, furthest);
      }
      return furthest;
    },
    structuralSharing: false,
  });
}

/** Reports may have told more than what was read meanwhile. */
function further(heard: Transcript | undefined, found: Transcript): Transcript {
  return heard && heard.next > found.next ? heard : found;
}

/** All that follows what is known, page by page. */
async function* readTranscript(
  id: string,
  known: Transcript,
  signal: AbortSignal,
): AsyncGenerator<Transcript> {
  let transcript = known;
  for (let pages = 0; pages < TRANSCRIPT_PAGES; pages++) {
    const before = transcript.next;
    const cursor = transcript.rest ?? (before > 0 ? String(before) : null);
    const page = await readPage(id, transcript.attempt, cursor, signal);
    if (!page) break;
    transcript = afterPage(transcript, page);
    yield transcript;
    const isAll = page.next === null && heardUpTo(id, transcript.attempt) <= transcript.next;
    if (isAll || transcript.next === before) break;
  }
}

/** null: nothing was stored of this attempt yet. */
async function readPage(
  id: string,
  attempt: number,
  cursor: string | null,
  signal: AbortSignal,
): Promise<TranscriptPage | null> {
  const path = `/api/executions/${encodeURIComponent(id)}/transcript`;
  try {
    return await read(withQuery(path, { attempt, cursor, limit: TRANSCRIPT_PAGE }), signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
