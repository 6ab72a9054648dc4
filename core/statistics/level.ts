/** Throws unless `level` is a one-sided confidence level: at least a coin toss, never certainty. */
export function assertLevel(level: number): void {
  if (!(level >= 0.5 && level < 1)) throw new RangeError(`a confidence level must be in [0.5, 1), not ${level}`);
}
