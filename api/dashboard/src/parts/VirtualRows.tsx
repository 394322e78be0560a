import { useWindowVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import {
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";

/** Rows beyond each edge of the window that are drawn already. */
const OVERSCAN = 8;

const MEASURED = new Map<string, VirtualItem[]>();

export interface RowsHandle {
  show(index: number): void;
}

/** A list of any length of which the rows near the window are drawn; the window scrolls. */
export function VirtualRows<Row>({
  rows,
  keyOf,
  height,
  className,
  label,
  handle,
  isAtEnd,
  memory,
  draw,
}: {
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** About how high a row is, until it was drawn once. */
  height: (row: Row) => number;
  className?: string | undefined;
  label?: string;
  handle?: Ref<RowsHandle>;
  /** Whether the reader is kept at the end, by whom the list is not to be scrolled. */
  isAtEnd?: () => boolean;
  /** Under which name the rows' heights are kept, for whoever comes back to the list. */
  memory?: string;
  draw: (row: Row, place: RowPlace) => ReactNode;
}) {
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    getItemKey: useCallback((index: number) => keyAt(rows, index, keyOf), [rows, keyOf]),
    estimateSize: (index) => {
      const row = rows[index];
      return row === undefined ? 0 : height(row);
    },
    overscan: OVERSCAN,
    initialMeasurementsCache: (memory && MEASURED.get(memory)) || [],
    scrollMargin: top,
  });
  // A row above the reader that turns out higher than thought moves what they read: not at the end.
  virtual.shouldAdjustScrollPositionOnItemSizeChange = ({ end }, _, { scrollOffset }) =>
    !isAtEnd?.() && end <= (scrollOffset ?? 0);
  // What stands above may have grown.
  useLayoutEffect(() => {
    if (list.current) setTop(Math.round(list.current.getBoundingClientRect().top + scrollY));
  });
  useEffect(() => {
    if (memory) return () => void MEASURED.set(memory, virtual.takeSnapshot());
  }, [memory, virtual]);
  useImperativeHandle(handle, () => ({
    show: (index) => virtual.scrollToIndex(index, { align: "center" }),
  }));
  const drawn = virtual.getVirtualItems();
  const before = (drawn[0]?.start ?? top) - top;
  return (
    <ol
      ref={list}
      className={className}
      aria-label={label}
      style={{ height: virtual.getTotalSize(), paddingTop: before, overflowAnchor: "none" }}
    >
      {drawn.map((item) => {
        const row = rows[item.index];
        return row === undefined ? null : draw(row, placeOf(item, virtual.measureElement));
      })}
    </ol>
  );
}

/** What a row's element has to have: the list measures it. */
export interface RowPlace {
  index: number;
  ref: (element: HTMLElement | null) => void;
}

function placeOf({ index }: VirtualItem, ref: RowPlace["ref"]): RowPlace {
  return { index, ref };
}

function keyAt<Row>(
  rows: readonly Row[],
  index: number,
  keyOf: (row: Row) => string | number,
): string | number {
  const row = rows[index];
  return row === undefined ? index : keyOf(row);
}
