/** Reads about one agent: its spec, its revisions, what an edit would do, what a form may offer. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { keys } from "../live/cache";
import { ApiError, read, send, withQuery } from "./client";
import type {
  AgentDetail,
  Page,
  Preview,
  RevisionDetail,
  RevisionSummary,
  SchedulePreview,
  SecretList,
} from "./views";

const FIRES_FRESH_MS = 60_000;

export function agentPath(id: string): string {
  return `/api/agents/${encodeURIComponent(id)}`;
}

export function useAgentDetail(id: string) {
  return useQuery({
    queryKey: keys.agentDetail(id),
    queryFn: ({ signal }) => read<AgentDetail>(agentPath(id), signal),
  });
}

export function useRevisions(id: string) {
  return useInfiniteQuery({
    queryKey: keys.revisions(id),
    queryFn: ({ pageParam, signal }) =>
      read<Page<RevisionSummary>>(
        withQuery(`${agentPath(id)}/revisions`, { cursor: pageParam }),
        signal,
      ),
    initialPageParam: null,
    getNextPageParam: (last: Page<RevisionSummary>) => last.next,
  });
}

/** What was saved once stays as it is. */
export function useRevision(id: string, number: number) {
  return useQuery({
    queryKey: ["revision", id, number],
    queryFn: ({ signal }) => read<RevisionDetail>(`${agentPath(id)}/revisions/${number}`, signal),
  });
}

export interface PreviewRequest {
  agent: string;
  name?: string;
  description?: string;
  spec?: object;
}

/** What it would cost, touch and change, of the state that `revision` names. null: not asked. */
export function usePreview(request: PreviewRequest | null, revision: unknown) {
  return useQuery({
    queryKey: ["preview", request, revision],
    queryFn: ({ signal }) =>
      send<Preview>({ path: "/api/agents/preview", body: request ?? {}, signal }),
    enabled: request !== null,
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
}

export function useSchedulePreview(schedule: object | null, count = 10) {
  return useQuery({
    queryKey: ["schedulePreview", schedule, count],
    queryFn: ({ signal }) =>
      send<SchedulePreview>({
        path: "/api/schedules/preview",
        body: { schedule, count },
        signal,
      }),
    enabled: schedule !== null,
    placeholderData: keepPreviousData,
    // Fires pass, also while nobody looks.
    staleTime: FIRES_FRESH_MS,
    refetchInterval: FIRES_FRESH_MS,
    refetchOnWindowFocus: true,
    gcTime: 0,
  });
}

export interface Models {
  items: { name: string; provider: string; isScripted: boolean }[];
}

/** Names that a form offers; where they cannot be read, it offers none. */
function useOffer<Answer>(path: string, staleTime: number) {
  return useQuery({
    queryKey: ["offer", path],
    queryFn: ({ signal }) => read<Answer>(path, signal),
    staleTime,
    retry: (failures, error) => failures < 1 && !(error instanceof ApiError),
  });
}

export const useModels = () => useOffer<Models>("/api/models", 300_000);
export const useSecrets = () => useOffer<SecretList>("/api/secrets", 0);
