import type { Approval, Execution, Page } from "../api/views";

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

/** Which asks a list shows. */
export interface AskFilter {
  open?: boolean;
  /** Those of one run. */
  execution?: string;
}

export function isWantedAsk(ask: Approval, { open, execution }: AskFilter): boolean {
  const fits = open === undefined || ask.isOpen === open;
  return fits && (!execution || ask.execution === execution);
}

interface Listed {
  id: string;
  createdTime: string;
}

/** The pages (newest first) after one thing has changed. Only a list that it touches is new. */
export function place<Item extends Listed>(
  pages: Page<Item>[],
  item: Item,
  isShown: boolean,
): Page<Item>[] {
  const isThere = pages.some((page) => page.items.some(({ id }) => id === item.id));
  if (isThere) return isShown ? replace(pages, item) : remove(pages, item.id);
  return isShown ? insert(pages, item) : pages;
}

function remove<Item extends Listed>(pages: Page<Item>[], id: string): Page<Item>[] {
  return mapTouched(pages, id, (items) => items.filter((item) => item.id !== id));
}

function replace<Item extends Listed>(pages: Page<Item>[], changed: Item): Page<Item>[] {
  return mapTouched(pages, changed.id, (items) =>
    items.map((item) => (item.id === changed.id ? changed : item)),
  );
}

function insert<Item extends Listed>(pages: Page<Item>[], fresh: Item): Page<Item>[] {
  const at = pages.findIndex(
    (page) =>
      page.next === null || page.items.some((item) => item.createdTime <= fresh.createdTime),
  );
  return pages.map((page, number) => {
    if (number !== at) return page;
    const before = page.items.findIndex((item) => item.createdTime <= fresh.createdTime);
    const there = before < 0 ? page.items.length : before;
    return { ...page, items: page.items.toSpliced(there, 0, fresh) };
  });
}

function mapTouched<Item extends Listed>(
  pages: Page<Item>[],
  id: string,
  change: (items: Item[]) => Item[],
): Page<Item>[] {
  return pages.map((page) =>
    page.items.some((item) => item.id === id) ? { ...page, items: change(page.items) } : page,
  );
}
