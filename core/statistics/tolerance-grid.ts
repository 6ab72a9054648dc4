import { logSum } from './log-sum.ts';

/**
 * Evidence against a row of ever looser nulls, each a mixture over stakes: what confidence sequences are inverted from. Plain JSON.
 */
export interface GridEvidence {
  /** One parameter per null, ascending: a ratio, a difference, a distance. */
  readonly parameters: readonly number[];
  /** By parameter, by stake (equal weights): the logarithm of what the stake has become. */
  readonly logs: readonly (readonly number[])[];
  /** By parameter: the highest logarithm of the evidence ever, at least 0. */
  readonly highest: readonly number[];
}

export function startGrid(parameters: readonly number[], stakes: number): GridEvidence {
  if (!parameters.every((value, index) => index === 0 || value > (parameters[index - 1] ?? value))) {
    throw new RangeError('the parameters of a grid must ascend');
  }
  return {
    parameters,
    logs: parameters.map(() => new Array<number>(stakes).fill(0)),
    highest: parameters.map(() => 0),
  };
}

/** Adds what each stake gained. */
export function addGains(evidence: GridEvidence, gainOf: (parameter: number, stake: number) => number): GridEvidence {
  const logs = evidence.logs.map((row, index) => {
    const parameter = evidence.parameters[index] ?? Number.NaN;
    return row.map((log, stake) => log + gainOf(parameter, stake));
  });
  const highest = logs.map((row, index) => Math.max(evidence.highest[index] ?? 0, logSum(row) - Math.log(row.length)));
  return { parameters: evidence.parameters, logs, highest };
}

/**
 * For nulls "the truth is at least the parameter": the least parameter from which on **all** were refuted at level alpha, `Infinity` if
 * the last was not. The chance that the truth ever lies above it is at most alpha: to be wrong, the largest parameter not above the
 * truth must have been refuted, and that null is true. So no bound is paid for the number of parameters.
 */
export function upperBoundOf({ parameters, highest }: GridEvidence, alpha: number): number {
  const threshold = logThreshold(alpha);
  let bound = Number.POSITIVE_INFINITY;
  for (let index = parameters.length - 1; index >= 0 && (highest[index] ?? 0) >= threshold; index--) {
    bound = parameters[index] ?? bound;
  }
  return bound;
}

/** For nulls "the truth is at most the parameter": the greatest up to which all were refuted, `-Infinity` if the first was not. */
export function lowerBoundOf({ parameters, highest }: GridEvidence, alpha: number): number {
  const threshold = logThreshold(alpha);
  let bound = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < parameters.length && (highest[index] ?? 0) >= threshold; index++) {
    bound = parameters[index] ?? bound;
  }
  return bound;
}

/** Evidence of at least this logarithm has chance at most `alpha` under the null. Throws a `RangeError` outside (0, 1). */
export function logThreshold(alpha: number): number {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`a chance of error must be in (0, 1), not ${alpha}`);
  return -Math.log(alpha);
}
