import { useEffect, useRef, useState } from "react";

/** What the composer and the bars below cover. */
const NEAR = "0px 0px 220px 0px";

/** A conversation opens at its end, and stays there for whoever looks at it. */
export function useEnd(isThere: boolean, isSaying: boolean) {
  const end = useRef<HTMLDivElement>(null);
  const isNear = useRef(true);
  const [isAway, setAway] = useState(false);
  const jump = () => {
    end.current?.scrollIntoView({ block: "end" });
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the mark comes with the messages
  useEffect(() => {
    const mark = end.current;
    if (!mark) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        isNear.current = entry?.isIntersecting ?? false;
        setAway(!isNear.current);
      },
      { rootMargin: NEAR },
    );
    observer.observe(mark);
    return () => observer.disconnect();
  }, [isThere]);

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
