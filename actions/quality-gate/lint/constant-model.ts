import type { MetricBound, MetricName } from '../../../core/policy/index.ts';
import type { EvaluationFacts } from './evaluation-facts.ts';

/** What a model that has learned nothing but the target's distribution scores, and what it does; undefined where that is not known. */
export interface ConstantModel {
  readonly value: number;
  readonly does: string;
}

/** The best that always giving the same answer can do by this metric. */
export function constantModel(
  name: MetricName,
  bound: Pick<MetricBound, 'average'>,
  { rows, classes, spread }: EvaluationFacts,
): ConstantModel | undefined {
  if (rows === 0) return undefined;
  const parts = classes.map((count) => count / rows);
  const [positive = 0] = parts;
  const binary = classes.length === 2 && (bound.average ?? 'binary') === 'binary';
  const sameLabel = 'always says the same label';
  const sameChance = 'always gives the shares of the classes as probabilities';
  if (spread !== undefined) {
    const of: Partial<Record<MetricName, ConstantModel>> = {
      mae: { value: spread.meanDistance, does: "always says the target's median" },
      median_absolute_error: { value: spread.medianDistance, does: "always says the target's median" },
      mse: { value: spread.deviation ** 2, does: "always says the target's mean" },
      rmse: { value: spread.deviation, does: "always says the target's mean" },
      r2: { value: 0, does: "always says the target's mean" },
    };
    return of[name];
  }
  if (classes.length < 2) return undefined;
  const squares = parts.reduce((sum, part) => sum + part * part, 0);
  const of: Partial<Record<MetricName, ConstantModel>> = {
    accuracy: { value: Math.max(...parts), does: sameLabel },
    balanced_accuracy: { value: 1 / classes.length, does: sameLabel },
    matthews_corrcoef: { value: 0, does: sameLabel },
    roc_auc: { value: 0.5, does: 'gives every row the same score' },
    ...(binary
      ? {
          precision: { value: positive, does: 'always says the positive label' },
          f1: { value: (2 * positive) / (1 + positive), does: 'always says the positive label' },
          average_precision: { value: positive, does: 'gives every row the same score' },
        }
      : {}),
    log_loss: { value: parts.reduce((sum, part) => sum - (part > 0 ? part * Math.log(part) : 0), 0), does: sameChance },
    brier: { value: classes.length === 2 ? positive * (1 - positive) : 1 - squares, does: sameChance },
  };
  return of[name];
}
