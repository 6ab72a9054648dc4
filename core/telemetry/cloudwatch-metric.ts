import type { MetricDefinition } from './metric-definition.ts';

/** CloudWatch's own names of units: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html. */
export type CloudWatchUnit = 'None' | 'Count' | 'Bytes' | 'Percent' | 'Seconds' | 'Microseconds';

/** A metric of Amazon CloudWatch, as data: alarms, dashboards, canaries and whoever publishes it all read the same object. */
export interface CloudWatchMetric {
  readonly namespace: string;
  readonly name: string;
  /** All of them: a metric with other dimensions is another metric. */
  readonly dimensions: readonly string[];
  readonly unit: CloudWatchUnit;
  /** By which its numbers of a period mean something. `p`: percentiles, such as `p95`. */
  readonly statistics: readonly CloudWatchStatistic[];
  /** One sentence: what one value is. */
  readonly help: string;
}

export type CloudWatchStatistic = 'Sum' | 'Average' | 'Minimum' | 'Maximum' | 'SampleCount' | 'p';

/** Where Sluice publishes what it knows of models. */
const modelNamespace = 'Sluice/Models';

/**
 * A gauge of ours in CloudWatch: the name is the one of Prometheus, and its labels are the dimensions. So publishes who has no Prometheus: the
 * CloudWatch agent that reads a job's metrics, or `aws cloudwatch put-metric-data`.
 */
export function inCloudWatch(gauge: MetricDefinition & { readonly kind: 'gauge' }): CloudWatchMetric {
  return {
    namespace: modelNamespace,
    name: gauge.name,
    dimensions: gauge.labels,
    unit: gauge.unit === 'seconds' || gauge.unit === 'timestamp' ? 'Seconds' : 'None',
    statistics: ['Maximum', 'Minimum', 'Average'],
    help: gauge.help,
  };
}
