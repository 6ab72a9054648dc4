import { logSum } from './log-sum.ts';

/**
 * The chance of a false alarm over the whole rollout, split over metrics in proportion to their weights, so that the chance that **any**
 * of them raises one is at most `alpha` (Boole's inequality), however they depend on each other. A metric of weight 0 gets none of it
 * and may never alarm. Throws a `RangeError` for `alpha` outside (0, 1), weights below 0 or all 0.
 */
export function splitErrorBudget<Metric extends string>(
  alpha: number,
  weights: Readonly<Record<Metric, number>>,
): Readonly<Record<Metric, number>> {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`a chance of error must be in (0, 1), not ${alpha}`);
  const total = sumOf(Object.values(weights));
  const split: Record<Metric, number> = { ...weights };
  for (const metric in weights) split[metric] = (alpha * weights[metric]) / total;
  return split;
}

/**
 * The logarithm of the weighted mean of e-values: evidence against "no metric is harmed", when one verdict suffices. An e-value again,
 * however they depend on each other, and never less than the strongest one's with its weight; no other symmetric way of merging
 * does better (V. Vovk and R. Wang, "E-values: calibration, combination and applications", Annals of Statistics 49, 2021).
 */
export function averageEvidence(logEs: readonly number[], weights: readonly number[] = logEs.map(() => 1)): number {
  if (logEs.length === 0 || logEs.length !== weights.length) throw new RangeError('each e-value needs one weight');
  const total = sumOf(weights);
  return logSum(logEs.map((log, index) => log + Math.log((weights[index] ?? 0) / total)));
}

function sumOf(weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && Number.isFinite(total) && weights.every((weight) => weight >= 0))) {
    throw new RangeError('weights must not be below 0, and not all 0');
  }
  return total;
}
