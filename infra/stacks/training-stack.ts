import { CfnOutput } from 'aws-cdk-lib';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { SpotTraining, type SpotTrainingProps } from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import type { TrainingConfig } from '../config/training-schema.ts';
import { EnvironmentStack, stackName } from './environment-stack.ts';
import { existingNetwork } from './existing-network.ts';
import type { StorageStack } from './storage-stack.ts';
import { durationOf, folderOf, imageOf } from './stored.ts';

/** How the model is trained: a state machine, which the role of releases may start. */
export class TrainingStack extends EnvironmentStack {
  readonly training: SpotTraining;

  constructor(scope: Construct, deployment: Deployment, storage: StorageStack, config: TrainingConfig) {
    super(scope, deployment, 'training', 'How the model is trained');
    this.training = new SpotTraining(this, 'Training', this.#props(deployment, storage, config));
    // Known before it is made, so that roles of other stacks can name it.
    const machine = this.training.stateMachine.node.defaultChild as CfnStateMachine;
    machine.stateMachineName = stackName(deployment, 'training');
    for (const address of config.emails ?? []) this.training.topic.addSubscription(new EmailSubscription(address));
    new CfnOutput(this, 'StateMachineArn', { value: this.training.stateMachine.stateMachineArn });
  }

  #props(
    { name, environment: { network } }: Deployment,
    storage: StorageStack,
    config: TrainingConfig,
  ): SpotTrainingProps {
    const { models, images } = storage;
    const { gate, channels = {}, data_key: key, spot = true } = config;
    const folder = (id: string, text: string) => folderOf(this, id, text, key);
    return {
      trainingName: name,
      image: imageOf(this, 'Image', config.image, images),
      instanceType: config.instance_type,
      spot,
      maxRun: durationOf(config.max_run),
      channels: Object.fromEntries(
        Object.entries(channels).map(([channel, text]) => [channel, folder(`Channel-${channel}`, text)]),
      ),
      output: { bucket: models.bucket, prefix: `${name}/trained` },
      ...(spot ? { checkpoints: { bucket: models.bucket, prefix: `${name}/checkpoints` } } : {}),
      ...(network !== undefined && config.in_network === true ? { vpc: existingNetwork(this, network) } : {}),
      ...(config.instances === undefined ? {} : { instanceCount: config.instances }),
      ...(config.max_wait === undefined ? {} : { maxWait: durationOf(config.max_wait) }),
      ...(config.deadline === undefined ? {} : { deadline: durationOf(config.deadline) }),
      ...(config.hyper_parameters === undefined ? {} : { hyperParameters: config.hyper_parameters }),
      ...(config.price_per_hour === undefined ? {} : { pricePerHour: config.price_per_hour }),
      ...(gate === undefined
        ? {}
        : {
            gate: {
              image: imageOf(this, 'GateImage', gate.image, images),
              policy: folder('Policy', gate.policy),
              ...(gate.policy_file === undefined ? {} : { policyFile: gate.policy_file }),
            },
          }),
    };
  }
}
