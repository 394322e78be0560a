/** Does something at once, and again at the end of each pause in which it was asked for. */
export function throttled(work: () => void, pauseMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsked = false;
  const run = () => {
    isAsked = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (isAsked) run();
    }, pauseMs);
    work();
  };
  return () => {
    if (timer === undefined) run();
    else isAsked = true;
  };
}
