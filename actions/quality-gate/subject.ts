import type { Table } from '../../core/data/index.ts';
import type { LabelSample, MultiLabelSample, RankingSample, ValueSample } from '../../core/metrics/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import type { Pair } from './measured-metric.ts';

/** What the gates of metrics, slices and fairness judge: rows with their truth and what the models say of them. */
export interface Subject {
  readonly policy: EffectivePolicy;
  readonly table: Table;
  readonly pair: Pair<LabelSample> | Pair<ValueSample> | Pair<MultiLabelSample> | Pair<RankingSample>;
  /** Why the pair has no baseline. */
  readonly noBaseline: NoBaseline;
  /** Why nothing can be measured of the candidate: it predicts NaN. */
  readonly broken?: string;
  /** Why the scores are no probabilities. */
  readonly notProbabilities?: string;
  readonly level: number | 'off';
  readonly seed: string;
}

/**
 * - `absent`: there is none to compare with (a first pull request); comparisons are skipped.
 * - `unusable`: there is one, and it cannot be judged; comparisons are errors.
 */
export interface NoBaseline {
  readonly kind: 'absent' | 'unusable';
  readonly why: string;
}
