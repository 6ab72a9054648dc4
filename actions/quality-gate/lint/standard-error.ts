import type { MetricBound, MetricName } from '../../../core/policy/index.ts';
import type { EvaluationFacts } from './evaluation-facts.ts';

/**
 * What is assumed of models that have not run yet. Eight of a hundred predictions change between two versions (`research/gates.md` 4d);
 * per-row losses of two versions correlate at 0.8.
 */
export interface Assumptions {
  /** The share of predictions that differ between candidate and baseline. */
  readonly churn: number;
  readonly correlation: number;
}

export const usualAssumptions: Assumptions = { churn: 0.08, correlation: 0.8 };

/** Rows that a share is one of: all, or those of the positive class. For precision as many are taken to be predicted as there are. */
export function rowsBehind(name: MetricName, bound: Pick<MetricBound, 'average'>, facts: EvaluationFacts): number {
  const [positives = facts.rows] = facts.classes;
  const binary = facts.classes.length === 2 && (bound.average ?? 'binary') === 'binary';
  if ((name === 'precision' || name === 'recall' || name === 'f1' || name === 'jaccard') && binary) return positives;
  if (name === 'average_precision') return positives;
  return facts.rows;
}

/** Metrics that count rows right and wrong: their noise follows from their value. */
const shares: ReadonlySet<string> = new Set(['accuracy', 'precision', 'recall', 'f1', 'balanced_accuracy']);

export function isShare(name: MetricName): boolean {
  return shares.has(name);
}

/**
 * The standard error of a metric whose true value is `value`, on these rows. Shares: binomial. The area under the curve: J. Hanley, B.
 * McNeil, Radiology 143 (1982). Regression: of normal errors. Losses: of exponential ones, whose spread is their mean.
 */
export function standardError(
  name: MetricName,
  bound: Pick<MetricBound, 'average'>,
  facts: EvaluationFacts,
  value: number,
): number {
  const n = Math.max(1, rowsBehind(name, bound, facts));
  const share = Math.min(1, Math.max(0, value));
  const binomial = (rows: number) => Math.sqrt((share * (1 - share)) / Math.max(1, rows));
  const averages = isShare(name) && (name === 'balanced_accuracy' || isMacro(bound, facts)) && name !== 'accuracy';
  if (averages) {
    const classes = facts.classes.length === 0 ? [n] : facts.classes;
    return Math.sqrt(classes.reduce((sum, rows) => sum + binomial(rows) ** 2, 0)) / classes.length;
  }
  switch (name) {
    case 'accuracy':
    case 'balanced_accuracy':
    case 'precision':
    case 'recall':
    case 'f1':
    case 'jaccard':
    case 'hamming_loss':
    case 'label_ranking_average_precision':
    case 'label_ranking_loss':
    case 'ndcg':
    case 'map':
    case 'recall_at_k':
    case 'mrr':
    case 'top_k_accuracy':
    case 'average_precision':
    case 'ece':
      return binomial(n);
    case 'roc_auc':
      return areaError(share, facts);
    case 'matthews_corrcoef':
    case 'cohen_kappa':
      return (1 - Math.min(1, value * value)) / Math.sqrt(n);
    case 'rmse':
      return value / Math.sqrt(2 * n);
    case 'mse':
      return value * Math.sqrt(2 / n);
    case 'mae':
      return (value * Math.sqrt(Math.PI / 2 - 1)) / Math.sqrt(n);
    case 'median_absolute_error':
      return (1.166 * value) / Math.sqrt(n);
    case 'r2':
      return (2 * Math.sqrt(share) * (1 - share)) / Math.sqrt(n);
    case 'max_error':
      return 0;
    default:
      // log_loss, brier, mape
      return value / Math.sqrt(n);
  }
}

/** The standard error of a change of `change` between two models on the same rows. */
export function standardErrorOfChange(
  name: MetricName,
  bound: Pick<MetricBound, 'average'>,
  facts: EvaluationFacts,
  { value, change }: { readonly value: number; readonly change: number },
  { churn, correlation }: Assumptions,
): number {
  if (!isShare(name)) return standardError(name, bound, facts, value) * Math.sqrt(2 * (1 - correlation));
  // As many rows differ at least as are lost in the net.
  const lost = Math.min(1, Math.abs(change));
  const differing = Math.max(churn, lost) - lost * lost;
  const averages = (name === 'balanced_accuracy' || isMacro(bound, facts)) && facts.classes.length > 0;
  if (!averages || name === 'accuracy') return Math.sqrt(differing / Math.max(1, rowsBehind(name, bound, facts)));
  const sum = facts.classes.reduce((total, rows) => total + differing / Math.max(1, rows), 0);
  return Math.sqrt(sum) / facts.classes.length;
}

function isMacro({ average }: Pick<MetricBound, 'average'>, { classes }: EvaluationFacts): boolean {
  return average === 'macro' || average === 'weighted' || (average === undefined && classes.length > 2);
}

function areaError(area: number, { classes, rows }: EvaluationFacts): number {
  const [positives = rows / 2] = classes;
  const [one, other] = [Math.max(1, positives), Math.max(1, rows - positives)];
  const q1 = area / (2 - area);
  const q2 = (2 * area * area) / (1 + area);
  const square = area * area;
  const variance = area * (1 - area) + (one - 1) * (q1 - square) + (other - 1) * (q2 - square);
  return Math.sqrt(Math.max(0, variance) / (one * other));
}
