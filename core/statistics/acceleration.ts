/**
 * How fast the standard error of an estimate changes with the estimate: a sixth of the skewness of the rows' influences, over the root
 * of their number. `weights`: how many rows each influence stands for. 0 where nothing varies.
 * Source: B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987), formula 6.6.
 */
export function acceleration(influences: ArrayLike<number>, weights?: ArrayLike<number>): number {
  let rows = 0;
  let mean = 0;
  for (let unit = 0; unit < influences.length; unit++) {
    const weight = weights === undefined ? 1 : (weights[unit] ?? 0);
    rows += weight;
    mean += weight * (influences[unit] ?? 0);
  }
  mean /= rows;
  let squares = 0;
  let cubes = 0;
  for (let unit = 0; unit < influences.length; unit++) {
    const away = (influences[unit] ?? 0) - mean;
    const weighed = (weights === undefined ? 1 : (weights[unit] ?? 0)) * away * away;
    squares += weighed;
    cubes += weighed * away;
  }
  const found = cubes / (6 * squares ** 1.5);
  return Number.isFinite(found) ? found : 0;
}
