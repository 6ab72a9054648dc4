import type { Host } from '../../../core/host/index.ts';
import type { LabelSample, Sample } from '../../../core/metrics/index.ts';
import type { EffectivePolicy } from '../../../core/policy/index.ts';
import { normalQuantile } from '../../../core/statistics/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { type CustomMetrics, openCustomMetrics } from '../custom-metric-gate.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import { sortedLabels } from '../label-names.ts';
import { changeOf } from '../metric-gate.ts';
import { numberText } from '../number-text.ts';
import type { BoundResolution, Finding } from './finding.ts';
import type { Linted } from './metric-lint.ts';
import { reliability } from './resolution.ts';
import type { Assumptions } from './standard-error.ts';

/** More classes than this are not each tried as the answer that is always given. */
const mostClasses = 20;
/** A model that has not run yet is taken to be right in so many rows, and to give the commonest answer in the others. */
const assumedRight = 0.9;

/** A model that needs no training. */
interface StandIn {
  readonly does: string;
  readonly sample: Sample;
}

type OpenMetric = CustomMetrics['metrics'][number];

/** What the policy's own metrics are worth of these rows: what a model that is always right has, and what those that have learned nothing have. */
export async function lintCustomMetrics(
  policy: EffectivePolicy,
  rows: EvaluationRows,
  options: {
    readonly task: 'classification' | 'regression';
    readonly evidence: number | 'off';
    readonly assumptions: Assumptions;
    readonly host: Host;
  },
): Promise<Linted> {
  await using custom = await openCustomMetrics(policy, rows, options.host);
  // Rankings and rows of several labels have no one answer a row for an expression to read.
  if (custom === undefined || rows.targets.length > 1 || rows.policy.query !== undefined) return nothing;
  const { right, constant } = options.task === 'regression' ? ofValues(rows) : ofClasses(rows);
  const bounds: BoundResolution[] = [];
  const findings: Finding[] = [];
  for (const metric of custom.metrics) {
    const found = await lintMetric(metric, { custom, policy, right, constant, rows: rows.table.rows, ...options });
    bounds.push(...found.bounds);
    findings.push(...found.findings);
  }
  return { bounds, findings };
}

const nothing: Linted = { bounds: [], findings: [] };

interface MetricOptions {
  readonly custom: CustomMetrics;
  readonly policy: EffectivePolicy;
  readonly right: StandIn;
  readonly constant: readonly StandIn[];
  readonly rows: number;
  readonly evidence: number | 'off';
  readonly assumptions: Assumptions;
}

async function lintMetric(metric: OpenMetric, options: MetricOptions): Promise<Linted> {
  const { custom, policy, rows, evidence, assumptions } = options;
  const { gated, policy: bound } = metric;
  const place = policy.placeOf(gated.path);
  const perfect = await custom.evaluate(metric, options.right.sample);
  if ('why' in perfect) {
    const message = `${gated.name} cannot be measured on these rows, even of a model that is always right: ${excerpt(perfect.why, 300)}`;
    const fix = 'Write the expression so that it gives a number for every row, such as with coalesce or CASE.';
    return { bounds: [], findings: [{ code: 'custom-metric-undefined', level: 'warning', message, fix, place }] };
  }
  const ofRight = perfect.sample.predicted;
  const tried: { readonly does: string; readonly values: Float64Array; readonly mean: number }[] = [];
  for (const { does, sample } of options.constant) {
    const found = await custom.evaluate(metric, sample);
    if ('why' in found) continue;
    tried.push({ does, values: found.sample.predicted, mean: meanOf(found.sample.predicted) });
  }
  const higher = gated.better === 'higher';
  const best = tried.toSorted((one, other) => (higher ? other.mean - one.mean : one.mean - other.mean))[0];
  const right = meanOf(ofRight);
  const z = normalQuantile(evidence === 'off' ? 0.5 : evidence) + normalQuantile(reliability);
  const bounds: BoundResolution[] = [];
  const findings: Finding[] = [];
  for (const kind of ['min', 'max'] as const) {
    const limit = bound[kind];
    if (limit === undefined) continue;
    const meets = (value: number) => (kind === 'min' ? value >= limit : value <= limit);
    const title = `${gated.name} ${kind === 'min' ? '≥' : '≤'} ${limit}`;
    if (best !== undefined && meets(best.mean)) {
      findings.push({
        code: 'hollow-bound',
        level: 'warning',
        message: `${title} is met by a model that has learned nothing: one that ${best.does} has ${numberText(best.mean, limit)} on these rows`,
        fix: `${kind === 'min' ? 'Raise' : 'Lower'} it past ${numberText(best.mean)}, or measure something that such a model has not.`,
        place: policy.placeOf([...gated.path, kind]),
      });
    } else if (!meets(right)) {
      findings.push({
        code: 'unreached-bound',
        level: 'warning',
        message: `${title} is not met by a model that is always right: it has ${numberText(right, limit)} on these rows`,
        fix: 'Check the sign of the expression and "better", or set a bound that can be met.',
        place: policy.placeOf([...gated.path, kind]),
      });
    }
    const reach = z * Math.sqrt(spreadOf(ofRight, best?.values ?? ofRight) / rows);
    const [bad, good] = kind === 'min' ? [limit - reach, limit + reach] : [limit + reach, limit - reach];
    bounds.push({
      id: `${gated.id}/${kind}`,
      title,
      words: `reliably fails ${kind === 'min' ? '≤' : '≥'} ${short(bad)}, reliably passes ${kind === 'min' ? '≥' : '≤'} ${short(good)}`,
      rows,
      sees: bad,
      passes: good,
    });
  }
  for (const kind of ['max_regression', 'min_improvement'] as const) {
    const written = bound[kind];
    if (written === undefined) continue;
    const { change: asked, relative } = changeOf(written);
    const change = relative
      ? asked * Math.abs(assumedRight * right + (1 - assumedRight) * (best?.mean ?? right))
      : asked;
    const reach = z * Math.sqrt((assumptions.churn * squaredDistance(ofRight, best?.values ?? ofRight)) / rows);
    const regression = kind === 'max_regression';
    const sees = regression ? change + reach : Math.max(0, reach - change);
    const passes = regression ? change - reach : change + reach;
    bounds.push({
      id: `${gated.id}/${kind}`,
      title: `${gated.name} ${regression ? `at most ${written} worse` : `at least ${written} better`}`,
      words: regression
        ? `reliably sees a loss ≥ ${short(sees)}, ${passes >= 0 ? 'passes a model that is just as good' : 'too few rows to pass one that is just as good'}`
        : `reliably passes a gain ≥ ${short(passes)}`,
      rows,
      sees,
      passes,
    });
  }
  return { bounds, findings };
}

function ofValues({ target }: EvaluationRows): { readonly right: StandIn; readonly constant: readonly StandIn[] } {
  const actual = Float64Array.from(target.values, Number);
  const of = (predicted: Float64Array): Sample => ({ task: 'regression', actual, predicted });
  const sorted = actual.toSorted();
  const always = (does: string, value: number): StandIn => ({
    does,
    sample: of(new Float64Array(actual.length).fill(value)),
  });
  return {
    right: { does: 'is always right', sample: of(actual) },
    constant: [
      always("always says the target's median", sorted[Math.floor(sorted.length / 2)] ?? 0),
      always("always says the target's mean", meanOf(actual)),
    ],
  };
}

function ofClasses({ target, policy }: EvaluationRows): {
  readonly right: StandIn;
  readonly constant: readonly StandIn[];
} {
  const labels = Array.from(target.values, String);
  const classes = sortedLabels(labels);
  const indices = new Map(classes.map((name, index) => [name, index]));
  const actual = Int32Array.from(labels, (label) => indices.get(label) ?? 0);
  const named = policy.positive === undefined ? -1 : classes.indexOf(String(policy.positive));
  const positive = named === -1 ? classes.length - 1 : named;
  const of = (predicted: Int32Array): LabelSample => {
    const probabilities = new Float64Array(actual.length * classes.length);
    for (const [row, index] of predicted.entries()) probabilities[row * classes.length + index] = 1;
    return { task: 'classification', classes, positive, actual, predicted, probabilities };
  };
  return {
    right: { does: 'is always right', sample: of(actual) },
    constant: classes.slice(0, mostClasses).map((name, index) => ({
      does: `always says "${excerpt(name, 40)}"`,
      sample: of(new Int32Array(actual.length).fill(index)),
    })),
  };
}

/** The variance of one row's value, of a model that is right in most rows and has learned nothing in the others. */
function spreadOf(right: Float64Array, other: Float64Array): number {
  let [sum, squares] = [0, 0];
  for (let row = 0; row < right.length; row++) {
    const [one, two] = [right[row] ?? 0, other[row] ?? 0];
    sum += assumedRight * one + (1 - assumedRight) * two;
    squares += assumedRight * one * one + (1 - assumedRight) * two * two;
  }
  const mean = sum / right.length;
  return Math.max(0, squares / right.length - mean * mean);
}

/** The mean square of what changes in a row where one model is right and the other has learned nothing. */
function squaredDistance(right: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < right.length; row++) sum += ((right[row] ?? 0) - (other[row] ?? 0)) ** 2;
  return sum / right.length;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function short(value: number): string {
  return numberText(Number(value.toPrecision(3)));
}
