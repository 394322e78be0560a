import { type ReactNode, useEffect, useRef, useState } from "react";

/** About two screens: what comes into sight is there already. */
const NEAR = "1600px 0px";

/** Draws a piece of a long page while it is near the window; else it keeps its place. */
export function Windowed({ className, draw }: { className?: string; draw: () => ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState<number | null>(null);
  useEffect(() => {
    if (!box.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const latest = entries.at(-1);
        if (latest) setHeight(latest.isIntersecting ? null : latest.boundingClientRect.height);
      },
      { rootMargin: NEAR },
    );
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} className={className} style={height === null ? undefined : { height }}>
      {height === null && draw()}
    </div>
  );
}
