/**
 * How long to wait before attempt number `attempt` (from 0): doubling from half a second up to `longest` seconds, with a
 * random half so that a thousand pages do not return in the same instant.
 */
export function backoffMilliseconds(attempt: number, random: () => number, longest = 30): number {
  const full = Math.min(longest * 1000, 500 * 2 ** Math.min(attempt, 16))
  return Math.round(full / 2 + (full / 2) * random())
}
