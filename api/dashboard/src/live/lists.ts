import type { Execution, Page } from "../api/views";

/** Which runs a list shows; what is left out does not matter. */
export interface Filter {
  agent?: string;
  /** Of one agent all runs, its test runs, too; `agent` is then what its other runs call it. */
  agentId?: string;
  phase?: string;
}

export function isWanted(run: Execution, filter: Filter): boolean {
  return isOfAgent(run, filter) && (!filter.phase || run.phase === filter.phase);
}

function isOfAgent(run: Execution, { agent, agentId }: Filter): boolean {
  if (agentId && run.testOf) return run.testOf === agentId;
  // A draft has no resource yet, so no run of one is its.
  return agent ? run.agent === agent : !agentId;
}

/** The pages (newest runs first) after one run has changed. Only a list that it touches is new. */
export function placeRun(
  pages: Page<Execution>[],
  run: Execution,
  isShown: boolean,
): Page<Execution>[] {
  const isThere = pages.some((page) => page.items.some((item) => item.id === run.id));
  if (isThere) return isShown ? replaceRun(pages, run) : removeRun(pages, run.id);
  return isShown ? insertRun(pages, run) : pages;
}

function removeRun(pages: Page<Execution>[], id: string): Page<Execution>[] {
  return mapTouched(pages, id, (items) => items.filter((item) => item.id !== id));
}

function replaceRun(pages: Page<Execution>[], run: Execution): Page<Execution>[] {
  return mapTouched(pages, run.id, (items) =>
    items.map((item) => (item.id === run.id ? run : item)),
  );
}

function insertRun(pages: Page<Execution>[], run: Execution): Page<Execution>[] {
  const at = pages.findIndex(
    (page) => page.next === null || page.items.some((item) => item.createdTime <= run.createdTime),
  );
  return pages.map((page, number) => {
    if (number !== at) return page;
    const before = page.items.findIndex((item) => item.createdTime <= run.createdTime);
    const place = before < 0 ? page.items.length : before;
    return { ...page, items: page.items.toSpliced(place, 0, run) };
  });
}

function mapTouched(
  pages: Page<Execution>[],
  id: string,
  change: (items: Execution[]) => Execution[],
): Page<Execution>[] {
  return pages.map((page) =>
    page.items.some((item) => item.id === id) ? { ...page, items: change(page.items) } : page,
  );
}
