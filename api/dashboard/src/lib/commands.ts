import { useMutation } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { command } from "../api/client";
import { reportedRun } from "../live/state";

const KNOWN_MS = 2000;
const UNKNOWN_MS = 15_000;

/**
 * A command that starts a run, and the way to the run's page. The answer is never drawn: the page
 * opens when a report tells of the run, or shortly after, where no report can come through.
 */
export function useStart() {
  const [, go] = useLocation();
  return useMutation({
    mutationFn: async ({ path, body }: { path: string; body?: object }) => {
      const { correlationId, execution } = await command(path, body);
      return (await reportedRun(correlationId, execution ? KNOWN_MS : UNKNOWN_MS)) ?? execution;
    },
    onSuccess: (id) => go(id ? `/executions/${id}` : "/executions"),
  });
}

/** A command about something that is shown already: its reports change what is shown. */
export function useCommand() {
  return useMutation({ mutationFn: (path: string) => command(path) });
}
