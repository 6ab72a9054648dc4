import { aggregated, isNoQuery, type NoQuery, type Query, type QueryScope, scopeText } from './query.ts';
import { type ResourceName, type ResourceSeries, resourceSeries } from './resource-series.ts';

/** Pods' own labels: what a pod uses is not told by model. */
const cluster = { title: 'The cluster', labels: {} } as const;

/** How much of a resource pods use. A counter's rate over the window, a gauge's level now. */
export function resourceUsed(name: ResourceName, scope: QueryScope): Query | NoQuery {
  const resource: ResourceSeries = resourceSeries[name];
  const text = scopeText(cluster, scope);
  if (isNoQuery(text)) return text;
  const series = `${resource.series}${text.matchers({}, resource.matchers)}`;
  const level = aggregated(
    resource.across,
    text.by,
    resource.kind === 'counter' ? `rate(${series}[${text.range}])` : series,
  );
  return {
    expr: resource.scale === undefined ? level : `${level} * ${resource.scale}`,
    unit: resource.unit,
    labels: text.by,
    notes: [],
  };
}

/** The share of a GPU's memory that is used, 0 to 1. */
export function gpuMemoryShare(scope: QueryScope): Query | NoQuery {
  const used = resourceUsed('gpuMemoryUsed', scope);
  const free = resourceUsed('gpuMemoryFree', scope);
  if (isNoQuery(used)) return used;
  if (isNoQuery(free)) return free;
  return { ...used, unit: 'ratio', expr: `${used.expr} / (${used.expr} + ${free.expr})` };
}

/** The share of scheduling periods in which a container wanted more processor time than its limit gave it, 0 to 1. */
export function cpuThrottling(scope: QueryScope): Query | NoQuery {
  const throttled = resourceUsed('cpuThrottled', scope);
  const periods = resourceUsed('cpuPeriods', scope);
  if (isNoQuery(throttled)) return throttled;
  if (isNoQuery(periods)) return periods;
  return { ...throttled, unit: 'ratio', expr: `${throttled.expr} / (${periods.expr} > 0)` };
}
