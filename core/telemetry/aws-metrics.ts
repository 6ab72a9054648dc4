import type { CloudWatchMetric } from './cloudwatch-metric.ts';

const workspace = {
  namespace: 'AWS/Prometheus',
  dimensions: ['Workspace'],
  unit: 'Count',
  statistics: ['Sum'],
} as const;

/**
 * What services beside SageMaker tell CloudWatch of how they watch and what they saw.
 *
 * Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html,
 * https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-CW-usage-metrics.html
 */
export const awsMetrics = {
  eventsMatched: {
    namespace: 'AWS/Events',
    name: 'TriggeredRules',
    dimensions: ['RuleName'],
    unit: 'Count',
    statistics: ['Sum'],
    help: 'How often an event matched the rule; no value where none did.',
  },
  notificationsFailed: {
    ...workspace,
    name: 'AlertManagerNotificationsFailed',
    help: 'Alerts that Managed Prometheus could not hand over to their receiver.',
  },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;
