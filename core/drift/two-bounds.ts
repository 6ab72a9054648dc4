/** What the evidence says of one bound. */
export interface BoundOutcome {
  /** It is broken for sure. */
  readonly broken: boolean;
  /** It holds for sure. */
  readonly holds: boolean;
}

export interface TwoBoundsOutcome {
  readonly status: 'fail' | 'warn' | 'inconclusive' | 'pass';
  /** Which bound decided; of a pass the lower one. */
  readonly decisive: 'warn' | 'fail';
}

/** A value held against a bound to watch and a bound to fail, either of which may be missing. What is not settled is no pass. */
export function judgeTwoBounds(warn: BoundOutcome | undefined, fail: BoundOutcome | undefined): TwoBoundsOutcome {
  if (fail?.broken === true) return { status: 'fail', decisive: 'fail' };
  if (fail?.holds === false) return { status: 'inconclusive', decisive: 'fail' };
  const decisive = warn === undefined ? 'fail' : 'warn';
  if (warn?.broken === true) return { status: 'warn', decisive };
  if (warn?.holds === false) return { status: 'inconclusive', decisive };
  return { status: 'pass', decisive };
}
