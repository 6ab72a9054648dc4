/** `log(exp(a) + exp(b) + ...)` without overflow. `-Infinity` for no terms. */
export function logSum(logs: readonly number[]): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const log of logs) if (log > highest) highest = log;
  if (!Number.isFinite(highest)) return highest;
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - highest);
  return highest + Math.log(sum);
}
