import { metrics } from '../../../core/metrics/index.ts';
import { type MetricBound, type MetricName, rangeOf } from '../../../core/policy/index.ts';
import { normalQuantile, wilsonInterval } from '../../../core/statistics/index.ts';
import { partOfRisk } from '../mcnemar-cross-check.ts';
import type { EvaluationFacts } from './evaluation-facts.ts';
import { type Assumptions, isShare, rowsBehind, standardError, standardErrorOfChange } from './standard-error.ts';

/** "Reliably": in so many of a hundred evaluations. */
export const reliability = 0.95;

/** What a bound can tell with the rows there are. Numbers are of the metric, or of its change where the bound is of one. */
export interface Resolution {
  /** Rows that the metric is measured by: all, or those of the positive class. */
  readonly rows: number;
  /** A true value (or loss) this bad or worse is reliably failed; undefined where nothing is bad enough. */
  readonly sees?: number;
  /** A true value (or gain; of a loss that is allowed: a loss) this good or better reliably passes; undefined where nothing does. */
  readonly passes?: number;
  /** Rows with which a model as good as the baseline reliably passes, where there are too few. */
  readonly rowsToPass?: number;
}

export interface ResolutionOptions {
  /** How sure a bound must be; 0.5 with `evidence: off`. */
  readonly level: number;
  /** How sure to fail, where many slices are judged together. */
  readonly levelToFail?: number;
  readonly assumptions: Assumptions;
}

/** Of a `min` or `max`. */
export function resolutionOfBound(
  name: MetricName,
  bound: MetricBound,
  limit: { readonly kind: 'min' | 'max'; readonly value: number },
  facts: EvaluationFacts,
  { level, levelToFail = level }: ResolutionOptions,
): Resolution {
  const rows = rowsBehind(name, bound, facts);
  const { lowest, highest } = rangeOf(name);
  const down = limit.kind === 'min' ? -1 : 1;
  const error = (value: number) => standardError(name, bound, facts, value);
  const reach = (at: number, direction: number) =>
    away(limit.value, direction, normalQuantile(at), error, { lowest, highest }, isShare(name));
  const worst = limit.kind === 'min' ? lowest : highest;
  const best = limit.kind === 'min' ? highest : lowest;
  const fails = reach(levelToFail, down);
  const passes = reach(level, -down);
  const cannotFail = isBounded(worst) && !decidedAt(worst, limit, name, facts, rows, levelToFail);
  const cannotPass = isBounded(best) && !decidedAt(best, limit, name, facts, rows, level);
  return {
    rows,
    ...(fails === undefined || cannotFail ? {} : { sees: fails }),
    ...(cannotPass ? {} : { passes: passes ?? best }),
  };
}

/** Of a `max_regression` or `min_improvement` in the metric's own unit. `value`: about where the baseline is. */
export function resolutionOfChange(
  name: MetricName,
  bound: MetricBound,
  demanded: { readonly kind: 'max_regression' | 'min_improvement'; readonly change: number; readonly value: number },
  facts: EvaluationFacts,
  { level, assumptions }: ResolutionOptions,
): Resolution {
  const rows = rowsBehind(name, bound, facts);
  const { kind, change, value } = demanded;
  const z = normalQuantile(level);
  const sure = normalQuantile(reliability);
  // Counts of rows move in whole rows, and the correction for that is one.
  const compared = level <= 0.5;
  const step = isShare(name) && !compared ? 1 / Math.max(1, rows) : 0;
  const error = (of: number, n = 1) =>
    standardErrorOfChange(name, bound, facts, { value, change: of }, assumptions) / Math.sqrt(n);
  const { lowest, highest } = rangeOf(name);
  const range = highest - lowest;
  if (kind === 'min_improvement') {
    const gain = settle(change, (of) => change + step + (z + sure) * error(of));
    const loss = settle(change, (of) => Math.max(0, step + (z + sure) * error(of) - change));
    return { rows, ...(loss > range ? {} : { sees: loss }), ...(gain > range ? {} : { passes: gain }) };
  }
  const exact = compared ? 0 : normalQuantile(1 - (1 - level) * partOfRisk);
  const blocked = isShare(name) ? exact : z;
  const loss = settle(change, (of) => step + Math.max(change + (z + sure) * error(of), (blocked + sure) * error(of)));
  // Negative: only a model that is better by so much reliably passes.
  const passes = change - step - (z + sure) * error(0);
  const neverEqual = isShare(name) && !compared && 1 - (1 - level) ** (1 / Math.max(1, rows)) > change;
  const needed = passes >= 0 ? undefined : rowsForEqual(change, facts.rows, (n) => step / n + (z + sure) * error(0, n));
  return {
    rows,
    ...(loss > range ? {} : { sees: loss }),
    ...(neverEqual && change === 0 ? {} : { passes }),
    ...(needed === undefined ? {} : { rowsToPass: needed }),
  };
}

/** How many times the rows an equally good model needs to pass, as rows; undefined where no number would do (a loss of 0 allowed). */
function rowsForEqual(change: number, rows: number, half: (times: number) => number): number | undefined {
  if (change <= 0) return undefined;
  let [few, many] = [1, 1];
  while (half(many) > change && many < 1e9) many *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (few + many) / 2;
    if (half(middle) > change) few = middle;
    else many = middle;
  }
  const needed = rows * many;
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(needed)) - 1);
  return Math.ceil(needed / digits) * digits;
}

/** The value beyond the limit at which it is reliably decided: both the bound's noise and the measurement's lie between. */
function away(
  limit: number,
  direction: number,
  z: number,
  error: (value: number) => number,
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
  byScore: boolean,
): number | undefined {
  const sure = normalQuantile(reliability);
  // Wilson's bounds meet the limit where the limit's own noise would just allow the measurement; others go by the measurement's.
  const value = settle(limit, (at) => limit + direction * (z * error(byScore ? limit : at) + sure * error(at)));
  return value < lowest || value > highest ? undefined : value;
}

/** The fixed point of `next`, from `start`. */
function settle(start: number, next: (at: number) => number): number {
  let at = start;
  for (let round = 0; round < 200; round++) at = (at + next(at)) / 2;
  return at;
}

function isBounded(value: number): boolean {
  return Number.isFinite(value);
}

/** Whether even a measurement at the end of the range settles the bound. */
function decidedAt(
  end: number,
  limit: { readonly kind: 'min' | 'max'; readonly value: number },
  name: MetricName,
  facts: EvaluationFacts,
  rows: number,
  level: number,
): boolean {
  const { lowest, highest } = rangeOf(name);
  if (!Number.isFinite(highest - lowest) && end !== 0) return true;
  const higherIsBetter = metrics[name].better === 'higher';
  if (!higherIsBetter && end === 0) return limit.kind === 'max' ? limit.value >= 0 : true;
  // With `roc_auc` it is the rarer class that Wilson counts.
  const [positives = rows] = facts.classes;
  const n = Math.max(1, name === 'roc_auc' ? Math.min(positives, facts.rows - positives) : rows);
  const share = (end - lowest) / (highest - lowest);
  const { lower, upper } =
    level <= 0.5 ? { lower: share, upper: share } : wilsonInterval(Math.round(share * n), n, level);
  const [low, high] = [lowest + lower * (highest - lowest), lowest + upper * (highest - lowest)];
  const good = limit.kind === 'min' ? low >= limit.value : high <= limit.value;
  const bad = limit.kind === 'min' ? high < limit.value : low > limit.value;
  return good || bad;
}
