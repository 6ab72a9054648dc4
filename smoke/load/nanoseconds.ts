const origin = process.hrtime.bigint();

/** A monotonic clock in whole nanoseconds, which a number holds exactly for a hundred days. */
export function nanoseconds(): number {
  return Number(process.hrtime.bigint() - origin);
}
