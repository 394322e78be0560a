const SIZE = 50;

/** A long list in pieces, so that those far from the window need not be drawn. */
export function chunksOf<Item>(items: readonly Item[], size = SIZE): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size));
}
