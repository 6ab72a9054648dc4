/** What one arm did in one window: how many requests it answered, and how many of them badly (an error, slow, a changed class). */
export interface ArmCounts {
  readonly requests: number;
  readonly errors: number;
}

/** Both arms between two looks. Counts, never rates. */
export interface WindowCounts {
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
}

export const nothing: ArmCounts = { requests: 0, errors: 0 };

/** Throws a `RangeError` unless `0 <= errors <= requests`, both finite. A `NaN` must never look like "no errors". */
export function assertCounts({ requests, errors }: ArmCounts): void {
  if (!(errors >= 0 && errors <= requests && Number.isFinite(requests))) {
    throw new RangeError(`${errors} errors of ${requests} requests is not a count`);
  }
}

/** Whether both arms had traffic. A window without it says nothing for or against. */
export function hasTraffic({ canary, baseline }: WindowCounts): boolean {
  return canary.requests > 0 && baseline.requests > 0;
}

export function addCounts(one: ArmCounts, other: ArmCounts): ArmCounts {
  return { requests: one.requests + other.requests, errors: one.errors + other.errors };
}
