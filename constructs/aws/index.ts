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
  sageMakerProblem,
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
export { instanceHardware } from './instance-hardware.ts';
export { logGroupArn, logsMayUseKey } from './log-encryption.ts';
export { AlertTopic, type AlertTopicProps } from './monitoring/alert-topic.ts';
export type { EndpointHardware, EndpointKind, MonitoredEndpoint } from './monitoring/endpoint-telemetry.ts';
export { ManagedGrafana, type ManagedGrafanaProps } from './monitoring/managed-grafana.ts';
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
  BatchTransform,
  type BatchTransformProps,
  type TransformJoin,
  type TransformSchedule,
} from './serving/batch-transform.ts';
export type { EndpointDeployment } from './serving/endpoint-deployment.ts';
export type { EndpointMetricName } from './serving/endpoint-metrics.ts';
export type { EndpointVariant, ServerlessVariant } from './serving/endpoint-variant.ts';
export {
  InferenceContainer,
  type InferenceContainerProps,
  type InferenceImage,
  type TritonContainerProps,
} from './serving/inference-container.ts';
export { ModelData } from './serving/model-data.ts';
export {
  type AsynchronousServing,
  type DataCapture,
  type EndpointCandidate,
  ModelEndpoint,
  type ModelEndpointProps,
  type ShadowVariant,
} from './serving/model-endpoint.ts';
export {
  type EndpointAlarms,
  grantReportQuality,
  type ModelQualityAlarm,
  type QualityMeasure,
  qualityMetric,
} from './serving/rollback-alarms.ts';
export type { StoredPlace } from './serving/stored-place.ts';
export type { VariantScaling } from './serving/variant-scaling.ts';
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
