/** More about runs: what their pods printed, what their files hold, how two of them differ. */
import { useQuery } from "@tanstack/react-query";
import { read, readText, withQuery } from "./client";
import type { Execution, RunDiff, RunFile } from "./views";

export const LOG_MOST = 1_000_000;
export const TEXT_MOST = 256_000;

export function runPath(id: string): string {
  return `/api/executions/${encodeURIComponent(id)}`;
}

export function filePath(run: Pick<Execution, "id">, fileId: string): string {
  return `${runPath(run.id)}/files/${encodeURIComponent(fileId)}`;
}

export function logPath(id: string, attempt: number): string {
  return withQuery(`${runPath(id)}/logs`, { attempt });
}

/** How often the log of a pod is read that nobody reports of. */
const LOG_MS = 3000;

/** The log of a pod that delivers no transcript: no report tells of it, so it is read again. */
export function usePodLog(run: Execution, attempt: number, isGoing: boolean, enabled: boolean) {
  return useQuery({
    queryKey: ["log", run.id, attempt, run.isFinished],
    queryFn: ({ signal }) => readText(logPath(run.id, attempt), LOG_MOST, signal),
    staleTime: 0,
    refetchInterval: isGoing ? LOG_MS : false,
    enabled,
  });
}

/** A file never changes: its id is of its content. */
export function useFileText(run: Execution, file: RunFile) {
  return useQuery({
    queryKey: ["file", run.id, file.id],
    queryFn: ({ signal }) => readText(filePath(run, file.id), TEXT_MOST, signal),
  });
}

export function useDiff(run: Execution, other: string | null) {
  return useQuery({
    queryKey: ["diff", run.id, other, run.phase],
    queryFn: ({ signal }) =>
      read<RunDiff>(`${runPath(run.id)}/diff/${encodeURIComponent(other ?? "")}`, signal),
    enabled: other !== null,
  });
}
