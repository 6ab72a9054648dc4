import { Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { type Grant, type IGrantable, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import { Schedule, type ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Findings } from '../../problem/index.ts';
import { encryptedLogs } from '../encrypted-logs.ts';
import { allowance } from '../identity/allowance.ts';
import { logGroupArn } from '../log-encryption.ts';
import { batchTransformProblems } from './batch-transform-problems.ts';
import { hasOwnDisks } from './endpoint-variant.ts';
import { executionRole } from './execution-role.ts';
import type { InferenceContainer } from './inference-container.ts';
import { grantTell } from './notice.ts';
import { grantReadBelow, grantWrite, type StoredPlace } from './stored-place.ts';
import { transformDefinition } from './transform-definition.ts';

export interface BatchTransformProps {
  /** Its model as an archive: SageMaker takes no other form here. */
  readonly container: InferenceContainer;
  /** Jobs are `<jobName>-<UUID>`: at most 26 letters, digits and hyphens. @default from the construct's path */
  readonly jobName?: string;
  /** What is scored. An execution may name a folder below it: `{ "folder": "2026-11-22" }`. */
  readonly input: StoredPlace;
  /** Where answers go: `<prefix>/<folder>/<file>.out`. */
  readonly output: StoredPlace;
  /** `ml.m5.xlarge`: one that SageMaker has for transforms. */
  readonly instanceType: string;
  /** 1 to 100: files are shared out among them. @default 1 */
  readonly instanceCount?: number;
  /** @default 'text/csv' */
  readonly contentType?: string;
  /** Of the answers. @default the content type */
  readonly accept?: string;
  /** Whether files are gzipped. @default false */
  readonly compressed?: boolean;
  /** What a request is: a whole file, or lines of it. @default 'line' */
  readonly split?: 'line' | 'none' | 'record-io' | 'tf-record';
  /** Whether a request has one record or as many as fit into `maxPayloadMb`. @default 'multi-record', or 'single-record' of whole files */
  readonly strategy?: 'multi-record' | 'single-record';
  /** The largest request: 0 (no bound, of whole files only) to 100. @default 6 */
  readonly maxPayloadMb?: number;
  /** Requests at once to each container. Times `maxPayloadMb` at most 100 MB. @default SageMaker asks the container, else 1 */
  readonly maxConcurrent?: number;
  /** How long a request may take: 1 second to 1 hour. @default 10 minutes */
  readonly requestTimeout?: Duration;
  /** How often a request is asked again: 0 to 3. @default 3 */
  readonly requestRetries?: number;
  /** What goes to the model, of what comes back: JSONPath, such as `$[1:]` to leave an id out. @default everything, alone */
  readonly join?: TransformJoin;
  /** @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** From start to end, retries and all: then the job is stopped. From 10 minutes to 5 days. @default 1 day */
  readonly timeout?: Duration;
  /** How often it is begun again where SageMaker has no instance: 0 to 10. @default 5, waiting 2, 4, 8, 16 and 32 minutes */
  readonly capacityRetries?: number;
  /** Who is told how it ended. @default nobody; EventBridge knows by itself (`onEnd`) */
  readonly topic?: ITopic;
  /** When it runs by itself. @default when somebody starts it */
  readonly schedule?: TransformSchedule;
  /** Of answers, of the instances' volumes, and of logs. @default a key of its own for volumes and logs; answers by the bucket's */
  readonly encryptionKey?: IKey;
  /** Whether the containers are kept from every network call. @default true */
  readonly networkIsolation?: boolean;
  /** @default one year */
  readonly logRetention?: RetentionDays;
}

export interface TransformJoin {
  /** What of a record goes to the model. @default everything */
  readonly inputFilter?: string;
  /** What of record and answer is kept. @default everything */
  readonly outputFilter?: string;
  /** Whether an answer stands beside its record. @default true */
  readonly withInput?: boolean;
}

export interface TransformSchedule {
  /** `ScheduleExpression.cron({ hour: '3', minute: '0' })` */
  readonly expression: ScheduleExpression;
  /** The folder that is scored. @default all of `input` */
  readonly folder?: string;
}

const executionEnds = 'Step Functions Execution Status Change';
const everyEnd = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;

/**
 * A model run over files in S3, when it is asked to or on a schedule. SageMaker has no resource of CloudFormation for a transform job, so this makes the
 * model, and a state machine of Step Functions that runs the job (`createTransformJob.sync`): begun again where there is no capacity, stopped at
 * its deadline, its end told.
 *
 * ```ts
 * const scoring = new BatchTransform(this, 'Scoring', {
 *   container: new InferenceContainer({ image: xgboost, model: ModelData.archive(models, 'churn/7/model.tar.gz') }),
 *   input: { bucket: data, prefix: 'customers' },
 *   output: { bucket: data, prefix: 'scores' },
 *   instanceType: 'ml.m5.xlarge',
 *   join: { inputFilter: '$[1:]' },
 *   schedule: { expression: ScheduleExpression.cron({ hour: '3', minute: '0' }) },
 * });
 * scoring.grantStart(release);
 * ```
 *
 * Triton answers requests of the Open Inference Protocol only: with `InferenceContainer.onnx` a file is one such request (`contentType:
 * 'application/json'`, `split: 'none'`). The CDK's own task (`SageMakerCreateTransformJob`) gives the model's role `AmazonSageMakerFullAccess` and lets
 * the state machine touch every transform job; here each has what it needs.
 */
export class BatchTransform extends Construct {
  readonly stateMachine: StateMachine;
  /** For what is not offered here: the resource of CloudFormation. */
  readonly model: CfnModel;
  readonly role: Role;
  readonly logGroup: LogGroup;
  readonly encryptionKey: IKey;
  readonly jobName: string;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: BatchTransformProps) {
    super(scope, id);
    const findings = new Findings(this, 'BatchTransform');
    findings.add(...batchTransformProblems(props, this));
    findings.throwIfAny();
    for (const warning of props.container.warnings('container')) findings.warn(warning);
    const { container, input, output, schedule, topic } = props;
    const stack = Stack.of(this);
    this.jobName = props.jobName ?? Names.uniqueResourceName(this, { maxLength: 26, separator: '-' });
    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', {
        enableKeyRotation: true,
        description: `Volumes and logs of ${this.node.path}`,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    const volumeKey = hasOwnDisks(props.instanceType) ? undefined : this.encryptionKey;
    this.role = executionRole(this, 'Role', {
      // All transform jobs of an account write to one group, which SageMaker makes.
      logGroupArn: logGroupArn(this, '/aws/sagemaker/TransformJobs'),
      volumeKey,
    });
    grantReadBelow(input, this.role);
    grantWrite(output, this.role);
    if (props.encryptionKey !== undefined) props.encryptionKey.grant(this.role, 'kms:GenerateDataKey', 'kms:Decrypt');
    container.grantUse(this.role, this);
    this.model = new CfnModel(this, 'Model', {
      executionRoleArn: this.role.roleArn,
      primaryContainer: container.definition(this),
      enableNetworkIsolation: props.networkIsolation ?? true,
    });
    this.model.node.addDependency(this.role.node.findChild('DefaultPolicy'));
    this.logGroup = encryptedLogs(this, 'Logs', {
      // The prefix spares an entry of the account's policy of logs for each state machine.
      logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(this, { separator: '-' })}`,
      retention: props.logRetention ?? RetentionDays.ONE_YEAR,
      key: this.encryptionKey,
    });
    const definition = transformDefinition(props, {
      jobName: this.jobName,
      modelName: this.model.attrModelName,
      volumeKeyArn: volumeKey?.keyArn,
      outputKeyArn: (props.encryptionKey ?? output.bucket.encryptionKey)?.keyArn,
      partition: stack.partition,
    });
    this.stateMachine = new StateMachine(this, 'Resource', {
      comment: `Runs of ${this.node.path}`,
      definitionBody: DefinitionBody.fromString(stack.toJsonString(definition)),
      tracingEnabled: true,
      logs: { destination: this.logGroup, level: LogLevel.ALL, includeExecutionData: true },
    });
    this.#allowJobs(stack);
    if (topic !== undefined) this.#tell(topic);
    if (schedule !== undefined) this.#schedule(schedule);
  }

  /** Lets start it. */
  grantStart(grantee: IGrantable): Grant {
    return this.stateMachine.grantStartExecution(grantee);
  }

  /** Something done when it ended, however: EventBridge tells of every execution. */
  onEnd(id: string, target: IRuleTarget): Rule {
    return this.#on(id, everyEnd, target);
  }

  /** Something done when it failed, ran out of time or was stopped. */
  onFailed(id: string, target: IRuleTarget): Rule {
    return this.#on(id, ['FAILED', 'TIMED_OUT', 'ABORTED'], target);
  }

  /** Executions that ended well. */
  metricSucceeded(options: MetricOptions = {}): Metric {
    return this.stateMachine.metricSucceeded(options);
  }

  /** Executions that failed. */
  metricFailed(options: MetricOptions = {}): Metric {
    return this.stateMachine.metricFailed(options);
  }

  /** Milliseconds from start to end. */
  metricTime(options: MetricOptions = {}): Metric {
    return this.stateMachine.metricTime(options);
  }

  #on(id: string, statuses: readonly string[], target: IRuleTarget): Rule {
    return new Rule(this, id, {
      description: `Runs of ${this.node.path}: ${statuses.join(', ')}`,
      eventPattern: {
        source: ['aws.states'],
        detailType: [executionEnds],
        detail: { stateMachineArn: [this.stateMachine.stateMachineArn], status: [...statuses] },
      },
      targets: [target],
    });
  }

  /** Also of runs that were aborted, which no state of theirs could tell. */
  #tell(topic: ITopic): void {
    const role = new Role(this, 'EndRole', {
      description: `Tells the ends of ${this.node.path}`,
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    grantTell(topic, role);
    new CfnRule(this, 'EndRule', {
      description: `Runs of ${this.node.path} that ended`,
      eventPattern: {
        source: ['aws.states'],
        'detail-type': [executionEnds],
        detail: { stateMachineArn: [this.stateMachine.stateMachineArn], status: [...everyEnd] },
      },
      targets: [{ id: 'Topic', arn: topic.topicArn, roleArn: role.roleArn }],
    });
  }

  #allowJobs(stack: Stack): void {
    const arn = (service: string, resource: string): string =>
      `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${resource}`;
    this.stateMachine.addToRolePolicy(
      allowance(
        [
          'sagemaker:AddTags',
          'sagemaker:CreateTransformJob',
          'sagemaker:DescribeTransformJob',
          'sagemaker:StopTransformJob',
        ],
        [arn('sagemaker', `transform-job/${this.jobName.toLowerCase()}-*`)],
      ),
    );
    // By this rule Step Functions hears that a job ended: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
    this.stateMachine.addToRolePolicy(
      allowance(
        ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
        [arn('events', 'rule/StepFunctionsGetEventsForSageMakerTransformJobsRule')],
      ),
    );
  }

  #schedule({ expression, folder }: TransformSchedule): void {
    new Schedule(this, 'Schedule', {
      schedule: expression,
      description: `Starts ${this.node.path}`,
      target: new StepFunctionsStartExecution(this.stateMachine, {
        input: ScheduleTargetInput.fromObject(folder === undefined ? {} : { folder }),
        // An hour late is better than twice.
        maxEventAge: Duration.hours(1),
        retryAttempts: 3,
      }),
    });
  }
}
