import { type Check, type Status, statuses } from './check.ts';
import { grouped, statusWords } from './vocabulary.ts';

/** How many checks came out how; every status is there, zero included. */
export function countsOf(checks: readonly Check[]): Readonly<Record<Status, number>> {
  const counts: Record<Status, number> = {
    pass: 0,
    fail: 0,
    warn: 0,
    inconclusive: 0,
    waived: 0,
    skipped: 0,
    error: 0,
  };
  for (const check of checks) counts[check.status] += 1;
  return counts;
}

/** `28 passed, 2 failed, 1 inconclusive`: statuses that occur, passes first, then the worst. */
export function describeCounts(checks: readonly Check[]): string {
  const counts = countsOf(checks);
  const order: readonly Status[] = ['pass', ...statuses.filter((status) => status !== 'pass')];
  const parts = order
    .filter((status) => counts[status] > 0)
    .map((status) => `${grouped(String(counts[status]))} ${statusWords[status].counted}`);
  return parts.length === 0 ? 'no checks' : parts.join(', ');
}
