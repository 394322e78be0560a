import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { throttled } from "../src/live/throttle";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is asked for a thousand times is done at once and at the end of each pause", () => {
  const work = vi.fn();
  const ask = throttled(work, 1000);
  ask();
  expect(work).toHaveBeenCalledTimes(1);
  for (let at = 0; at < 1000; at++) ask();
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(work).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(10_000);
  expect(work).toHaveBeenCalledTimes(2);
  ask();
  expect(work).toHaveBeenCalledTimes(3);
});
