/** Who goes back to a page finds it where they left it. */

/** A conversation opens at its end by itself. */
const ENDS = "/chat";
/** A page may still be reading when it is come back to. */
const PATIENCE_MS = 3000;
const OWN_WAYS = ["wheel", "touchstart", "keydown", "pointerdown"] as const;

const left = new Map<string, number>();
let returning: { address: string; top: number } | null = null;

function address(): string {
  return location.pathname + location.search;
}

addEventListener("scroll", () => left.set(address(), scrollY), { passive: true });
addEventListener("popstate", () => {
  returning = { address: address(), top: left.get(address()) ?? 0 };
});

/** Puts a page that has just come where it begins. Returns how to leave it at that. */
export function beginPage(): () => void {
  const target = returning?.address === address() ? returning.top : 0;
  returning = null;
  scrollTo(0, target);
  const isHeld = target > 0 && !location.pathname.startsWith(ENDS);
  return isHeld ? holdUntilThere(target) : () => undefined;
}

/** Tries again as the page grows, until somebody scrolls by themselves. */
function holdUntilThere(target: number): () => void {
  const growth = new ResizeObserver(() => scrollTo(0, target));
  const stop = () => {
    growth.disconnect();
    clearTimeout(patience);
    for (const way of OWN_WAYS) removeEventListener(way, stop);
  };
  const patience = setTimeout(stop, PATIENCE_MS);
  for (const way of OWN_WAYS) addEventListener(way, stop, { passive: true });
  growth.observe(document.body);
  return stop;
}
