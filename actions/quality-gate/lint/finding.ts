import type { Place } from '../../../core/problem/index.ts';

/** Something in a policy that will not do what its author wants. */
export interface Finding {
  /** Stable: `never-passes`, `hollow-bound`. */
  readonly code: string;
  /** `warning`: a bound or setting without effect, or with one nobody wants. `note`: worth knowing. */
  readonly level: 'warning' | 'note';
  /** Holds names from the policy and the data: renderers escape it. */
  readonly message: string;
  readonly fix: string;
  readonly place: Place;
}

/** What one bound of a metric can tell, in numbers and in words. */
export interface BoundResolution {
  /** The check's id in reports. */
  readonly id: string;
  readonly title: string;
  readonly words: string;
  /** Rows that the metric is measured by. */
  readonly rows: number;
  /** A true value, or a loss against the baseline, this bad is reliably failed. */
  readonly sees?: number;
  /** A true value, or a loss against the baseline (a gain where negative), this good reliably passes. */
  readonly passes?: number;
  /** Evaluation rows with which a model as good as the baseline reliably passes, where there are too few. */
  readonly rowsToPass?: number;
}
