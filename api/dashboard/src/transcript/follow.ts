import { useEffect, useRef } from "react";
import { useSight } from "../lib/sight";

const NEAR = "0px 0px 160px 0px";

/** Keeps the newest step in sight for whoever looks at the end; leaves whoever reads above alone. */
export function useFollow(items: readonly unknown[], isGoing: boolean) {
  const end = useRef<HTMLDivElement>(null);
  const { isNear, isAway } = useSight(end, NEAR);

  const jump = () => end.current?.scrollIntoView({ block: "end" });
  const hasGrown = useHasGrown(items.length);
  useEffect(() => {
    if (hasGrown && isGoing && isNear.current) jump();
  });
  return { end, isAway, jump };
}

/** Whether there is more than at the first drawing: a page that opens stays at its top. */
function useHasGrown(length: number): boolean {
  const first = useRef(length);
  return length > first.current;
}
