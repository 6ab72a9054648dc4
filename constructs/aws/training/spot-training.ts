import { Annotations, Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Connections, type IConnectable, Port, SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { type Grant, type IGrantable, type IPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type CloudWatchMetric, trainingMetrics } from '../../../core/telemetry/index.ts';
import { Findings } from '../../problem/index.ts';
import { encryptedLogs } from '../encrypted-logs.ts';
import { type Allow, allowance } from '../identity/allowance.ts';
import { type JobNetwork, jobRole, prefixOf } from './job-role.ts';
import { problemsOf } from './spot-training-problems.ts';
import type { GateJob, NoticeTopic, SpotTrainingProps } from './spot-training-props.ts';
import { type TrainingPlan, trainingDefinition } from './training-definition.ts';
import { trainingPlan } from './training-plan.ts';

/**
 * Trains a model by SageMaker on spot capacity, as a state machine: an execution is a run. It goes on from its checkpoints after each
 * interruption, tries again where capacity is lacking, ends at its deadline, tells what it cost and saved, and lets a quality gate decide of
 * the model.
 *
 * ```ts
 * const training = new SpotTraining(this, 'Churn', {
 *   image: { repository: images.repository, tagOrDigest: '1.4.0' },
 *   instanceType: 'ml.p4d.24xlarge',
 *   instanceCount: 4,
 *   maxRun: Duration.seconds(3600),
 *   maxWait: Duration.seconds(7200),
 *   channels: { train: { bucket: data, prefix: 'churn/train' } },
 *   output: { bucket: models.bucket, prefix: 'churn' },
 *   checkpoints: { bucket: models.bucket, prefix: 'checkpoints/churn' },
 *   gate: { image: sluice, policy: { bucket: data, prefix: 'churn/gate' } },
 * });
 * training.grantStart(releaseRole);
 * ```
 *
 * Debugger and its profiler are off; `keepAlive` (warm pools) goes only without spot.
 */
export class SpotTraining extends Construct implements IConnectable, IGrantable {
  /** For what is not offered here: its `node.defaultChild` is the `CfnStateMachine`. */
  readonly stateMachine: StateMachine;
  /** What jobs run as. */
  readonly role: Role;
  /** What the gate's job runs as, where there is one. */
  readonly gateRole: Role | undefined;
  readonly grantPrincipal: IPrincipal;
  /** Told of every end of a run, as EventBridge has it. */
  readonly topic: NoticeTopic;
  /** What EventBridge tells the topic as. */
  readonly endRole: Role;
  readonly endRule: CfnRule;
  readonly trainingName: string;
  readonly encryptionKey: IKey;
  /** Of the instances, where there is a VPC. */
  readonly connections: Connections;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: SpotTrainingProps) {
    super(scope, id);
    const findings = new Findings(this, 'SpotTraining');
    findings.add(...problemsOf(props));
    findings.throwIfAny();
    this.trainingName =
      props.trainingName ??
      Names.uniqueResourceName(this, { maxLength: 18, separator: '-', allowedSpecialCharacters: '-' }).toLowerCase();
    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', {
        enableKeyRotation: true,
        description: `Notices and logs of ${this.node.path}`,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    const network = this.#network(props);
    this.connections = network.connections;
    this.role = this.#trainingRole(props, network.job);
    this.grantPrincipal = this.role;
    const { gate } = props;
    const gateJob = gate !== undefined && 'image' in gate ? gate : undefined;
    this.gateRole = gateJob && this.#gateRole(props, gateJob, network.job);
    this.stateMachine = this.#stateMachine(
      trainingPlan(props, {
        name: this.trainingName,
        partition: Stack.of(this).partition,
        roleArn: this.role.roleArn,
        gateRoleArn: this.gateRole?.roleArn,
        network: network.job,
      }),
    );
    this.#letRun(props);
    this.endRole = new Role(this, 'EndRole', {
      description: `Tells the ends of ${this.node.path}`,
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    this.topic = props.topic ?? this.#ownTopic();
    this.endRule = this.#tellEnds();
  }

  /** Lets start a run. */
  grantStart(grantee: IGrantable): Grant {
    return this.stateMachine.grantStartExecution(grantee);
  }

  /** One of `trainingMetrics` (`core/telemetry`): a run tells them when it ends. */
  metric({ namespace, name, dimensions }: CloudWatchMetric, options: MetricOptions = {}): Metric {
    return new Metric({
      namespace,
      metricName: name,
      dimensionsMap: Object.fromEntries(dimensions.map((dimension) => [dimension, this.trainingName])),
      period: Duration.hours(1),
      statistic: 'Sum',
      ...options,
    });
  }

  /** Percent of the training time that was not paid for. */
  metricSavings(options: MetricOptions = {}): Metric {
    return this.metric(trainingMetrics.savings, { statistic: 'Average', ...options });
  }

  /** Dollars; nothing without `pricePerHour`. */
  metricCost(options: MetricOptions = {}): Metric {
    return this.metric(trainingMetrics.cost, options);
  }

  /** Dollars that on-demand instances would have cost beyond that; nothing without `pricePerHour`. */
  metricSaved(options: MetricOptions = {}): Metric {
    return this.metric(trainingMetrics.saved, options);
  }

  /** Seconds, of all instances. */
  metricBillableTime(options: MetricOptions = {}): Metric {
    return this.metric(trainingMetrics.billed, options);
  }

  /** Times that spot capacity was taken away. */
  metricInterruptions(options: MetricOptions = {}): Metric {
    return this.metric(trainingMetrics.interruptions, options);
  }

  /** Runs that did not pass, whatever for. */
  metricFailed(options: MetricOptions = {}): Metric {
    return this.stateMachine.metricFailed(options);
  }

  #network({ vpc, subnets, securityGroups }: SpotTrainingProps): {
    readonly job: JobNetwork | undefined;
    readonly connections: Connections;
  } {
    if (vpc === undefined) return { job: undefined, connections: new Connections() };
    const own = securityGroups ?? [
      new SecurityGroup(this, 'SecurityGroup', { vpc, description: `Training ${this.node.path}` }),
    ];
    const connections = new Connections({ securityGroups: [...own] });
    // Instances of one job speak to each other, by any port: https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
    if (securityGroups === undefined) {
      connections.allowInternally(Port.allTraffic(), 'Instances of one training');
      // Everything may go out, so that the rule for it has nothing to add.
      Annotations.of(this).acknowledgeWarning('@aws-cdk/aws-ec2:ipv4IgnoreEgressRule');
    }
    return {
      connections,
      job: {
        vpc,
        subnets: subnets ?? { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
        securityGroupIds: own.map(({ securityGroupId }) => securityGroupId),
      },
    };
  }

  #trainingRole(props: SpotTrainingProps, network: JobNetwork | undefined): Role {
    const { channels = {}, output, checkpoints, volumeKey, outputKey, image } = props;
    return jobRole(this, 'Role', {
      kind: 'TrainingJobs',
      description: `Trains ${this.node.path}`,
      image: image.repository,
      reads: [...Object.values(channels), ...(checkpoints === undefined ? [] : [checkpoints])],
      writes: [output, ...(checkpoints === undefined ? [] : [checkpoints])],
      volumeKey,
      outputKey,
      network,
    });
  }

  #gateRole({ output, outputKey }: SpotTrainingProps, gate: GateJob, network: JobNetwork | undefined): Role {
    return jobRole(this, 'GateRole', {
      kind: 'ProcessingJobs',
      description: `Judges what ${this.node.path} trained`,
      image: gate.image.repository,
      reads: [gate.policy, output],
      writes: [output],
      volumeKey: undefined,
      outputKey,
      network,
    });
  }

  #stateMachine(plan: TrainingPlan): StateMachine {
    const stateMachine = new StateMachine(this, 'Resource', {
      comment: `Runs of ${this.node.path}`,
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(trainingDefinition(plan))),
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        // Inputs and outputs of states hold hyperparameters; the history of the execution has them.
        includeExecutionData: false,
        destination: encryptedLogs(this, 'Logs', {
          // The prefix spares an entry of the account's policy of logs for each state machine.
          logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(this, { separator: '-' })}`,
          retention: RetentionDays.ONE_YEAR,
          removalPolicy: RemovalPolicy.RETAIN,
          key: this.encryptionKey,
        }),
      },
    });
    return stateMachine;
  }

  /** What the state machine itself may do. */
  #letRun({ gate, output, outputKey, onPassed }: SpotTrainingProps): void {
    const { account, region, partition } = Stack.of(this);
    const allow: Allow = (...allowed) => this.stateMachine.addToRolePolicy(allowance(...allowed));
    const jobs = (kind: string): string =>
      `arn:${partition}:sagemaker:${region}:${account}:${kind}/${this.trainingName}-*`;
    const toSageMaker = { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } };
    allow(
      ['sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob', 'sagemaker:StopTrainingJob'],
      [jobs('training-job')],
    );
    allow(['iam:PassRole'], [this.role.roleArn], toSageMaker);
    if (this.gateRole !== undefined) {
      allow(['sagemaker:CreateProcessingJob', 'sagemaker:DescribeProcessingJob'], [jobs('processing-job')]);
      allow(['iam:PassRole'], [this.gateRole.roleArn], toSageMaker);
    }
    allow(['cloudwatch:PutMetricData'], ['*'], {
      StringEquals: { 'cloudwatch:namespace': trainingMetrics.trained.namespace },
    });
    if (gate !== undefined) {
      const prefix = prefixOf(output);
      const report = 'report' in gate ? gate.report : 'report.json';
      allow(['s3:GetObject'], [output.bucket.arnForObjects(`${prefix}*/${report}`)]);
      // Without it, a report that is not there is «access denied».
      allow(
        ['s3:ListBucket'],
        [output.bucket.bucketArn],
        prefix === '' ? undefined : { StringLike: { 's3:prefix': [`${prefix}*`] } },
      );
      for (const key of [output.bucket.encryptionKey, outputKey]) key?.grant(this.stateMachine, 'kms:Decrypt');
    }
    onPassed?.grantStartExecution(this.stateMachine);
  }

  #ownTopic(): NoticeTopic {
    this.encryptionKey.grant(this.endRole, 'kms:Decrypt', 'kms:GenerateDataKey');
    return new Topic(this, 'Topic', {
      displayName: `Training ${this.trainingName}`,
      masterKey: this.encryptionKey,
      enforceSSL: true,
    });
  }

  /** Also of runs that were aborted or that ran out of time, which no state of theirs could tell. */
  #tellEnds(): CfnRule {
    this.endRole.addToPolicy(allowance(['sns:Publish'], [this.topic.topicArn]));
    return new CfnRule(this, 'EndRule', {
      description: `Runs of ${this.node.path} that ended`,
      eventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [this.stateMachine.stateMachineArn],
          status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
      targets: [{ id: 'Topic', arn: this.topic.topicArn, roleArn: this.endRole.roleArn }],
    });
  }
}
