import { Button, Select } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { useEffect } from "react";
import { useSearchParams } from "wouter";
import { resourceOf, runsOf, useAgents, useRuns } from "../api/queries";
import type { Filter } from "../live/lists";
import { LongRunList } from "../parts/LongRunList";
import { PageHead } from "../parts/Page";
import { Empty, Failure, Rows } from "../parts/States";
import { StopWaiting } from "../parts/StopWaiting";
import { useWords } from "../words/words";
import classes from "./RunsPage.module.css";

const PHASES = [
  "Pending",
  "Starting",
  "Running",
  "Retrying",
  "Stopping",
  "Succeeded",
  "Failed",
  "Cancelled",
  "Skipped",
];

/** All runs, as they happen. The filter is in the address, so that it can be kept and sent. */
export default function RunsPage() {
  const { t } = useWords();
  const [query, setQuery] = useSearchParams();
  const filter: Filter = { agent: query.get("agent") ?? "", phase: query.get("phase") ?? "" };
  const choose = (name: keyof Filter, value: string | null) =>
    setQuery(
      (before) => {
        const after = new URLSearchParams(before);
        if (value) after.set(name, value);
        else after.delete(name);
        return after;
      },
      { replace: true },
    );
  return (
    <>
      <PageHead title={t("runs.title")} detail={t("runs.detail")} />
      <Filters filter={filter} choose={choose} />
      <StopWaiting key={`${filter.agent} ${filter.phase}`} filter={filter} />
      <Runs filter={filter} clear={() => setQuery({}, { replace: true })} />
    </>
  );
}

function Filters({
  filter,
  choose,
}: {
  filter: Filter;
  choose: (name: keyof Filter, value: string | null) => void;
}) {
  const { t, name } = useWords();
  const agents = useAgents();
  const names = new Map(agents.data?.map((agent) => [resourceOf(agent), agent.name]));
  // Runs outlive their agent.
  if (filter.agent && !names.has(filter.agent)) names.set(filter.agent, filter.agent);
  return (
    <div className={classes.filters}>
      <Select
        aria-label={t("runs.phase")}
        placeholder={t("runs.anyPhase")}
        data={PHASES.map((phase) => ({ value: phase, label: name("phase", phase) }))}
        value={filter.phase || null}
        onChange={(phase) => choose("phase", phase)}
        clearable
        clearButtonProps={{ "aria-label": t("runs.clear") }}
      />
      <Select
        aria-label={t("runs.agent")}
        placeholder={t("runs.anyAgent")}
        data={[...names].map(([value, label]) => ({ value, label }))}
        value={filter.agent || null}
        onChange={(agent) => choose("agent", agent)}
        searchable
        clearable
        clearButtonProps={{ "aria-label": t("runs.clear") }}
        nothingFoundMessage={t("agents.filteredTitle")}
      />
    </div>
  );
}

function Runs({ filter, clear }: { filter: Filter; clear: () => void }) {
  const { t } = useWords();
  const { agent, phase } = filter;
  const runs = useRuns(filter);
  if (runs.isPending) return <Rows count={7} />;
  if (runs.isError && !runs.data) {
    return <Failure error={runs.error} retry={() => void runs.refetch()} />;
  }
  const all = runsOf(runs.data);
  if (all.length === 0) return <NoRuns isFiltered={!!(agent || phase)} clear={clear} />;
  return (
    <>
      <LongRunList runs={all} label={t("runs.list")} memory={`runs ${agent} ${phase}`} />
      <More
        hasMore={runs.hasNextPage}
        isLoading={runs.isFetchingNextPage}
        load={() => void runs.fetchNextPage()}
      />
    </>
  );
}

function NoRuns({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }) {
  const { t } = useWords();
  if (!isFiltered) {
    return <Empty icon="runs" title={t("runs.emptyTitle")} detail={t("runs.emptyDetail")} />;
  }
  return (
    <Empty icon="search" title={t("runs.filteredTitle")} detail={t("runs.filteredDetail")}>
      <Button variant="default" onClick={clear}>
        {t("runs.clear")}
      </Button>
    </Empty>
  );
}

/** Older runs: read when a person comes near the end, or presses. */
function More({
  hasMore,
  isLoading,
  load,
}: {
  hasMore: boolean;
  isLoading: boolean;
  load: () => void;
}) {
  const { t } = useWords();
  const { ref, entry } = useIntersection({ rootMargin: "400px" });
  const isNear = entry?.isIntersecting ?? false;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` is new with every drawing
  useEffect(() => {
    if (isNear && hasMore && !isLoading) load();
  }, [isNear, hasMore, isLoading]);
  return (
    <div ref={ref} className={classes.more}>
      {hasMore ? (
        <Button variant="default" loading={isLoading} onClick={load}>
          {t("app.more")}
        </Button>
      ) : (
        t("runs.end")
      )}
    </div>
  );
}
