import { type RateName, rateOf } from './group-rates.ts';
import type { MetricOptions, RowWeights } from './metric.ts';
import { pick, type Sample } from './sample.ts';

/**
 * A comparison of groups. `difference`: largest less smallest rate, 0 is fair. `ratio`: smallest over largest, 1 is fair, 0.8 is the
 * four-fifths rule. With several rates (equalized odds) the worse one counts. Fairlearn's `method="between_groups"`,
 * `agg="worst_case"`, except that a group where a rate has no rows is left out of that rate, where Fairlearn takes 0 for it.
 */
export interface Disparity {
  readonly name: string;
  readonly task: Sample['task'];
  readonly compare: 'difference' | 'ratio';
  readonly rates: readonly [RateName, ...RateName[]];
  /** Whether it looks at one class as the positive one. */
  readonly needsPositive: boolean;
  readonly unit: 'share' | 'ratio' | 'target';
}

function ofLabels(
  compare: Disparity['compare'],
  rates: Disparity['rates'],
  needsPositive: boolean,
): Omit<Disparity, 'name'> {
  return { task: 'classification', compare, rates, needsPositive, unit: compare === 'ratio' ? 'ratio' : 'share' };
}

function ofValues(compare: Disparity['compare'], rate: RateName): Omit<Disparity, 'name'> {
  return {
    task: 'regression',
    compare,
    rates: [rate],
    needsPositive: false,
    unit: compare === 'ratio' ? 'ratio' : 'target',
  };
}

const odds = ['true_positive_rate', 'false_positive_rate'] as const;

const definitions = {
  demographic_parity_difference: ofLabels('difference', ['selection_rate'], true),
  demographic_parity_ratio: ofLabels('ratio', ['selection_rate'], true),
  equalized_odds_difference: ofLabels('difference', odds, true),
  equalized_odds_ratio: ofLabels('ratio', odds, true),
  equal_opportunity_difference: ofLabels('difference', ['true_positive_rate'], true),
  equal_opportunity_ratio: ofLabels('ratio', ['true_positive_rate'], true),
  accuracy_difference: ofLabels('difference', ['accuracy'], false),
  accuracy_ratio: ofLabels('ratio', ['accuracy'], false),
  precision_difference: ofLabels('difference', ['precision'], false),
  recall_difference: ofLabels('difference', ['recall'], false),
  f1_difference: ofLabels('difference', ['f1'], false),
  selection_rate_difference: ofLabels('difference', ['selection_rate'], true),
  mae_difference: ofValues('difference', 'mae'),
  mae_ratio: ofValues('ratio', 'mae'),
  rmse_difference: ofValues('difference', 'rmse'),
  rmse_ratio: ofValues('ratio', 'rmse'),
  mean_prediction_difference: ofValues('difference', 'mean_prediction'),
  mean_residual_difference: ofValues('difference', 'mean_residual'),
} as const;

export type DisparityName = keyof typeof definitions;

export const disparities = Object.fromEntries(
  Object.entries(definitions).map(([name, definition]) => [name, { name, ...definition }]),
) as Readonly<Record<DisparityName, Disparity>>;

/** Each group's rates: `values[rate][group]`, NaN where a group has no row for it. */
export type RatesByGroup = (weights?: RowWeights) => readonly Float64Array[];

/** Looks at the rows once. `groups[row]` is the row's group, from 0 to `count - 1`; −1 leaves the row out. */
export function ratesByGroup(
  sample: Sample,
  groups: Int32Array,
  count: number,
  rates: readonly RateName[],
  options?: MetricOptions,
): RatesByGroup {
  const members = Array.from({ length: count }, (): number[] => []);
  for (const [row, group] of groups.entries()) members[group]?.push(row);
  const parts = members.map((rows) => {
    const part = pick(sample, rows);
    return { rows, weights: new Float64Array(rows.length), measures: rates.map((rate) => rateOf(rate, part, options)) };
  });
  return (weights) => {
    const values = rates.map(() => new Float64Array(count));
    for (const [group, part] of parts.entries()) {
      if (weights !== undefined) for (const [at, row] of part.rows.entries()) part.weights[at] = weights[row] ?? 0;
      for (const [index, measure] of part.measures.entries()) {
        const ofRate = values[index];
        if (ofRate !== undefined) ofRate[group] = measure(weights === undefined ? undefined : part.weights);
      }
    }
    return values;
  };
}

/** What the groups' rates come to; NaN when fewer than two groups have a rate, or when all are 0 (a ratio). */
export function disparityOf(disparity: Pick<Disparity, 'compare'>, values: readonly Float64Array[]): number {
  let worst = Number.NaN;
  for (const rates of values) {
    const known = rates.filter((rate) => !Number.isNaN(rate));
    if (known.length < 2) continue;
    const smallest = Math.min(...known);
    const largest = Math.max(...known);
    if (disparity.compare === 'difference') {
      if (!(largest - smallest <= worst)) worst = largest - smallest;
    } else {
      const ratio = smallest / largest;
      if (!Number.isNaN(ratio) && !(ratio >= worst)) worst = ratio;
    }
  }
  return worst;
}
