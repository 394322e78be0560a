import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

/** So many pixels from the end of what grows count as its end. */
const NEAR = 160;
const UPWARDS: ReadonlySet<string> = new Set(["ArrowUp", "PageUp", "Home"]);

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
    let last = { top: scrollY, height: document.documentElement.scrollHeight };
    const look = () => {
      const present = { top: scrollY, height: document.documentElement.scrollHeight };
      const isNear = isInSight(end);
      if (isNear) isFollowing.current = true;
      // By the scroll bar. What has grown meanwhile is no reader's move.
      else if (present.top < last.top && present.height === last.height) leave();
      last = present;
      setAway(!isNear && !isFollowing.current);
    };
    const leave = () => {
      isFollowing.current = false;
    };
    const turned = (event: WheelEvent) => event.deltaY < 0 && leave();
    const typed = (event: KeyboardEvent) => UPWARDS.has(event.key) && leave();
    look();
    const growth = new ResizeObserver(() => {
      if (isFollowing.current && wasGoing.current) show(end);
      else look();
    });
    growth.observe(box.current);
    addEventListener("scroll", look, { passive: true });
    addEventListener("wheel", turned, { passive: true });
    addEventListener("touchmove", leave, { passive: true });
    addEventListener("keydown", typed);
    return () => {
      growth.disconnect();
      removeEventListener("scroll", look);
      removeEventListener("wheel", turned);
      removeEventListener("touchmove", leave);
      removeEventListener("keydown", typed);
    };
  }, []);

  /** Whether the end is what stays in its place when something above it turns out higher. */
  const isAtEnd = useCallback(() => isFollowing.current && wasGoing.current, []);

  const jump = () => {
    isFollowing.current = true;
    setAway(false);
    show(end);
  };
  return { box, end, isAway, isAtEnd, jump };
}

/** Whoever reads what stands below the mark is not at it. */
function isInSight(end: RefObject<HTMLElement | null>): boolean {
  const top = end.current?.getBoundingClientRect().top ?? 0;
  return top >= 0 && top <= innerHeight + NEAR;
}

function show(end: RefObject<HTMLElement | null>): void {
  end.current?.scrollIntoView({ block: "end" });
}
