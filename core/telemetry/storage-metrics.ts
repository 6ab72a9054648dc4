import type { CloudWatchMetric } from './cloudwatch-metric.ts';

/**
 * What S3 tells CloudWatch of a bucket: sizes once a day, replication by the minute where its rule has metrics.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
 */
export const bucketMetrics = {
  size: {
    namespace: 'AWS/S3',
    name: 'BucketSizeBytes',
    dimensions: ['BucketName', 'StorageType'],
    unit: 'Bytes',
    statistics: ['Average', 'Maximum'],
    help: 'Bytes in one class of storage, all versions and unfinished uploads included.',
  },
  objects: {
    namespace: 'AWS/S3',
    name: 'NumberOfObjects',
    dimensions: ['BucketName', 'StorageType'],
    unit: 'Count',
    statistics: ['Average', 'Maximum'],
    help: 'Versions, delete markers and parts in all classes of storage.',
  },
  replicationFailures: {
    namespace: 'AWS/S3',
    name: 'OperationsFailedReplication',
    dimensions: ['SourceBucket', 'DestinationBucket', 'RuleId'],
    unit: 'Count',
    statistics: ['Sum'],
    help: 'Objects that were not copied.',
  },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;

/** What ECR tells CloudWatch of a repository. https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-repository-metrics.html */
export const repositoryMetrics = {
  pulls: {
    namespace: 'AWS/ECR',
    name: 'RepositoryPullCount',
    dimensions: ['RepositoryName'],
    unit: 'Count',
    statistics: ['Sum'],
    help: 'Images that were pulled.',
  },
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;
