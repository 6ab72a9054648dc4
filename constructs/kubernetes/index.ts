/**
 * Kubernetes manifests for serving models, as cdk8s constructs: every one with the habits of a careful platform engineer, checked while it is
 * written. What is wrong with a construct is thrown at once, as `ConstructError`.
 * @module
 */

export type { KafkaGoal } from './autoscaling/kafka-goal.ts';
export { KedaAutoscaler, type KedaAutoscalerProps, type ScalingGoals } from './autoscaling/keda-autoscaler.ts';
export { ModelAutoscaler, type ModelAutoscalerProps } from './autoscaling/model-autoscaler.ts';
export type { CurrentData } from './batch/current-data.ts';
export { DriftCheckJob, type DriftCheckJobProps } from './batch/drift-check-job.ts';
export { SparkBatchInference, type SparkBatchInferenceProps, type SparkSize } from './batch/spark-batch-inference.ts';
export { type CustomKind, CustomResource, customKind } from './crd/custom-resource.ts';
export { KubernetesObject, type ObjectKind } from './kubernetes-object.ts';
export { type Identity, labelNames, labelsOf, selectorOf } from './labels.ts';
export { type DatadogOptions, datadogAnnotations } from './monitoring/datadog.ts';
export { DcgmMonitor, type DcgmMonitorProps } from './monitoring/dcgm-monitor.ts';
export { MetricsMonitor, type MetricsMonitorProps, type ScrapeProps } from './monitoring/metrics-monitor.ts';
export { ModelAlerts, type ModelAlertsProps } from './monitoring/model-alerts.ts';
export { ModelDashboard, type ModelDashboardProps } from './monitoring/model-dashboard.ts';
export { ModelMonitoring, type ModelMonitoringProps } from './monitoring/model-monitoring.ts';
export type { MonitoredServer } from './monitoring/monitored-server.ts';
export type { NetworkPeer } from './native.ts';
export { DcgmExporter, type DcgmExporterProps } from './nodes/dcgm-exporter.ts';
export { GpuDevicePlugin, type GpuDevicePluginProps } from './nodes/gpu-device-plugin.ts';
export { GpuNodePool, type GpuNodePoolProps, type NodePurpose } from './nodes/gpu-node-pool.ts';
export { type QueueFlavor, TrainingQueue, type TrainingQueueProps } from './nodes/training-queue.ts';
export { ChromaStore, type ChromaStoreProps } from './platform/chroma-store.ts';
export type { DocumentSource } from './platform/document-source.ts';
export { FeastFeatureServer, type FeastFeatureServerProps } from './platform/feast-feature-server.ts';
export { type MlflowArtifacts, MlflowTracking, type MlflowTrackingProps } from './platform/mlflow-tracking.ts';
export type { RagDocuments } from './platform/rag-ingest.ts';
export { type RagModel, RagStack, type RagStackProps } from './platform/rag-stack.ts';
export type { DrainProps } from './pod/drain.ts';
export type { GpuProps } from './pod/gpu.ts';
export { type GpuName, gpuProducts } from './pod/gpu-products.ts';
export { type FetchImages, fetchImages } from './pod/model-fetch.ts';
export type { ModelFile } from './pod/model-file.ts';
export type { EnvVar, SecretKey, Toleration } from './pod/pod-spec.ts';
export { ConstructError, type ConstructProblem, Findings, warningsOf } from './problem.ts';
export type { Cpu, Memory } from './quantity.ts';
export type { ContainerSize } from './serving/container-resources.ts';
export type { GatewayMethod, GatewayRoute, ServerAddress } from './serving/gateway/gateway-route.ts';
export {
  type KserveCanary,
  KserveInferenceService,
  type KserveInferenceServiceProps,
  type KserveMode,
  type KservePredictorProps,
  type KserveRuntime,
} from './serving/kserve-inference-service.ts';
export type { LlmWeights } from './serving/llm-weights.ts';
export { MarArchive, type MarArchiveProps } from './serving/mar-archive.ts';
export { MlflowModelDeployment, type MlflowModelDeploymentProps } from './serving/mlflow-model-deployment.ts';
export { ModelGateway, type ModelGatewayProps } from './serving/model-gateway.ts';
export { ModelServer, type ModelServerProps } from './serving/model-server.ts';
export { OllamaDeployment, type OllamaDeploymentProps, type OllamaWeights } from './serving/ollama-deployment.ts';
export { OnnxDeployment, type OnnxDeploymentProps } from './serving/onnx-deployment.ts';
export { ProgramDeployment, type ProgramDeploymentProps } from './serving/program-deployment.ts';
export { RayService, type RayServiceProps } from './serving/ray-service.ts';
export {
  type SeldonCandidate,
  SeldonDeployment,
  type SeldonDeploymentProps,
  SeldonExperiment,
  type SeldonExperimentProps,
  type SeldonPredictorProps,
} from './serving/seldon-deployment.ts';
export type { MetricsEndpoint, ProgramPort, ServerProgram, WritableFolder } from './serving/server-program.ts';
export type {
  Amount,
  ModelIdentity,
  Replicas,
  ServingProps,
  StartupProps,
  WorkloadProps,
} from './serving/serving-props.ts';
export { TgiDeployment, type TgiDeploymentProps } from './serving/tgi-deployment.ts';
export type { ToldMetrics } from './serving/told-metrics.ts';
export { TorchServeDeployment, type TorchServeDeploymentProps } from './serving/torchserve-deployment.ts';
export { modelConfigText } from './serving/triton/config-text.ts';
export { type OnnxSignature, onnxSignature } from './serving/triton/onnx-signature.ts';
export type {
  DynamicBatching,
  EnsembleStep,
  InstanceGroup,
  QueuePolicy,
  TritonBackendModel,
  TritonEnsemble,
  TritonModel,
  TritonTensor,
  TritonType,
} from './serving/triton/triton-model.ts';
export { TritonDeployment, type TritonDeploymentProps } from './serving/triton-deployment.ts';
export { VllmDeployment, type VllmDeploymentProps } from './serving/vllm-deployment.ts';
export { CanaryRoute, type CanaryRouteProps, type RouteBy, type RouteTraffic } from './traffic/canary-route.ts';
export { ShadowDeployment, type ShadowDeploymentProps } from './traffic/shadow-deployment.ts';
export type { Checkpoints } from './training/checkpoints.ts';
export type { CompletionHook } from './training/completion-hook.ts';
export { PyTorchJob, type PyTorchJobProps } from './training/pytorch-job.ts';
export { TrainJob, type TrainJobProps } from './training/train-job.ts';
export type { TrainingProps } from './training/training-props.ts';
