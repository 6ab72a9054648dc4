import {
  type LabelSample,
  type Metric,
  type MetricOptions,
  type MultiLabelSample,
  type RankingSample,
  rowsOf,
  type Sample,
  type ValueSample,
} from '../../core/metrics/index.ts';
import {
  delongDifference,
  delongInterval,
  exactInterval,
  pairedShareInterval,
  wilsonInterval,
} from '../../core/statistics/index.ts';
import {
  gives,
  joined,
  type MeasuredMetric,
  type MetricIntervals,
  type Pair,
  type ToMeasure,
} from './measured-metric.ts';
import { resampledIntervals } from './resampled-metrics.ts';

export interface Certainty {
  readonly level: number | 'off';
  /** The data's digest: the same data gives the same resamples. */
  readonly seed: string;
}

/** A metric, and how the policy wants it. */
export interface MetricToMeasure {
  readonly metric: Metric<LabelSample> | Metric<ValueSample> | Metric<MultiLabelSample> | Metric<RankingSample>;
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
  if (task === 'multilabel') {
    return measureAll(metrics as readonly ToMeasure<MultiLabelSample>[], pair as Pair<MultiLabelSample>, certainty);
  }
  if (task === 'ranking') {
    return measureAll(metrics as readonly ToMeasure<RankingSample>[], pair as Pair<RankingSample>, certainty);
  }
  return task === 'classification'
    ? measureAll(metrics as readonly ToMeasure<LabelSample>[], pair as Pair<LabelSample>, certainty)
    : measureAll(metrics as readonly ToMeasure<ValueSample>[], pair as Pair<ValueSample>, certainty);
}

function measureAll<Rows extends Sample>(
  metrics: readonly ToMeasure<Rows>[],
  pair: Pair<Rows>,
  certainty: Certainty,
): ReadonlyMap<string, MetricIntervals> {
  const { level, seed } = certainty;
  const measured = new Map<string, MetricIntervals>();
  const left: MeasuredMetric<Rows>[] = [];
  for (const { metric, options } of metrics) {
    const value = metric.on(pair.candidate, options)();
    const baseline = gives(pair.baseline, metric) ? pair.baseline : undefined;
    const ofBaseline =
      baseline === undefined ? undefined : pair.sameModel === true ? value : metric.on(baseline, options)();
    const counts = level === 'off' ? undefined : metric.proportion?.(pair.candidate, options);
    const wilson =
      counts === undefined || level === 'off' ? undefined : wilsonInterval(counts.successes, counts.trials, level);
    const of = { metric, options, value, ofBaseline, wilson };
    const known =
      level === 'off' || metric.interval === 'exact'
        ? points(value, ofBaseline, rowsOf(pair.candidate), level === 'off' ? 'point' : 'exact')
        : pair.sameModel === true
          ? undefined
          : inClosedForm(of, pair.candidate, baseline, level);
    if (known === undefined) left.push(of);
    else measured.set(metric.name, known);
  }
  if (level === 'off') return measured;
  if (pair.sameModel === true) return ofOneModel(left, pair.candidate, certainty, measured);
  for (const [name, intervals] of resampledIntervals(left, pair, level, seed)) measured.set(name, intervals);
  return measured;
}

/** A model held against itself: its own uncertainty, and a change of nothing that no row could disprove. */
function ofOneModel<Rows extends Sample>(
  metrics: readonly MeasuredMetric<Rows>[],
  candidate: Rows,
  certainty: Certainty,
  measured: Map<string, MetricIntervals>,
): ReadonlyMap<string, MetricIntervals> {
  const alone = measureAll(metrics, { candidate }, certainty);
  const nothing = exactInterval(0, rowsOf(candidate), 'same outputs');
  for (const { metric, ofBaseline } of metrics) {
    const own = alone.get(metric.name);
    if (own === undefined) continue;
    const change = ofBaseline === undefined || Number.isNaN(ofBaseline) ? undefined : nothing;
    measured.set(metric.name, joined(own.candidate, ofBaseline, change, change));
  }
  return measured;
}

function points(value: number, ofBaseline: number | undefined, rows: number, method: string): MetricIntervals {
  const candidate = exactInterval(value, rows, method);
  if (ofBaseline === undefined) return { candidate };
  const difference = value - ofBaseline;
  const relative = exactInterval(difference / Math.abs(ofBaseline), rows, method);
  return joined(candidate, ofBaseline, exactInterval(difference, rows, method), relative);
}

/** DeLong's interval, Wilson's, and of a change of shares the paired score; undefined where the metric has none of them. */
function inClosedForm<Rows extends Sample>(
  { metric, options, ofBaseline, wilson }: MeasuredMetric<Rows>,
  candidate: Rows,
  baseline: Rows | undefined,
  level: number,
): MetricIntervals | undefined {
  const curve = metric.curve?.(candidate, options);
  if (curve !== undefined) {
    const base = baseline === undefined ? undefined : metric.curve?.(baseline, options);
    const difference = base === undefined ? undefined : delongDifference(curve, base, level);
    const relative = base === undefined ? undefined : delongDifference(curve, base, level, { relative: true });
    return joined(delongInterval(curve, level), ofBaseline, difference, relative);
  }
  if (wilson === undefined) return undefined;
  if (baseline === undefined) return { candidate: wilson };
  const pairs = metric.paired?.(candidate, baseline, options);
  if (pairs === undefined || ofBaseline === undefined) return undefined;
  const difference = pairedShareInterval(pairs, level);
  // How much the baseline's own value may be off moves a share of it by less than the difference's bounds are wide.
  const { estimate, lower, upper } = difference;
  const relative = {
    ...difference,
    estimate: estimate / ofBaseline,
    lower: lower / ofBaseline,
    upper: upper / ofBaseline,
  };
  return { ...joined(wilson, ofBaseline, difference, relative), pairs };
}
