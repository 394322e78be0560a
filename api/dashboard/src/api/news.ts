/** What every page tells, whichever it is. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type News, newsOf } from "../lib/news";
import { isUnseen, useSeen } from "../lib/seen";
import { read } from "./client";
import { runsOf, useAgents, useRuns } from "./queries";
import type { Model } from "./views";

/** News that nobody has looked at yet; of failures, the latest fifty. */
export function useNews(): News[] {
  const seen = useSeen();
  const runs = useRuns({ phase: "Failed" }).data;
  const agents = useAgents().data;
  return useMemo(
    () => newsOf(runsOf(runs), agents ?? []).filter((news) => isUnseen(news, seen)),
    [runs, agents, seen],
  );
}

/** Whether all that could answer is a script: people must not take it for a model. */
export function useIsScripted(): boolean {
  const models = useQuery({
    queryKey: ["models"],
    queryFn: async ({ signal }) => (await read<{ items: Model[] }>("/api/models", signal)).items,
  }).data;
  return !!models?.length && models.every((model) => model.isScripted);
}
