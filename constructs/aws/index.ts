/**
 * The account's side of a release, as AWS CDK constructs: where models are kept, and who may do what.
 * @module
 */
export { ConstructError, warningsOf } from '../problem/index.ts';
export {
  type AcceleratedInstance,
  type AcceleratorName,
  type AcceleratorProduct,
  accelerator,
  acceleratorProduct,
  type CpuArchitecture,
  type EksImages,
  type SageMakerInstance,
  sageMakerInstance,
} from './accelerators.ts';
export {
  type ClusterAddOn,
  GpuCluster,
  type GpuClusterProps,
  type KubernetesAccess,
  type ModelSource,
  type SystemNodes,
} from './cluster/gpu-cluster.ts';
export { GpuNodeGroup, type GpuNodeGroupProps, type NodeReservation } from './cluster/gpu-node-group.ts';
export { KarpenterAccess, type KarpenterAccessProps } from './cluster/karpenter-access.ts';
export type { NodeSystem } from './cluster/node-template.ts';
export type { PodIdentity } from './cluster/pod-role.ts';
export type { CanaryAccess } from './identity/canary-access.ts';
export type { AthenaAccess, DataPlace } from './identity/data-access.ts';
export { GitHubDeployRole, type GitHubDeployRoleProps, type PromotionAccess } from './identity/github-deploy-role.ts';
export type { GitHubRepositoryIds, GitHubSubject, GitHubTrust } from './identity/github-trust.ts';
export { AlertTopic, type AlertTopicProps } from './monitoring/alert-topic.ts';
export type { EndpointHardware, EndpointKind, MonitoredEndpoint } from './monitoring/endpoint-telemetry.ts';
export {
  ManagedPrometheus,
  type ManagedPrometheusProps,
  type ScrapedCluster,
} from './monitoring/managed-prometheus.ts';
export { metricOf } from './monitoring/metric-of.ts';
export {
  ReleaseAlarms,
  type ReleaseAlarmsProps,
  type RolloutPatience,
  type SaturationBounds,
} from './monitoring/release-alarms.ts';
export { ReleaseDashboard, type ReleaseDashboardProps } from './monitoring/release-dashboard.ts';
export type { ScrapedPods } from './monitoring/scrape-configuration.ts';
export type { SageMakerUse } from './sage-maker-instances.ts';
export {
  ModelBucket,
  type ModelBucketLock,
  type ModelBucketProps,
  type ModelBucketReplica,
} from './storage/model-bucket.ts';
export { ModelRegistryRepository, type ModelRegistryRepositoryProps } from './storage/model-registry-repository.ts';
export type { BucketFolder } from './training/job-role.ts';
export { SpotTraining } from './training/spot-training.ts';
export type {
  CheckpointFolder,
  GateJob,
  GateReport,
  JobImage,
  QualityGate,
  SpotTrainingProps,
  TrainingChannel,
} from './training/spot-training-props.ts';
