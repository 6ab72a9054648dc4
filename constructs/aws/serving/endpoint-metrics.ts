import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { type CloudWatchMetric, sageMakerMetrics } from '../../../core/telemetry/index.ts';

export type EndpointMetricName = keyof typeof sageMakerMetrics;

/** A metric of the vocabulary of `core/telemetry`, by the minute: of its percentiles the 99th, else the first statistic that means something. */
export function cloudWatchMetric(
  { namespace, name, statistics, dimensions: names }: CloudWatchMetric,
  dimensions: Readonly<Record<string, string>>,
  options: MetricOptions = {},
): Metric {
  const missing = names.filter((each) => dimensions[each] === undefined);
  if (missing.length > 0)
    throw new RangeError(`${name} is told by ${names.join(', ')}; ${missing.join(', ')} is not given`);
  return new Metric({
    namespace,
    metricName: name,
    statistic: statistics.includes('p') ? 'p99' : (statistics[0] ?? 'Average'),
    dimensionsMap: { ...dimensions },
    period: Duration.minutes(1),
    ...options,
  });
}

/** A metric of SageMaker's. */
export function endpointMetric(
  name: EndpointMetricName,
  dimensions: Readonly<Record<string, string>>,
  options: MetricOptions = {},
): Metric {
  return cloudWatchMetric(sageMakerMetrics[name], dimensions, options);
}
