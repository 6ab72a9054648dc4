import { type LabelSample, type Metric, rowsOf, type Sample } from '../../core/metrics/index.ts';
import {
  acceleration,
  type Interval,
  influenceInterval,
  intervalOfResamples,
  jackknifeInfluences,
  resample,
  type Statistic,
  type Weights,
  wilsonInterval,
} from '../../core/statistics/index.ts';
import { gives, joined, type MeasuredMetric, type MetricIntervals, type Pair } from './measured-metric.ts';
import { cellsOf } from './metric-cells.ts';

/** Rows up to which every resample of them is drawn: 2000 take about a second. */
const mostDrawn = 20_000;
/** Units up to which an acceleration is found by leaving out one after the other. */
const mostLeftOut = 2_000;

/**
 * The intervals that have no formula of their own: BCa over 2000 resamples, paired by row.
 *
 * - Metrics of labels: over the cells of the rows' labels, exactly the same resamples however many the rows.
 * - Up to 20,000 rows: over the rows.
 * - More rows: BCa in closed form by the rows' influences (`influenceInterval`), which is where ever more resamples end; where a metric
 *   is not smooth (a median, bins), over rows counted together that resamples can hardly tell apart (`Metric.condensed`). Where few rows
 *   decide a mean, fewer than 2000 resamples of all rows; the method says how many.
 */
export function resampledIntervals<Rows extends Sample>(
  metrics: readonly MeasuredMetric<Rows>[],
  pair: Pair<Rows>,
  level: number,
  seed: string,
): ReadonlyMap<string, MetricIntervals> {
  const found = new Map<string, MetricIntervals>();
  const ofRows: MeasuredMetric<Rows>[] = [];
  const ofLabels: MeasuredMetric<Rows>[] = [];
  for (const of of metrics) {
    if (of.metric.needs === 'labels') ofLabels.push(of);
    else if (rowsOf(pair.candidate) <= mostDrawn) ofRows.push(of);
    else {
      const intervals = byInfluence(of, pair, level);
      if (intervals !== undefined) found.set(of.metric.name, intervals);
      else if (of.metric.condensed === undefined) ofRows.push(of);
      else for (const [name, each] of drawn([of], condensedPair(of.metric, pair), level, seed)) found.set(name, each);
    }
  }
  // Nothing is counted or weighed of many rows for no metric.
  if (ofLabels.length > 0) {
    for (const [name, intervals] of drawn(ofLabels, cellsOfPair(pair), level, seed)) found.set(name, intervals);
  }
  if (ofRows.length > 0) {
    for (const [name, intervals] of drawn(ofRows, allRows(pair), level, seed)) found.set(name, intervals);
  }
  return found;
}

/** What is drawn: rows, or rows that stand for several. */
interface Units<Rows extends Sample> {
  readonly pair: Pair<Rows>;
  readonly weights: Weights;
  readonly rows: number;
}

function allRows<Rows extends Sample>(pair: Pair<Rows>): Units<Rows> {
  const rows = rowsOf(pair.candidate);
  return { pair, weights: new Float64Array(rows).fill(1), rows };
}

function cellsOfPair<Rows extends Sample>(pair: Pair<Rows>): Units<Rows> {
  if (!isOfLabels(pair)) return allRows(pair);
  const cells = cellsOf(pair);
  return { pair: cells.pair as unknown as Pair<Rows>, weights: cells.weights, rows: rowsOf(pair.candidate) };
}

function isOfLabels(pair: Pair): pair is Pair<LabelSample> {
  return pair.candidate.task === 'classification';
}

function condensedPair<Rows extends Sample>(metric: Metric<Rows>, pair: Pair<Rows>): Units<Rows> {
  const { candidate, baseline } = pair;
  const given = gives(baseline, metric) ? [candidate, baseline] : [candidate];
  const { samples, weights } = metric.condensed?.(given) ?? { samples: [], weights: new Float64Array() };
  const [first = candidate, second] = samples;
  return {
    pair: { candidate: first, ...(second === undefined ? {} : { baseline: second }) },
    weights,
    rows: rowsOf(candidate),
  };
}

/** One set of resamples for metrics that look at the same units, of both models: changes are paired. */
function drawn<Rows extends Sample>(
  metrics: readonly MeasuredMetric<Rows>[],
  units: Units<Rows>,
  level: number,
  seed: string,
): ReadonlyMap<string, MetricIntervals> {
  if (metrics.length === 0) return new Map();
  const measures = metrics.map(({ metric, options, ofBaseline }) => ({
    candidate: metric.on(units.pair.candidate, options),
    baseline:
      ofBaseline === undefined || units.pair.baseline === undefined
        ? () => Number.NaN
        : metric.on(units.pair.baseline, options),
  }));
  const statistics = measures.flatMap(({ candidate, baseline }) => [candidate, baseline]);
  const draws = resample({ weights: units.weights, seed }, statistics);
  return new Map(
    metrics.map((of, index) => {
      const none = new Float64Array();
      const of2000 = { values: draws[2 * index] ?? none, ofBase: draws[2 * index + 1] ?? none };
      const influences = influencesOn(of, units, measures[index] ?? { candidate: () => 0, baseline: () => 0 });
      return [of.metric.name, intervalsOf(of, of2000, influences, units, level)];
    }),
  );
}

/** How much each unit moves a metric of either model: what BCa's acceleration is made of. */
interface Influences {
  readonly candidate: Float64Array;
  readonly baseline: Float64Array;
}

/** By formula where the metric has one, by leaving units out where they are few; undefined for a median of many rows. */
function influencesOn<Rows extends Sample>(
  { metric, options, ofBaseline }: MeasuredMetric<Rows>,
  { pair, weights, rows }: Units<Rows>,
  { candidate, baseline }: { readonly candidate: Statistic; readonly baseline: Statistic },
): Influences | undefined {
  const none = new Float64Array(weights.length);
  const paired = ofBaseline !== undefined && pair.baseline !== undefined;
  if (metric.influence !== undefined && weights.length === rows) {
    return {
      candidate: metric.influence(pair.candidate, options),
      baseline: paired && pair.baseline !== undefined ? metric.influence(pair.baseline, options) : none,
    };
  }
  if (weights.length > mostLeftOut) return undefined;
  return {
    candidate: jackknifeInfluences(candidate, weights),
    baseline: paired ? jackknifeInfluences(baseline, weights) : none,
  };
}

/** Influences on `candidate − baseline`, or on that as a share of the baseline's value, written into `into`. */
function influencesOnChange(
  into: Float64Array,
  { candidate, baseline }: Influences,
  value: number,
  ofBaseline: number,
  relative: boolean,
): Float64Array {
  const size = Math.abs(ofBaseline);
  const [ofOne, ofOther] = relative ? [1 / size, value / (ofBaseline * size)] : [1, 1];
  for (let unit = 0; unit < into.length; unit++) {
    into[unit] = ofOne * (candidate[unit] ?? Number.NaN) - ofOther * (baseline[unit] ?? 0);
  }
  return into;
}

function intervalsOf<Rows extends Sample>(
  { metric, value, ofBaseline, wilson }: MeasuredMetric<Rows>,
  { values, ofBase }: { readonly values: Float64Array; readonly ofBase: Float64Array },
  influences: Influences | undefined,
  { weights, rows }: Units<Rows>,
  level: number,
): MetricIntervals {
  const method = metric.interval === 'basic-bootstrap' ? 'basic' : 'bca';
  const interval = (estimate: number, of: Float64Array, moved: Float64Array | undefined) =>
    intervalOfResamples(estimate, of, {
      level,
      method,
      n: rows,
      acceleration: moved === undefined ? 0 : acceleration(moved, weights),
    });
  const own = wilson ?? neverCertain(interval(value, values, influences?.candidate), rangeOfLabels(metric));
  if (ofBaseline === undefined) return { candidate: own };
  const scratch = new Float64Array(influences?.candidate.length ?? 0);
  const change = (relative: boolean): Interval => {
    const scale = (of: number) => (relative ? Math.abs(of) : 1);
    const changes = values.map((each, index) => {
      const base = ofBase[index] ?? Number.NaN;
      return (each - base) / scale(base);
    });
    const moved = influences && influencesOnChange(scratch, influences, value, ofBaseline, relative);
    const found = interval((value - ofBaseline) / scale(ofBaseline), changes, moved);
    const method = `paired ${found.method}`;
    return neverCertainOfNoChange({ ...found, method }, rangeOfLabels(metric), scale(ofBaseline));
  };
  return joined(own, ofBaseline, change(false), change(true));
}

function rangeOfLabels<Rows extends Sample>({ needs, range }: Metric<Rows>): readonly [number, number] | undefined {
  return needs === 'labels' ? range : undefined;
}

/** BCa in closed form; undefined where the metric is not smooth, or few rows decide it. */
function byInfluence<Rows extends Sample>(
  { metric, options, value, ofBaseline }: MeasuredMetric<Rows>,
  { candidate, baseline }: Pair<Rows>,
  level: number,
): MetricIntervals | undefined {
  if (metric.influence === undefined || metric.interval === 'basic-bootstrap') return undefined;
  const ofCandidate = metric.influence(candidate, options);
  const own = influenceInterval(value, ofCandidate, level);
  if (own === undefined || ofBaseline === undefined || baseline === undefined) return own && { candidate: own };
  const influences = { candidate: ofCandidate, baseline: metric.influence(baseline, options) };
  const scratch = new Float64Array(ofCandidate.length);
  const change = (relative: boolean): Interval | undefined => {
    const estimate = (value - ofBaseline) / (relative ? Math.abs(ofBaseline) : 1);
    const moved = influencesOnChange(scratch, influences, value, ofBaseline, relative);
    const found = influenceInterval(estimate, moved, level);
    return found && { ...found, method: `paired ${found.method}` };
  };
  const difference = change(false);
  const relative = ofBaseline === 0 ? undefined : change(true);
  if (difference === undefined || (ofBaseline !== 0 && relative === undefined)) return undefined;
  return joined(own, ofBaseline, difference, relative);
}

/**
 * Resamples of rows that hold no error hold none either: a perfect macro recall would look certain. Where every resample is the same end
 * of the range, Wilson's bound of n of n (or 0 of n) says what that many rows can.
 */
export function neverCertain(interval: Interval, range: readonly [number, number] | undefined): Interval {
  if (range === undefined || interval.lower !== interval.upper) return interval;
  const [least, most] = range;
  if (interval.estimate !== least && interval.estimate !== most) return interval;
  const best = interval.estimate === most;
  const { lower, upper } = wilsonInterval(best ? interval.n : 0, interval.n, interval.level);
  const scale = (share: number) => least + share * (most - least);
  return { ...interval, lower: scale(lower), upper: scale(upper), method: 'Wilson' };
}

/**
 * Two models that say the same label of every row may differ on the next. What share of rows they may differ on is the exact bound of 0
 * of n, and so much of the metric's range the change may be.
 */
export function neverCertainOfNoChange(
  interval: Interval,
  range: readonly [number, number] | undefined,
  scale: number,
): Interval {
  if (range === undefined || interval.lower !== interval.upper || interval.estimate !== 0) return interval;
  const most = ((range[1] - range[0]) * (1 - (1 - interval.level) ** (1 / interval.n))) / scale;
  return { ...interval, lower: -most, upper: most, method: 'exact, of no change in n rows' };
}
