import type { Interval } from './interval.ts';

/** What has no uncertainty (a file's size), or whose uncertainty the user switched off (`evidence: off`): one point. */
export function exactInterval(estimate: number, n = 1, method = 'exact'): Interval {
  return { estimate, lower: estimate, upper: estimate, level: 1, method, n };
}
