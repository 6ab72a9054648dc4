import type { AreaUnderCurve, PairedCounts } from '../statistics/index.ts';
import type { LabelSample, MultiLabelSample, RankingSample, Sample, ValueSample } from './sample.ts';

/** scikit-learn's `average`: how several classes' precision, recall or F1 become one number. */
export type Average = 'binary' | 'macro' | 'micro' | 'weighted' | 'samples';

/** scikit-learn's `weights` of `cohen_kappa_score`. */
export type KappaWeights = 'linear' | 'quadratic';

/** What the policy may say of how a metric is meant. A metric leaves aside what does not concern it. */
export interface MetricOptions {
  readonly average?: Average;
  /** One class against the rest, by its index, whatever the average: precision, recall, F1 and Jaccard of that class. */
  readonly ofClass?: number;
  /** Area under the ROC curve of more than two classes: each against the rest (the default), or every two. */
  readonly multiClass?: 'ovr' | 'ovo';
  readonly weights?: KappaWeights;
  /** How many of the best count. */
  readonly k?: number;
}

/** How often each row counts; scikit-learn's `sample_weight`, except that a row of weight 0 is not there at all. */
export type RowWeights = ArrayLike<number>;

/** The metric of rows already looked at, under weights; each row once when none are given. NaN where it is not defined. */
export type Measure = (weights?: RowWeights) => number;

export interface Condensed<Rows extends Sample> {
  readonly samples: readonly Rows[];
  /** How many rows each of theirs stands for. */
  readonly weights: Float64Array;
}

export interface Metric<Rows extends Sample = Sample> {
  readonly name: string;
  readonly task: Rows['task'];
  readonly better: 'higher' | 'lower';
  /** What a row must carry. `labels`: only the predicted class matters, so rows alike in it are interchangeable. */
  readonly needs: 'labels' | 'probabilities' | 'values';
  readonly range: readonly [number, number];
  /** `share`: a part of 1. `target`: in the target's own unit. */
  readonly unit: 'share' | 'target' | 'none';
  /**
   * How its uncertainty is measured: `wilson` where `proportion` gives counts (else by bootstrap), `delong` by `curve`, `basic-bootstrap`
   * where noise biases it, `exact` where resampling cannot tell (a maximum).
   */
  readonly interval: 'wilson' | 'delong' | 'bootstrap' | 'basic-bootstrap' | 'exact';
  /** Looks at the rows once, so that measuring under many weightings is cheap. */
  on(sample: Rows, options?: MetricOptions): Measure;
  /** Where the metric is a plain share of rows under these options: how many of how many. */
  proportion?(
    sample: Rows,
    options?: MetricOptions,
  ): { readonly successes: number; readonly trials: number } | undefined;
  /** Where two models' values are shares of the same rows under these options: the rows that only one of them has right. */
  paired?(candidate: Rows, baseline: Rows, options?: MetricOptions): PairedCounts | undefined;
  /**
   * For each row how much the metric moves when the row counts for more: under weights `w` it is about its value plus the mean of `w`
   * times this. Sums to 0. Where the metric is smooth enough.
   */
  influence?(sample: Rows, options?: MetricOptions): Float64Array;
  /** Very many rows as few that stand for them, alike for all samples (of the same rows), where resamples can hardly tell. */
  condensed?(samples: readonly Rows[]): Condensed<Rows>;
  /** Where DeLong applies; undefined under options where it does not. */
  curve?(sample: Rows, options?: MetricOptions): AreaUnderCurve | undefined;
}

export type LabelMetric = Metric<LabelSample>;
export type ValueMetric = Metric<ValueSample>;
export type MultiLabelMetric = Metric<MultiLabelSample>;
export type RankingMetric = Metric<RankingSample>;
