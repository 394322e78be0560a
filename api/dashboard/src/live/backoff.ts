const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * Wait before try number `attempt` (from 0), in milliseconds. `random` is in [0, 1): browsers that
 * lost the same server do not come back in step.
 */
export function backoffMs(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(whole * (0.5 + random / 2));
}
