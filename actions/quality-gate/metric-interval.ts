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

/** Measures a metric; throws a `TypeError` when the metric is not of the sample's task. */
export function metricIntervals(
  metric: Metric<LabelSample> | Metric<ValueSample>,
  pair: Pair,
  options: MetricOptions,
  certainty: Certainty,
): MetricIntervals {
  if (metric.task === 'classification' && pair.candidate.task === 'classification') {
    return measure(metric as Metric<LabelSample>, pair as Pair<LabelSample>, options, certainty);
  }
  if (metric.task === 'regression' && pair.candidate.task === 'regression') {
    return measure(metric as Metric<ValueSample>, pair as Pair<ValueSample>, options, certainty);
  }
  throw new TypeError(`${metric.name} is no metric of a ${pair.candidate.task} model`);
}

function measure<Rows extends Sample>(
  metric: Metric<Rows>,
  pair: Pair<Rows>,
  options: MetricOptions,
  certainty: Certainty,
): MetricIntervals {
  const rows = pair.candidate.actual.length;
  const value = metric.on(pair.candidate, options)();
  const ofBaseline = pair.baseline === undefined ? undefined : metric.on(pair.baseline, options)();
  const { level } = certainty;
  if (level === 'off' || metric.interval === 'exact') {
    const method = level === 'off' ? 'point' : 'exact';
    return joined(
      exactInterval(value, rows, method),
      ofBaseline,
      ofBaseline === undefined ? undefined : exactInterval(value - ofBaseline, rows, method),
      ofBaseline === undefined ? undefined : exactInterval((value - ofBaseline) / Math.abs(ofBaseline), rows, method),
    );
  }
  if (metric.curve !== undefined) {
    const curve = metric.curve(pair.candidate);
    const base = pair.baseline === undefined ? undefined : metric.curve(pair.baseline);
    return joined(
      delongInterval(curve, level),
      ofBaseline,
      base === undefined ? undefined : delongDifference(curve, base, level),
      base === undefined ? undefined : delongDifference(curve, base, level, { relative: true }),
    );
  }
  return bootstrapped(metric, pair, options, { ...certainty, level }, value, ofBaseline);
}

function bootstrapped<Rows extends Sample>(
  metric: Metric<Rows>,
  pair: Pair<Rows>,
  options: MetricOptions,
  { level, seed }: { readonly level: number; readonly seed: string },
  value: number,
  ofBaseline: number | undefined,
): MetricIntervals {
  const proportion = metric.proportion?.(pair.candidate, options);
  const wilson = proportion === undefined ? undefined : wilsonInterval(proportion.successes, proportion.trials, level);
  if (wilson !== undefined && ofBaseline === undefined) return { candidate: wilson };

  const units = unitsOf(metric, pair);
  const candidate = metric.on(units.pair.candidate, options);
  const baseline = units.pair.baseline === undefined ? undefined : metric.on(units.pair.baseline, options);
  const [values = new Float64Array(), ofBase] = resample(
    { weights: units.weights, seed: `${seed}/${metric.name}` },
    baseline === undefined ? [candidate] : [candidate, baseline],
  );
  const method = metric.interval === 'basic-bootstrap' ? 'basic' : 'percentile';
  const interval = (estimate: number, of: Float64Array) =>
    intervalOfResamples(estimate, of, { level, method, n: pair.candidate.actual.length });
  const own = wilson ?? neverCertain(interval(value, values), metric.needs === 'labels' ? metric.range : undefined);
  if (ofBaseline === undefined || ofBase === undefined) return { candidate: own };
  const paired = (of: Interval): Interval => ({ ...of, method: `paired ${of.method}` });
  return joined(
    own,
    ofBaseline,
    paired(
      interval(
        value - ofBaseline,
        values.map((each, index) => each - (ofBase[index] ?? Number.NaN)),
      ),
    ),
    paired(
      interval(
        (value - ofBaseline) / Math.abs(ofBaseline),
        values.map((each, index) => {
          const base = ofBase[index] ?? Number.NaN;
          return (each - base) / Math.abs(base);
        }),
      ),
    ),
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
