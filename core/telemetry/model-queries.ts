import type { MetricDefinition } from './metric-definition.ts';
import { sluiceProfile } from './profiles/sluice.ts';
import { qualityMetrics } from './quality-metrics.ts';
import {
  aggregated,
  isNoQuery,
  type NoQuery,
  type Query,
  type QueryScope,
  type QueryUnit,
  scopeText,
} from './query.ts';
import { servingMetrics } from './serving-metrics.ts';

const { predictionValue, predictionClass, cache } = servingMetrics;

/** A gauge of Sluice's, by the labels of Sluice's metrics, whatever server the model runs in. */
export type ModelGauge =
  | 'accuracy'
  | 'ready'
  | 'loadSeconds'
  | 'featurePsi'
  | 'featureKl'
  | 'driftChecked'
  | 'episodeReward'
  | 'episodeLength';

const gauges: Readonly<Record<ModelGauge, MetricDefinition>> = {
  accuracy: servingMetrics.accuracy,
  ready: servingMetrics.ready,
  loadSeconds: servingMetrics.loadSeconds,
  featurePsi: qualityMetrics.featurePsi,
  featureKl: qualityMetrics.featureKl,
  driftChecked: qualityMetrics.driftChecked,
  episodeReward: qualityMetrics.episodeReward,
  episodeLength: qualityMetrics.episodeLength,
};

const units: { readonly [unit in MetricDefinition['unit']]?: QueryUnit } = {
  seconds: 'seconds',
  timestamp: 'seconds',
  ratio: 'ratio',
  nats: 'nats',
  steps: 'steps',
  requests: 'requests',
  rows: 'rows',
};

/**
 * The level of a gauge.
 * @param across how several processes are put together
 */
export function modelGauge(
  name: ModelGauge,
  across: 'sum' | 'max' | 'avg' | 'min',
  scope: QueryScope,
): Query | NoQuery {
  const definition = gauges[name];
  const text = scopeText(sluiceProfile, scope);
  if (isNoQuery(text)) return text;
  return {
    expr: aggregated(across, text.by, `${definition.name}${text.matchers()}`),
    unit: units[definition.unit] ?? 'number',
    labels: text.by,
    notes: [],
  };
}

/** Episodes that end per second. */
export function episodeRate(scope: QueryScope): Query | NoQuery {
  const text = scopeText(sluiceProfile, scope);
  if (isNoQuery(text)) return text;
  const rate = aggregated('sum', text.by, `rate(${qualityMetrics.episodes.name}${text.matchers()}[${text.range}])`);
  return { expr: rate, unit: 'number', labels: text.by, notes: [] };
}

/** The share of requests the prediction cache answered, 0 to 1. No answer when the cache is off. */
export function cacheHitRatio(scope: QueryScope): Query | NoQuery {
  const text = scopeText(sluiceProfile, scope);
  if (isNoQuery(text)) return text;
  const rate = (more: readonly string[]) =>
    aggregated('sum', text.by, `rate(${cache.name}${text.matchers({}, more)}[${text.range}])`);
  return { expr: `${rate(['result="hit"'])} / (${rate([])} > 0)`, unit: 'ratio', labels: text.by, notes: [] };
}

/** A quantile of the values a numeric output gives, by output. Interpolated inside a bucket. */
export function outputQuantile(quantile: number, scope: QueryScope): Query | NoQuery {
  const text = scopeText(sluiceProfile, { ...scope, by: [...(scope.by ?? []), { label: 'output' }] });
  if (isNoQuery(text)) return text;
  const rates = aggregated(
    'sum',
    [...text.by, 'le'],
    `rate(${predictionValue.name}_bucket${text.matchers()}[${text.range}])`,
  );
  return { expr: `histogram_quantile(${quantile}, ${rates})`, unit: 'number', labels: text.by, notes: [] };
}

/** The share of answers that gave each class, by output and class, 0 to 1. NaN and Infinity of numeric outputs are classes too. */
export function classShare(scope: QueryScope): Query | NoQuery {
  const by = [...(scope.by ?? []), { label: 'output' }];
  const group = scopeText(sluiceProfile, { ...scope, by });
  const text = scopeText(sluiceProfile, { ...scope, by: [...by, { label: 'class' }] });
  if (isNoQuery(group)) return group;
  if (isNoQuery(text)) return text;
  const rate = `rate(${predictionClass.name}${text.matchers()}[${text.range}])`;
  const expr = `${aggregated('sum', text.by, rate)} / ignoring(class) group_left() (${aggregated('sum', group.by, rate)} > 0)`;
  return { expr, unit: 'ratio', labels: text.by, notes: [] };
}
