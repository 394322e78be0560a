import { type RefObject, useEffect, useRef, useState } from "react";

/** So many pixels from the end of what grows count as its end. */
const NEAR = 160;

/**
 * Keeps the newest line in sight for whoever is at the end of what grows, and leaves whoever has
 * scrolled up where they are. `box` holds what grows, `end` is a mark behind it.
 */
export function useFollow(isGoing: boolean) {
  const box = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(false);
  const [isAway, setAway] = useState(false);
  // The last lines come with the end, or after it.
  const wasGoing = useRef(isGoing);
  wasGoing.current ||= isGoing;

  useEffect(() => {
    if (!box.current) return;
    let last = scrollY;
    const look = () => {
      const isNear = isInSight(end);
      if (isNear) isFollowing.current = true;
      else if (scrollY < last) isFollowing.current = false;
      last = scrollY;
      setAway(!isNear && !isFollowing.current);
    };
    look();
    const growth = new ResizeObserver(() => {
      if (isFollowing.current && wasGoing.current) show(end);
      else look();
    });
    growth.observe(box.current);
    addEventListener("scroll", look, { passive: true });
    return () => {
      growth.disconnect();
      removeEventListener("scroll", look);
    };
  }, []);

  const jump = () => {
    isFollowing.current = true;
    setAway(false);
    show(end);
  };
  return { box, end, isAway, jump };
}

/** Whoever reads what stands below the mark is not at it. */
function isInSight(end: RefObject<HTMLElement | null>): boolean {
  const top = end.current?.getBoundingClientRect().top ?? 0;
  return top >= 0 && top <= innerHeight + NEAR;
}

function show(end: RefObject<HTMLElement | null>): void {
  end.current?.scrollIntoView({ block: "end" });
}
