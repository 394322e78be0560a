/** Who goes back to a page finds it where they left it. */

/** A conversation opens at its end by itself. */
const ENDS = "/chat";
/** A page may still be reading when it is come back to: so long after it last grew. */
const PATIENCE_MS = 3000;
const OWN_WAYS = ["wheel", "touchstart", "keydown", "pointerdown"] as const;

const KEPT = "heliostat.places";
/** Of so many pages it is known where they were left. */
const PLACES = 50;

const left = readPlaces();
let returning: { address: string; top: number } | null = null;

function address(): string {
  return location.pathname + location.search;
}

addEventListener("scroll", () => note(address(), scrollY), { passive: true });
// A click may come before the browser has told of the scrolling in the same frame.
addEventListener("click", () => note(address(), scrollY), true);
// A page that is loaded anew is come back from, too.
addEventListener("pagehide", () => {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...left]));
  } catch {
    // Without a memory of the browser's this tab begins at the top.
  }
});
addEventListener("popstate", () => {
  returning = { address: address(), top: left.get(address()) ?? 0 };
});

function note(page: string, top: number): void {
  left.delete(page);
  left.set(page, top);
  const oldest = left.size > PLACES ? left.keys().next().value : undefined;
  if (oldest !== undefined) left.delete(oldest);
}

function readPlaces(): Map<string, number> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return new Map();
  }
}

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
  const growth = new ResizeObserver(() => {
    scrollTo(0, target);
    // A long list is read page by page.
    clearTimeout(patience);
    patience = setTimeout(stop, PATIENCE_MS);
  });
  const stop = () => {
    growth.disconnect();
    clearTimeout(patience);
    for (const way of OWN_WAYS) removeEventListener(way, stop);
  };
  let patience = setTimeout(stop, PATIENCE_MS);
  for (const way of OWN_WAYS) addEventListener(way, stop, { passive: true });
  growth.observe(document.body);
  return stop;
}
