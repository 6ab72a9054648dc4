import type { LabelSample, Metric, MetricOptions, Sample, ValueSample } from '../../core/metrics/index.ts';
import {
  delongDifference,
  delongInterval,
  exactInterval,
  type Interval,
  intervalOfResamples,
  resample,
  type Weights,
  wilsonInterval,
} from '../../core/statistics/index.ts';

/** The rows that both models were run on. */
export interface Pair<Rows extends Sample = Sample> {
  readonly candidate: Rows;
  readonly baseline?: Rows;
}

export interface Certainty {
  readonly level: number | 'off';
  /** The data's digest: the same data gives the same resamples. */
  readonly seed: string;
}

/** A metric with its uncertainty, of the candidate and of its change against the baseline on the same rows. */
export interface MetricIntervals {
  readonly candidate: Interval;
  readonly baseline?: number;
  /** `candidate − baseline`. */
  readonly difference?: Interval;
  /** The same as a share of the baseline's value; absent when that is 0. */
  readonly relative?: Interval;
}

/** A metric, and how the policy wants it. */
export interface MetricToMeasure {
  readonly metric: Metric<LabelSample> | Metric<ValueSample>;
  readonly options: MetricOptions;
}

/**
 * Measures metrics, by name. What is resampled is resampled once for all of them. A baseline without the probabilities that a metric
 * needs is left out of that metric. Throws a `TypeError` for a metric that is not of the samples' task.
 */
export function metricIntervals(
  metrics: readonly MetricToMeasure[],
  pair: Pair,
  certainty: Certainty,
): ReadonlyMap<string, MetricIntervals> {
  const { task } = pair.candidate;
  for (const { metric } of metrics) {
    if (metric.task !== task) throw new TypeError(`${metric.name} is no metric of a ${task} model`);
  }
  return task === 'classification'
    ? measureAll(metrics as readonly ToMeasure<LabelSample>[], pair as Pair<LabelSample>, certainty)
    : measureAll(metrics as readonly ToMeasure<ValueSample>[], pair as Pair<ValueSample>, certainty);
}

interface ToMeasure<Rows extends Sample> {
  readonly metric: Metric<Rows>;
  readonly options: MetricOptions;
}

/** A metric whose uncertainty is resampled, with its values on the rows as they are. */
interface ToResample<Rows extends Sample> extends ToMeasure<Rows> {
  readonly value: number;
  readonly ofBaseline: number | undefined;
  readonly wilson: Interval | undefined;
}

function measureAll<Rows extends Sample>(
  metrics: readonly ToMeasure<Rows>[],
  pair: Pair<Rows>,
  certainty: Certainty,
): ReadonlyMap<string, MetricIntervals> {
  const { level, seed } = certainty;
  const measured = new Map<string, MetricIntervals>();
  const left: ToResample<Rows>[] = [];
  for (const { metric, options } of metrics) {
    const value = metric.on(pair.candidate, options)();
    const baseline = gives(pair.baseline, metric) ? pair.baseline : undefined;
    const ofBaseline = baseline === undefined ? undefined : metric.on(baseline, options)();
    if (level === 'off' || metric.interval === 'exact') {
      measured.set(
        metric.name,
        points(value, ofBaseline, pair.candidate.actual.length, level === 'off' ? 'point' : 'exact'),
      );
    } else if (metric.curve !== undefined) {
      const curve = metric.curve(pair.candidate);
      const base = baseline === undefined ? undefined : metric.curve(baseline);
      const difference = base === undefined ? undefined : delongDifference(curve, base, level);
      const relative = base === undefined ? undefined : delongDifference(curve, base, level, { relative: true });
      measured.set(metric.name, joined(delongInterval(curve, level), ofBaseline, difference, relative));
    } else {
      const counts = metric.proportion?.(pair.candidate, options);
      const wilson = counts === undefined ? undefined : wilsonInterval(counts.successes, counts.trials, level);
      if (wilson !== undefined && ofBaseline === undefined) measured.set(metric.name, { candidate: wilson });
      else left.push({ metric, options, value, ofBaseline, wilson });
    }
  }
  if (level === 'off') return measured;
  for (const needsLabels of [true, false]) {
    const together = left.filter(({ metric }) => (metric.needs === 'labels') === needsLabels);
    for (const [name, intervals] of resampled(together, pair, level, seed)) measured.set(name, intervals);
  }
  return measured;
}

/** Whether a model gives what a metric needs. */
function gives<Rows extends Sample>(sample: Rows | undefined, { needs }: Metric<Rows>): sample is Rows {
  if (sample === undefined) return false;
  return needs !== 'probabilities' || (sample.task === 'classification' && sample.probabilities !== undefined);
}

function points(value: number, ofBaseline: number | undefined, rows: number, method: string): MetricIntervals {
  const candidate = exactInterval(value, rows, method);
  if (ofBaseline === undefined) return { candidate };
  const difference = value - ofBaseline;
  const relative = exactInterval(difference / Math.abs(ofBaseline), rows, method);
  return joined(candidate, ofBaseline, exactInterval(difference, rows, method), relative);
}

/** One set of resamples for metrics that look at the same units, of both models: changes are paired. */
function resampled<Rows extends Sample>(
  metrics: readonly ToResample<Rows>[],
  pair: Pair<Rows>,
  level: number,
  seed: string,
): ReadonlyMap<string, MetricIntervals> {
  const [first] = metrics;
  if (first === undefined) return new Map();
  const units = unitsOf(first.metric, pair);
  const statistics = metrics.flatMap(({ metric, options, ofBaseline }) => [
    metric.on(units.pair.candidate, options),
    ofBaseline === undefined || units.pair.baseline === undefined
      ? () => Number.NaN
      : metric.on(units.pair.baseline, options),
  ]);
  const draws = resample({ weights: units.weights, seed }, statistics);
  const n = pair.candidate.actual.length;
  return new Map(
    metrics.map((of, index) => {
      const none = new Float64Array();
      return [of.metric.name, intervalsOf(of, draws[2 * index] ?? none, draws[2 * index + 1] ?? none, level, n)];
    }),
  );
}

function intervalsOf<Rows extends Sample>(
  { metric, value, ofBaseline, wilson }: ToResample<Rows>,
  values: Float64Array,
  ofBase: Float64Array,
  level: number,
  n: number,
): MetricIntervals {
  const method = metric.interval === 'basic-bootstrap' ? 'basic' : 'percentile';
  const interval = (estimate: number, of: Float64Array) => intervalOfResamples(estimate, of, { level, method, n });
  const own = wilson ?? neverCertain(interval(value, values), metric.needs === 'labels' ? metric.range : undefined);
  if (ofBaseline === undefined) return { candidate: own };
  const paired = (of: Interval): Interval => ({ ...of, method: `paired ${of.method}` });
  const change = value - ofBaseline;
  const changes = values.map((each, index) => each - (ofBase[index] ?? Number.NaN));
  const shares = changes.map((each, index) => each / Math.abs(ofBase[index] ?? Number.NaN));
  return joined(
    own,
    ofBaseline,
    paired(interval(change, changes)),
    paired(interval(change / Math.abs(ofBaseline), shares)),
  );
}

function joined(
  candidate: Interval,
  baseline: number | undefined,
  difference: Interval | undefined,
  relative: Interval | undefined,
): MetricIntervals {
  return {
    candidate,
    ...(baseline === undefined ? {} : { baseline }),
    ...(difference === undefined ? {} : { difference }),
    ...(relative === undefined || baseline === 0 ? {} : { relative }),
  };
}

/**
 * Resamples of rows that hold no error hold none either: a perfect macro recall would look certain. Where every resample is the same end
 * of the range, Wilson's bound of n of n (or 0 of n) says what that many rows can.
 */
function neverCertain(interval: Interval, range: readonly [number, number] | undefined): Interval {
  if (range === undefined || interval.lower !== interval.upper) return interval;
  const [least, most] = range;
  if (interval.estimate !== least && interval.estimate !== most) return interval;
  const best = interval.estimate === most;
  const { lower, upper } = wilsonInterval(best ? interval.n : 0, interval.n, interval.level);
  const scale = (share: number) => least + share * (most - least);
  return { ...interval, lower: scale(lower), upper: scale(upper), method: 'Wilson' };
}

/** Rows that are alike in all a metric of labels looks at, counted together: many times faster, and exactly the same. */
export function unitsOf<Rows extends Sample>(
  metric: Pick<Metric<Rows>, 'needs'>,
  pair: Pair<Rows>,
): { readonly pair: Pair<Rows>; readonly weights: Weights } {
  if (metric.needs !== 'labels' || !isOfLabels(pair)) {
    return { pair, weights: new Float64Array(pair.candidate.actual.length).fill(1) };
  }
  const cells = cellsOf(pair);
  return { pair: cells.pair as unknown as Pair<Rows>, weights: cells.weights };
}

function isOfLabels(pair: Pair): pair is Pair<LabelSample> {
  return pair.candidate.task === 'classification';
}

/** Distinct (group, actual, candidate's label, baseline's label), each with its count. Probabilities are left behind. */
export function cellsOf(
  pair: Pair<LabelSample>,
  groups?: Int32Array,
): { readonly pair: Pair<LabelSample>; readonly weights: Weights; readonly groups: Int32Array } {
  const { candidate, baseline } = pair;
  const size = candidate.classes.length;
  const cells = new Map<number, { count: number; row: number }>();
  for (let row = 0; row < candidate.actual.length; row++) {
    const says = (candidate.predicted[row] ?? 0) * size + (baseline?.predicted[row] ?? 0);
    const key = ((groups?.[row] ?? 0) * size + (candidate.actual[row] ?? 0)) * size * size + says;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { count: 1, row });
    else cell.count++;
  }
  const list = [...cells.values()];
  const at = (values: Int32Array) => Int32Array.from(list, ({ row }) => values[row] ?? 0);
  const { probabilities: _, ...of } = candidate;
  const reduced: LabelSample = { ...of, actual: at(candidate.actual), predicted: at(candidate.predicted) };
  return {
    pair: {
      candidate: reduced,
      ...(baseline === undefined ? {} : { baseline: { ...reduced, predicted: at(baseline.predicted) } }),
    },
    weights: Float64Array.from(list, ({ count }) => count),
    groups: Int32Array.from(list, ({ row }) => groups?.[row] ?? 0),
  };
}
