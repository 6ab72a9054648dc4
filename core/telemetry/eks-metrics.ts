import type { CloudWatchMetric } from './cloudwatch-metric.ts';

const controlPlane = { namespace: 'AWS/EKS', dimensions: ['ClusterName'], unit: 'Count' } as const;

/** What EKS tells CloudWatch of a control plane: https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html */
export const eksMetrics = {
  pendingPods: {
    ...controlPlane,
    statistics: ['Average', 'Maximum'],
    name: 'scheduler_pending_pods',
    help: 'Pods that are not on a node yet.',
  },
  unschedulablePods: {
    ...controlPlane,
    statistics: ['Average', 'Maximum'],
    name: 'scheduler_pending_pods_UNSCHEDULABLE',
    help: 'Pods that no node has room for.',
  },
  serverErrors: {
    ...controlPlane,
    statistics: ['Sum'],
    name: 'apiserver_request_total_5XX',
    help: 'Requests that the API server answered with 5xx.',
  },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;
