/**
 * What reports said lately. An answer of REST that was on its way while a report came may be older
 * than the report; `freshen` puts what was heard since the request over it.
 */
export class Overlay<Item extends { id: string }> {
  readonly #heard = new Map<string, { tick: number; item: Item | null }>();
  readonly #kept: number;
  #tick = 0;

  constructor(kept = 500) {
    this.#kept = kept;
  }

  /** Taken before a request, handed to `freshen` with its answer. */
  mark(): number {
    return this.#tick;
  }

  /** A report said that the item is now so; null: it is gone. */
  note(id: string, item: Item | null): void {
    this.#heard.delete(id);
    this.#heard.set(id, { tick: ++this.#tick, item });
    const oldest = this.#heard.size > this.#kept ? this.#heard.keys().next().value : undefined;
    if (oldest !== undefined) this.#heard.delete(oldest);
  }

  /** The answer's items, those in newer words that were heard since the mark; gone ones left out. */
  freshen(items: readonly Item[], mark: number): Item[] {
    return items.flatMap((item) => {
      const heard = this.#heard.get(item.id);
      if (!heard || heard.tick <= mark) return [item];
      return heard.item ? [heard.item] : [];
    });
  }

  /** Items of reports since the mark, the latest words of each. */
  since(mark: number): Item[] {
    return [...this.#heard.values()].flatMap(({ tick, item }) =>
      item && tick > mark ? [item] : [],
    );
  }
}
