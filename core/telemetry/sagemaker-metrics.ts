import type { CloudWatchMetric } from './cloudwatch-metric.ts';

const invocation = { namespace: 'AWS/SageMaker', dimensions: ['EndpointName', 'VariantName'] } as const;
const instance = {
  namespace: '/aws/sagemaker/Endpoints',
  dimensions: ['EndpointName', 'VariantName'],
  unit: 'Percent',
  statistics: ['Average', 'Minimum', 'Maximum', 'SampleCount'],
} as const;
const backlog = { namespace: 'AWS/SageMaker', dimensions: ['EndpointName'] } as const;
/** A value of 0 or 1 for each request: their number is the requests'. */
const counted = { unit: 'None', statistics: ['Sum', 'Average', 'SampleCount'] } as const;

/** During a guarded deployment both fleets have variants of one name. This third dimension tells them apart. */
export const sageMakerFleetDimension = 'EndpointConfigName';

/**
 * What SageMaker tells CloudWatch of an endpoint, by the minute. An asynchronous endpoint has no `Invocations` and no overhead, a serverless one
 * no instances.
 *
 * Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html,
 * https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html,
 * https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html
 */
export const sageMakerMetrics = {
  requests: { ...invocation, ...counted, name: 'Invocations', help: 'Requests sent to the endpoint.' },
  requestsPerInstance: {
    ...invocation,
    unit: 'None',
    statistics: ['Sum'],
    name: 'InvocationsPerInstance',
    help: 'Requests over the number of instances.',
  },
  clientErrors: { ...invocation, ...counted, name: 'Invocation4XXErrors', help: '1 for a request answered with 4xx.' },
  serverErrors: { ...invocation, ...counted, name: 'Invocation5XXErrors', help: '1 for a request answered with 5xx.' },
  modelErrors: {
    ...invocation,
    ...counted,
    name: 'InvocationModelErrors',
    help: '1 for a request that the container did not answer with 2xx: sockets that broke and timeouts, too.',
  },
  latency: {
    ...invocation,
    unit: 'Microseconds',
    statistics: ['Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount', 'p'],
    name: 'ModelLatency',
    help: "The container's time for a request.",
  },
  overhead: {
    ...invocation,
    unit: 'Microseconds',
    statistics: ['Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount'],
    name: 'OverheadLatency',
    help: "SageMaker's own time for a request.",
  },
  concurrency: {
    ...invocation,
    unit: 'None',
    statistics: ['Minimum', 'Maximum'],
    name: 'ConcurrentRequestsPerModel',
    help: 'Requests that the variant works on at once.',
  },
  coldStart: {
    ...invocation,
    unit: 'Microseconds',
    statistics: ['Average', 'Minimum', 'Maximum', 'SampleCount', 'p'],
    name: 'ModelSetupTime',
    help: 'Time to launch new compute of a serverless endpoint.',
  },
  serverlessUse: {
    ...invocation,
    unit: 'Percent',
    statistics: ['Average', 'Maximum', 'Minimum'],
    name: 'ServerlessConcurrentExecutionsUtilization',
    help: 'Concurrent executions over the most that are allowed.',
  },
  processor: {
    ...instance,
    name: 'CPUUtilization',
    help: 'The sum over the cores: 400 % is all of four.',
  },
  memory: { ...instance, name: 'MemoryUtilization', help: 'Of the memory of an instance, up to 100 %.' },
  disk: { ...instance, name: 'DiskUtilization', help: 'Of the disk of an instance, up to 100 %.' },
  gpu: { ...instance, name: 'GPUUtilization', help: 'The sum over the GPUs: 400 % is all of four.' },
  gpuMemory: { ...instance, name: 'GPUMemoryUtilization', help: 'The sum over the GPUs: 400 % is all of four.' },
  backlog: {
    ...backlog,
    unit: 'Count',
    statistics: ['Average', 'Maximum', 'Minimum'],
    name: 'ApproximateBacklogSize',
    help: 'Requests that an asynchronous endpoint has queued or works on.',
  },
  backlogPerInstance: {
    ...backlog,
    unit: 'Count',
    statistics: ['Average', 'Maximum', 'Minimum'],
    name: 'ApproximateBacklogSizePerInstance',
    help: 'Those over the number of instances.',
  },
  backlogAge: {
    ...backlog,
    unit: 'Seconds',
    statistics: ['Average', 'Maximum', 'Minimum'],
    name: 'ApproximateAgeOfOldestRequest',
    help: 'How long the oldest of them has waited.',
  },
  backlogWithoutCapacity: {
    ...backlog,
    unit: 'Count',
    statistics: ['Average', 'Maximum', 'Minimum'],
    name: 'HasBacklogWithoutCapacity',
    help: '1 where requests wait and no instance is there.',
  },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;
