import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { CloudWatchMetric } from '../../../core/telemetry/index.ts';

/**
 * A metric of the vocabulary as the CDK has it, by its first statistic. `values`: of its dimensions, all of them, by their names.
 * @throws when a dimension has no value: CloudWatch would look at another metric, which never has any
 */
export function metricOf(
  { namespace, name, dimensions, statistics }: CloudWatchMetric,
  values: Readonly<Record<string, string>>,
  options: MetricOptions = {},
): Metric {
  const [statistic = 'Average'] = statistics;
  return new Metric({
    namespace,
    metricName: name,
    statistic,
    dimensionsMap: Object.fromEntries(
      dimensions.map((dimension) => {
        const value = values[dimension];
        if (value === undefined) throw new Error(`${namespace} ${name} needs a value of ${dimension}`);
        return [dimension, value];
      }),
    ),
    ...options,
  });
}
