/** Data of one plot; the HTML report draws it, other renderers may leave it out. Numbers only: a figure is deterministic. */
export type Figure =
  | RocFigure
  | PrecisionRecallFigure
  | CalibrationFigure
  | ConfusionFigure
  | IntervalsFigure
  | LatencyFigure
  | ResidualsFigure
  | HistogramFigure
  | RolloutFigure
  | TableFigure;

interface FigureHead {
  /** Unique in a report. */
  readonly id: string;
  readonly title: string;
}

/** One model's curve. Points run from left to right; at most a few hundred, thinned by whoever makes them. */
export interface Curve {
  readonly name: 'candidate' | 'baseline';
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** ROC: the AUC; PR: the average precision; calibration: the expected calibration error. */
  readonly summary: number;
}

/** x: false positive rate, y: true positive rate. */
export interface RocFigure extends FigureHead {
  readonly kind: 'roc';
  readonly curves: readonly Curve[];
}

/** x: recall, y: precision. */
export interface PrecisionRecallFigure extends FigureHead {
  readonly kind: 'precision_recall';
  readonly curves: readonly Curve[];
}

/** x: mean predicted probability of a bin, y: share of positives in it. */
export interface CalibrationFigure extends FigureHead {
  readonly kind: 'calibration';
  readonly curves: readonly Curve[];
}

/** `counts[actual][predicted]` of the candidate. */
export interface ConfusionFigure extends FigureHead {
  readonly kind: 'confusion';
  readonly labels: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** A metric over slices, groups or features, each with its interval. */
export interface IntervalsFigure extends FigureHead {
  readonly kind: 'intervals';
  readonly metric: string;
  readonly bound?: number;
  /** No check tells of these numbers: renderers write them out, folded. */
  readonly table?: true;
  readonly rows: readonly {
    readonly name: string;
    readonly n: number;
    readonly estimate: number;
    readonly lower: number;
    readonly upper: number;
  }[];
}

/** Milliseconds of single calls, thinned evenly over the sorted sample to at most 500 a model. */
export interface LatencyFigure extends FigureHead {
  readonly kind: 'latency';
  readonly series: readonly { readonly name: 'candidate' | 'baseline'; readonly ms: readonly number[] }[];
}

/** Regression: x: actual, y: predicted, a sample of at most 500 rows. */
export interface ResidualsFigure extends FigureHead {
  readonly kind: 'residuals';
  readonly series: readonly {
    readonly name: 'candidate' | 'baseline';
    readonly actual: readonly number[];
    readonly predicted: readonly number[];
  }[];
}

/** `counts[i]` rows between `edges[i]` and `edges[i + 1]`. */
export interface HistogramFigure extends FigureHead {
  readonly kind: 'histogram';
  /** Classes instead of numbers: what each bar is; its edges are then 0, 1, 2 and so on. */
  readonly labels?: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly edges: readonly number[];
    readonly counts: readonly number[];
  }[];
}

/** A rollout over time: what the canary had, and how near each metric came to a rollback. */
export interface RolloutFigure extends FigureHead {
  readonly kind: 'rollout';
  /** Of each look, since the beginning. */
  readonly seconds: readonly number[];
  /** Percent of the requests at each look. */
  readonly weight: readonly number[];
  /** Evidence for harm at each look, as a share of what it takes to roll back; 1 and above does. Never below 0. */
  readonly evidence: readonly { readonly name: string; readonly share: readonly number[] }[];
  /** What happened when, in words. */
  readonly events: readonly { readonly seconds: number; readonly text: string }[];
}

/** Words and numbers side by side, written by whoever made them; may hold names from files. */
export interface TableFigure extends FigureHead {
  readonly kind: 'table';
  readonly columns: readonly string[];
  /** One cell a column. */
  readonly rows: readonly (readonly string[])[];
}
