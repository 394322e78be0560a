import { type RefObject, useEffect, useRef, useState } from "react";

/** Whether a mark at the end of a page is in sight, `margin` around the window included. */
export function useSight(
  mark: RefObject<HTMLElement | null>,
  margin: string,
  { isThere = true, isNearAtFirst = false } = {},
) {
  const isNear = useRef(isNearAtFirst);
  const [isAway, setAway] = useState(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the mark may come later
  useEffect(() => {
    if (!mark.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        isNear.current = entry?.isIntersecting ?? false;
        setAway(!isNear.current);
      },
      { rootMargin: margin },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [isThere]);
  return { isNear, isAway };
}
