/**
 * The CDK app that users deploy: the account's side of a release by one file, in as many environments as it names.
 * @module
 */
export { addEnvironments, type EnvironmentStacks } from './add-environments.ts';
export type { Deployment } from './config/deployment.ts';
export { infraJsonSchemaText } from './config/json-schema.ts';
export { ConfigError, parseConfig, readConfig } from './config/parse-config.ts';
export { type InfraConfig, type InfraEnvironment, infraSchema } from './config/schema.ts';
export { BatchStack } from './stacks/batch-stack.ts';
export { ClusterStack } from './stacks/cluster-stack.ts';
export { EnvironmentStack } from './stacks/environment-stack.ts';
export { MonitoringStack } from './stacks/monitoring-stack.ts';
export { PipelineAccessStack } from './stacks/pipeline-access-stack.ts';
export { ServingStack } from './stacks/serving-stack.ts';
export { StorageStack } from './stacks/storage-stack.ts';
export { TrainingStack } from './stacks/training-stack.ts';
export { tellMistakes } from './tell-mistakes.ts';
