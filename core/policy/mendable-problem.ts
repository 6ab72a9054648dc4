import type { Problem } from '../problem/index.ts';

/** What this room says is wrong: never without what to do about it. */
export interface MendableProblem extends Problem {
  readonly fix: string;
}

/** Whether there is anything to throw. */
export function isNonEmpty<Value>(values: readonly Value[]): values is readonly [Value, ...Value[]] {
  return values.length > 0;
}
