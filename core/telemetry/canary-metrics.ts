import type { CloudWatchMetric } from './cloudwatch-metric.ts';

/** What alarms of a canary stand on. */
export const canaryMetrics = {
  abort: {
    namespace: 'Sluice/Canary',
    name: 'Abort',
    dimensions: ['EndpointName'],
    unit: 'None',
    statistics: ['Maximum'],
    help: 'Never told by anybody: an alarm on it stays as `sluice canary` sets it.',
  },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;
