import { useEffect, useRef } from "react";
import { useSight } from "../lib/sight";

/** What the composer and the bars below cover. */
const NEAR = "0px 0px 220px 0px";

/** A conversation opens at its end, and stays there for whoever looks at it. */
export function useEnd(isThere: boolean, isSaying: boolean) {
  const end = useRef<HTMLDivElement>(null);
  const { isNear, isAway } = useSight(end, NEAR, { isThere, isNearAtFirst: true });
  const jump = () => {
    end.current?.scrollIntoView({ block: "end" });
  };

  const hasEnd = isThere || isSaying;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each thing said
  useEffect(() => {
    if (hasEnd) jump();
  }, [isThere, isSaying]);
  useEffect(() => {
    if (hasEnd && isNear.current) jump();
  });
  return { end, isAway, jump };
}
