import { Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type Deployment, deploymentsOf } from './config/deployment.ts';
import type { InfraConfig } from './config/schema.ts';
import { BatchStack } from './stacks/batch-stack.ts';
import { ClusterStack } from './stacks/cluster-stack.ts';
import { MonitoringStack } from './stacks/monitoring-stack.ts';
import { PipelineAccessStack } from './stacks/pipeline-access-stack.ts';
import { ServingStack } from './stacks/serving-stack.ts';
import { StorageStack } from './stacks/storage-stack.ts';
import { TrainingStack } from './stacks/training-stack.ts';

/** The stacks of one environment; those that its part of the file does not name are left out. */
export interface EnvironmentStacks {
  readonly storage: StorageStack;
  readonly pipelineAccess: PipelineAccessStack;
  readonly training: TrainingStack | undefined;
  readonly serving: ServingStack | undefined;
  readonly batch: BatchStack | undefined;
  readonly cluster: ClusterStack | undefined;
  readonly monitoring: MonitoringStack | undefined;
}

/** Adds the stacks of every environment of the file to an app, and returns them by the names of the environments: for what the file has no word for. */
export function addEnvironments(app: Construct, config: InfraConfig): Readonly<Record<string, EnvironmentStacks>> {
  for (const [key, value] of Object.entries(config.tags ?? {})) Tags.of(app).add(key, value);
  return Object.fromEntries(
    deploymentsOf(config).map((deployment) => [deployment.environmentName, addEnvironment(app, deployment)]),
  );
}

function addEnvironment(app: Construct, deployment: Deployment): EnvironmentStacks {
  const storage = new StorageStack(app, deployment);
  const { training, serving, batch, cluster, monitoring } = deployment.environment;
  return {
    storage,
    pipelineAccess: new PipelineAccessStack(app, deployment, storage),
    training: training && new TrainingStack(app, deployment, storage, training),
    serving: serving && new ServingStack(app, deployment, storage, serving),
    batch: batch && new BatchStack(app, deployment, storage, batch),
    cluster: cluster && new ClusterStack(app, deployment, storage, cluster),
    monitoring: monitoring && new MonitoringStack(app, deployment, monitoring),
  };
}
