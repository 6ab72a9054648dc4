import { CfnOutput, TimeZone } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import {
  AlertTopic,
  BatchTransform,
  type BatchTransformProps,
  InferenceContainer,
  ModelData,
  type TransformSchedule,
} from '../../constructs/aws/index.ts';
import type { TransformConfig } from '../config/batch-schema.ts';
import type { Deployment } from '../config/deployment.ts';
import { EnvironmentStack, stackName } from './environment-stack.ts';
import type { StorageStack } from './storage-stack.ts';
import { durationOf, folderOf, imageOf, inferenceImage } from './stored.ts';

/** Models that score files on S3: a state machine each, which the role of releases may start. */
export class BatchStack extends EnvironmentStack {
  readonly transforms: Readonly<Record<string, BatchTransform>>;

  constructor(
    scope: Construct,
    deployment: Deployment,
    storage: StorageStack,
    configs: Readonly<Record<string, TransformConfig>>,
  ) {
    super(scope, deployment, 'batch', 'Models that score files');
    this.transforms = Object.fromEntries(
      Object.entries(configs).map(([name, config]) => {
        const transform = new BatchTransform(this, `Transform-${name}`, this.#props(name, storage, config));
        // Known before it is made, so that roles of other stacks can name it.
        const machine = transform.stateMachine.node.defaultChild as CfnStateMachine;
        machine.stateMachineName = transformMachine(deployment, name);
        new CfnOutput(this, `StateMachineArn-${name}`, { value: transform.stateMachine.stateMachineArn });
        return [name, transform];
      }),
    );
  }

  #props(jobName: string, { models, images }: StorageStack, config: TransformConfig): BatchTransformProps {
    const { default_model: defaultModel, data_key: key, split, max_payload_mb: payload, join } = config;
    const { max_concurrent: concurrent, timeout, schedule, emails } = config;
    const place = (what: 'input' | 'output') => {
      const { bucket, prefix } = folderOf(
        this,
        `${what === 'input' ? 'Input' : 'Output'}-${jobName}`,
        config[what],
        key,
      );
      return { bucket: bucket as IBucket, prefix };
    };
    const served = {
      image: inferenceImage(imageOf(this, `Image-${jobName}`, config.image, images)),
      model: ModelData.archive(models, config.model),
    };
    const ofTriton =
      defaultModel === undefined ? undefined : { contentType: 'application/json', split: 'none' as const };
    return {
      jobName,
      container:
        defaultModel === undefined
          ? new InferenceContainer(served)
          : InferenceContainer.onnx({ ...served, defaultModel }),
      input: place('input'),
      output: place('output'),
      instanceType: config.instance_type,
      ...ofTriton,
      ...(config.instances === undefined ? {} : { instanceCount: config.instances }),
      ...(config.content_type === undefined ? {} : { contentType: config.content_type }),
      ...(split === undefined ? {} : { split }),
      ...(payload === undefined ? {} : { maxPayloadMb: payload }),
      ...(concurrent === undefined ? {} : { maxConcurrent: concurrent }),
      ...(timeout === undefined ? {} : { timeout: durationOf(timeout) }),
      ...(join === undefined
        ? {}
        : {
            join: {
              ...(join.input_filter === undefined ? {} : { inputFilter: join.input_filter }),
              ...(join.output_filter === undefined ? {} : { outputFilter: join.output_filter }),
              ...(join.with_input === undefined ? {} : { withInput: join.with_input }),
            },
          }),
      ...(schedule === undefined ? {} : { schedule: scheduleOf(schedule) }),
      ...(emails === undefined
        ? {}
        : {
            topic: new AlertTopic(this, `Ends-${jobName}`, { displayName: `Batch ${jobName}`, emails }).topic as ITopic,
          }),
    };
  }
}

/** `churn-staging-batch-scoring` */
export function transformMachine(deployment: Deployment, name: string): string {
  return stackName(deployment, `batch-${name}`);
}

function scheduleOf({
  when,
  time_zone: zone = 'UTC',
  folder,
}: NonNullable<TransformConfig['schedule']>): TransformSchedule {
  return {
    expression: ScheduleExpression.expression(when, when.startsWith('cron') ? TimeZone.of(zone) : undefined),
    ...(folder === undefined ? {} : { folder }),
  };
}
