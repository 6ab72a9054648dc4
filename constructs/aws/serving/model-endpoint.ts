import { CfnDeletionPolicy, type CfnResource, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type Metric,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import {
  Connections,
  type IConnectable,
  type ISecurityGroup,
  type IVpc,
  SecurityGroup,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2';
import { Grant, type IGrantable, Policy, type Role } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnEndpoint, CfnEndpointConfig, CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { canaryMetrics } from '../../../core/telemetry/index.ts';
import { Findings } from '../../problem/index.ts';
import { encryptedLogs } from '../encrypted-logs.ts';
import { allowance } from '../identity/allowance.ts';
import { grantCanary } from '../identity/granted-statements.ts';
import { logGroupArn } from '../log-encryption.ts';
import { deploymentConfig, type EndpointDeployment } from './endpoint-deployment.ts';
import { cloudWatchMetric, type EndpointMetricName, endpointMetric } from './endpoint-metrics.ts';
import { endpointProblems, endpointWarnings } from './endpoint-problems.ts';
import {
  type EndpointKind,
  type EndpointVariant,
  fewestInstances,
  hasOwnDisks,
  productionVariant,
  variantName,
} from './endpoint-variant.ts';
import { executionRole, type ModelNetwork } from './execution-role.ts';
import { grantTell } from './notice.ts';
import { alarmCount, type EndpointAlarms, grantReportQuality, RollbackAlarms } from './rollback-alarms.ts';
import { grantReadBelow, grantWrite, placeUri, type StoredPlace } from './stored-place.ts';
import { VariantScaler } from './variant-scaling.ts';

export interface ModelEndpointProps {
  /** At most 63 letters, digits and hyphens. Another one is another endpoint. @default from the construct's path */
  readonly endpointName?: string;
  /** One model, or several that share the requests by their weights. */
  readonly variants: readonly [EndpointVariant, ...EndpointVariant[]];
  /** A model that gets copies of requests and whose answers nobody sees. Beside one variant only. @default none */
  readonly shadow?: ShadowVariant;
  /** Requests are put into S3 and answered there, when an instance is free; up to 1 GB and an hour each. @default answered at once */
  readonly asynchronous?: AsynchronousServing;
  /** Requests and answers kept on S3, for `sluice detect-drift` to hold against the training data. @default none */
  readonly dataCapture?: DataCapture;
  /** How a new model comes to serve. @default all traffic at once, then ten minutes in which an alarm takes it back */
  readonly deployment?: EndpointDeployment;
  /** By which a deployment is taken back. @default more than 1 % of the requests answered with 5xx */
  readonly alarms?: EndpointAlarms;
  /**
   * Whether a deployment by CloudFormation sets the weights of several variants to those declared here, or keeps those that `sluice canary` has moved.
   * @default 'declared'
   */
  readonly weights?: 'declared' | 'kept';
  /** Where instances have network interfaces of their own. @default outside of any VPC of yours */
  readonly vpc?: IVpc;
  /** @default private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /** @default one of its own, that lets nothing in */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** Whether the containers are kept from every network call. @default true; serverless variants cannot be */
  readonly networkIsolation?: boolean;
  /**
   * Of the instances' volumes and of the containers' logs. Disks that are part of an instance (`ml.g5`, `ml.m5d`) are encrypted by the hardware, and
   * SageMaker takes no key then; serverless variants have no volumes. @default a key of its own, kept when the stack goes
   */
  readonly encryptionKey?: IKey;
  /** How long lines of the containers are kept. @default one year */
  readonly logRetention?: RetentionDays;
}

export interface ShadowVariant extends Omit<EndpointVariant, 'weight' | 'scaling' | 'serverless'> {
  readonly name: string;
  /** The share of the requests that is copied: more than 0, at most 1. */
  readonly share: number;
}

export interface AsynchronousServing {
  /** Where answers go. */
  readonly output: StoredPlace;
  /** Where requests are read from: what `InvokeEndpointAsync` names has to be below it. */
  readonly input: StoredPlace;
  /** Where it is told why a request failed. @default nowhere */
  readonly failures?: StoredPlace;
  /** @default none */
  readonly successTopic?: ITopic;
  /** @default none */
  readonly errorTopic?: ITopic;
  /** How many requests an instance has on its hands. 1 to 1000. @default SageMaker's choice */
  readonly concurrencyPerInstance?: number;
}

export interface DataCapture {
  /** Files come as `<prefix>/<endpoint>/<variant>/2026/11/22/09/….jsonl`. */
  readonly destination: StoredPlace;
  /** Percent of the requests, 1 to 100. */
  readonly samplingPercentage: number;
  /** @default both */
  readonly what?: readonly ('input' | 'output')[];
  /** Content types kept as text; others in base64. @default text/csv */
  readonly csvContentTypes?: readonly string[];
  /** @default application/json */
  readonly jsonContentTypes?: readonly string[];
}

/** A configuration that is there and serves nobody yet: for `sluice canary` in mode `guardrails`. */
export interface EndpointCandidate {
  readonly config: CfnEndpointConfig;
  /** `canary.traffic.canary` in `sluice.yaml`. */
  readonly configName: string;
  /** `deployment.alarms`: of the candidate's fleet alone, and the abort alarm. */
  readonly alarms: readonly IAlarm[];
}

/**
 * A model served by SageMaker: models, endpoint configuration and endpoint, deployed by degrees under alarms that take a bad one back, scaled,
 * encrypted, cut off from networks, with a role that may do what it needs.
 *
 * ```ts
 * new ModelEndpoint(this, 'Churn', {
 *   variants: [
 *     {
 *       container: InferenceContainer.onnx({
 *         image: { repository: images, digest: 'sha256:…' },
 *         model: ModelData.files(models, 'churn/7/'),
 *         defaultModel: 'churn',
 *       }),
 *       instanceType: 'ml.c7i.xlarge',
 *       scaling: { min: 2, max: 10, invocationsPerInstance: 1200 },
 *     },
 *   ],
 *   deployment: { kind: 'canary', percent: 10, bake: Duration.minutes(15) },
 *   alarms: { p99Latency: Duration.millis(200) },
 * });
 * ```
 *
 * Who moves the traffic: either `cdk deploy`, by `deployment` and `alarms`; or `sluice canary`, by its own evidence. Both at once meet: an endpoint
 * takes one change at a time. See the README.
 */
export class ModelEndpoint extends Construct implements IConnectable {
  /** For what is not offered here, as `config` and `models`: the resources of CloudFormation. */
  readonly endpoint: CfnEndpoint;
  readonly config: CfnEndpointConfig;
  /** In the order of the variants, the shadow last. */
  readonly models: readonly CfnModel[];
  readonly role: Role;
  readonly logGroup: LogGroup;
  readonly endpointName: string;
  readonly encryptionKey: IKey;
  /** Those that take a deployment back, of the fleet that this stack deploys. */
  readonly alarms: readonly IAlarm[];
  readonly #props: ModelEndpointProps;
  readonly #kind: EndpointKind;
  readonly #network: ModelNetwork | undefined;
  readonly #volumeKey: IKey | undefined;
  readonly #candidates: EndpointCandidate[] = [];
  #abortAlarm: Alarm | undefined;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ModelEndpointProps) {
    super(scope, id);
    this.#props = props;
    const { variants, vpc, alarms = {}, deployment = { kind: 'all-at-once' } } = props;
    this.#kind = kindOf(props);
    this.endpointName = props.endpointName ?? Names.uniqueResourceName(this, { maxLength: 63, separator: '-' });
    const findings = new Findings(this, 'ModelEndpoint');
    findings.add(...endpointProblems(props, this.#kind, this));
    findings.throwIfAny();
    for (const warning of endpointWarnings(props)) findings.warn(warning);

    this.#network = vpc === undefined ? undefined : networkOf(this, vpc, props);
    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', {
        enableKeyRotation: true,
        description: `Volumes and logs of ${this.node.path}`,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.#volumeKey = haveVolumes(props) ? this.encryptionKey : undefined;
    const logGroupName = `/aws/sagemaker/Endpoints/${this.endpointName}`;
    // SageMaker would make it at the first line, and keep lines for ever.
    this.logGroup = encryptedLogs(this, 'Logs', {
      logGroupName,
      retention: props.logRetention ?? RetentionDays.ONE_YEAR,
      key: this.encryptionKey,
    });
    this.role = executionRole(this, 'Role', {
      logGroupArn: logGroupArn(this, logGroupName),
      network: this.#network,
      volumeKey: this.#volumeKey,
    });
    this.#grantPlaces();
    const made = this.#makeConfig(this, variants, props.shadow);
    this.config = made.config;
    this.models = made.models;
    this.alarms =
      this.#kind === 'serverless'
        ? []
        : new RollbackAlarms(this, 'Rollback', {
            endpointName: this.endpointName,
            namePrefix: this.endpointName,
            variants: variants.map(variantName),
            alarms,
            endpointConfigName: this.config.attrEndpointConfigName,
            asynchronous: this.#kind === 'asynchronous',
          }).alarms;
    const keepCounts = variants.some(({ scaling }) => scaling !== undefined);
    const keepWeights = props.weights === 'kept';
    this.endpoint = new CfnEndpoint(this, 'Resource', {
      endpointName: this.endpointName,
      endpointConfigName: this.config.attrEndpointConfigName,
      ...(this.#kind === 'serverless'
        ? {}
        : {
            deploymentConfig: deploymentConfig(
              deployment,
              this.alarms.map(({ alarmName }) => alarmName),
              Math.min(...variants.map((variant) => fewestInstances(variant, this.#kind))),
            ),
            // What scaling has decided since is not undone by a new model.
            retainAllVariantProperties: keepCounts || keepWeights,
            // The third kind, DataCaptureConfig, SageMaker does not support: what the configuration says of it holds.
            ...(keepCounts === keepWeights
              ? {}
              : {
                  excludeRetainedVariantProperties: [
                    { variantPropertyType: keepCounts ? 'DesiredWeight' : 'DesiredInstanceCount' },
                  ],
                }),
          }),
    });
    this.endpoint.node.addDependency(this.logGroup);
    this.#allowAlarms('RollbackPolicy', this.alarms);
    for (const variant of variants) this.#scale(variant);
  }

  /** ARN of the endpoint; SageMaker writes its name in small letters there. */
  get endpointArn(): string {
    return this.endpoint.ref;
  }

  /** Who may speak to the containers' network interfaces, and to whom these may. @throws where the endpoint is in no VPC */
  get connections(): Connections {
    if (this.#network === undefined) {
      throw new Error(`ModelEndpoint "${this.node.path}" is in no VPC and has no connections: set vpc`);
    }
    return new Connections({ securityGroups: [...this.#network.securityGroups] });
  }

  /**
   * A further configuration of the same variants' names, for `sluice canary` to bring to traffic by degrees (mode `guardrails`). Nothing serves from it
   * until then. Once it is promoted, give the endpoint the same variants and take the candidate away.
   * @throws ConstructError with everything that is wrong with them
   */
  addCandidate(id: string, variants: readonly [EndpointVariant, ...EndpointVariant[]]): EndpointCandidate {
    const props: ModelEndpointProps = { ...this.#props, variants };
    const scope = new Construct(this, id);
    const findings = new Findings(scope, 'ModelEndpoint.addCandidate');
    findings.add(...endpointProblems(props, kindOf(props), scope));
    const [own, others] = [this.#props.variants.map(variantName), variants.map(variantName)];
    findings.demand(own.toSorted().join() === others.toSorted().join(), () => ({
      code: 'variant-renamed',
      message: 'the candidate has other variants than the endpoint, and SageMaker would shift all traffic at once',
      found: others.join(', '),
      expected: own.join(', '),
      fix: 'Give the variants the same names.',
    }));
    findings.demand(alarmCount(this.#props.alarms ?? {}, variants.length) < 10, () => ({
      code: 'too-many-alarms',
      message:
        'a deployment of SageMaker watches ten alarms at most, and the one by which sluice canary calls back is one of them',
      fix: 'Leave one out, or put alarms of your own together in a composite alarm.',
    }));
    findings.demand(this.#kind === 'real-time' || this.#kind === 'asynchronous', () => ({
      code: 'serverless-excludes',
      message: 'a serverless endpoint has no guarded deployments',
      fix: 'Change its variants and deploy.',
    }));
    findings.throwIfAny();
    for (const warning of endpointWarnings(props)) findings.warn(warning);
    const { config } = this.#makeConfig(scope, variants, this.#props.shadow);
    const { alarms } = new RollbackAlarms(scope, 'Rollback', {
      endpointName: this.endpointName,
      namePrefix: `${this.endpointName}-${id}`,
      variants: others,
      alarms: this.#props.alarms ?? {},
      endpointConfigName: config.attrEndpointConfigName,
      asynchronous: this.#kind === 'asynchronous',
    });
    const candidate = {
      config,
      configName: config.attrEndpointConfigName,
      alarms: [...alarms, this.abortAlarm],
    };
    this.#candidates.push(candidate);
    this.#allowAlarms(`${id}RollbackPolicy`, candidate.alarms);
    return candidate;
  }

  /** The alarm by which `sluice canary` calls a guarded deployment back (`abort_alarm`): on nothing that is ever measured, so it stays as it is set. */
  get abortAlarm(): IAlarm {
    this.#abortAlarm ??= new Alarm(this, 'Abort', {
      alarmName: `${this.endpointName}-abort`,
      alarmDescription: `Set by sluice canary to call a deployment of ${this.endpointName} back`,
      metric: cloudWatchMetric(canaryMetrics.abort, { EndpointName: this.endpointName }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.IGNORE,
    });
    return this.#abortAlarm;
  }

  /** Lets ask for predictions. */
  grantInvoke(grantee: IGrantable): Grant {
    const actions =
      this.#kind === 'asynchronous'
        ? ['sagemaker:InvokeEndpointAsync']
        : ['sagemaker:InvokeEndpoint', 'sagemaker:InvokeEndpointWithResponseStream'];
    return Grant.addToPrincipal({ grantee, actions, resourceArns: [this.endpointArn] });
  }

  /**
   * Lets run `sluice canary` on this endpoint: what `sluice canary permissions` prints, and no more. Between two variants it moves weights; with
   * candidates it may deploy them and the configuration that serves, and set the abort alarm.
   * @throws ConstructError where there are neither two variants nor a candidate
   */
  grantCanary(grantee: IGrantable): Grant {
    const findings = new Findings(this, 'ModelEndpoint');
    const guarded = this.#candidates.length > 0;
    findings.demand(guarded || this.#props.variants.length === 2, () => ({
      code: 'nothing-to-canary',
      message: 'grantCanary needs two variants to move weights between, or a candidate to deploy',
      found: `${this.#props.variants.length} variants and no candidate`,
      fix: 'Give the endpoint a second variant with weight 0, or call addCandidate first.',
    }));
    findings.throwIfAny();
    if (!guarded && this.#props.weights !== 'kept') {
      findings.warn({
        code: 'weights-declared',
        message:
          'sluice canary moves the weights, and the next deployment of this stack that changes a model sets them back',
        fix: "Set weights: 'kept'.",
      });
    }
    const granted = grantCanary(grantee, {
      endpointArn: this.endpointArn,
      ...(guarded
        ? {
            endpointConfigArns: [this.config.ref, ...this.#candidates.map(({ config }) => config.ref)],
            abortAlarmArn: this.abortAlarm.alarmArn,
          }
        : {}),
      cloudwatchRegion: Stack.of(this).region,
    });
    if (!guarded || this.#volumeKey === undefined) return granted;
    // Who updates the endpoint hands the key of its volumes on to SageMaker.
    return granted.combine(
      Grant.addToPrincipal({
        grantee,
        actions: ['kms:CreateGrant'],
        resourceArns: [this.#volumeKey.keyArn],
        conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      }),
    );
  }

  /** Lets tell CloudWatch what `qualityMetric` reads. */
  grantReportQuality(grantee: IGrantable): Grant {
    return grantReportQuality(grantee);
  }

  /** A metric of one variant, the first one unless `dimensionsMap` names another. */
  metric(name: EndpointMetricName, options: MetricOptions = {}): Metric {
    const dimensions = { EndpointName: this.endpointName, VariantName: variantName(this.#props.variants[0]) };
    return endpointMetric(name, dimensions, options);
  }

  metricInvocations(options: MetricOptions = {}): Metric {
    return this.metric('requests', options);
  }

  /** Requests of each instance. */
  metricInvocationsPerInstance(options: MetricOptions = {}): Metric {
    return this.metric('requestsPerInstance', options);
  }

  /** Microseconds in the container, by default of the slowest 1 %. */
  metricModelLatency(options: MetricOptions = {}): Metric {
    return this.metric('latency', options);
  }

  /** Microseconds that SageMaker adds. */
  metricOverheadLatency(options: MetricOptions = {}): Metric {
    return this.metric('overhead', options);
  }

  metric4xx(options: MetricOptions = {}): Metric {
    return this.metric('clientErrors', options);
  }

  metric5xx(options: MetricOptions = {}): Metric {
    return this.metric('serverErrors', options);
  }

  /** Percent, times the number of GPUs. */
  metricGpuUtilization(options: MetricOptions = {}): Metric {
    return this.metric('gpu', options);
  }

  /** Percent, times the number of processors. */
  metricCpuUtilization(options: MetricOptions = {}): Metric {
    return this.metric('processor', options);
  }

  /** Requests that wait for each instance of an asynchronous endpoint. By the endpoint's name alone, as SageMaker tells it. */
  metricBacklogPerInstance(options: MetricOptions = {}): Metric {
    return endpointMetric('backlogPerInstance', { EndpointName: this.endpointName }, options);
  }

  #grantPlaces(): void {
    const { dataCapture, asynchronous } = this.#props;
    if (dataCapture !== undefined) grantWrite(dataCapture.destination, this.role);
    if (asynchronous === undefined) return;
    const { input, output, failures, successTopic, errorTopic } = asynchronous;
    grantReadBelow(input, this.role);
    grantWrite(output, this.role);
    if (failures !== undefined) grantWrite(failures, this.role);
    for (const topic of [successTopic, errorTopic]) if (topic !== undefined) grantTell(topic, this.role);
  }

  #makeConfig(scope: Construct, variants: readonly EndpointVariant[], shadow: ShadowVariant | undefined) {
    const kind = this.#kind;
    const models: CfnModel[] = [];
    const model = (variant: EndpointVariant): CfnModel => {
      const { container } = variant;
      container.grantUse(this.role, this);
      const network = this.#network;
      const made = new CfnModel(scope, `Model-${variantName(variant)}`, {
        executionRoleArn: this.role.roleArn,
        primaryContainer: container.definition(this),
        enableNetworkIsolation: this.#props.networkIsolation ?? kind !== 'serverless',
        ...(network === undefined
          ? {}
          : {
              vpcConfig: {
                subnets: network.subnets.map(({ subnetId }) => subnetId),
                securityGroupIds: network.securityGroups.map(({ securityGroupId }) => securityGroupId),
              },
            }),
      });
      // SageMaker looks for the files with the role as soon as a model is made.
      made.node.addDependency(this.role.node.findChild('DefaultPolicy'));
      models.push(kept(made));
      return made;
    };
    const config = new CfnEndpointConfig(scope, 'Config', {
      productionVariants: variants.map((variant) => productionVariant(variant, model(variant).attrModelName, kind)),
      ...(shadow === undefined
        ? {}
        : {
            shadowProductionVariants: [
              // The share that is copied is the ratio of the two weights.
              productionVariant(shadow, model(shadow).attrModelName, kind, shadow.share * (variants[0]?.weight ?? 1)),
            ],
          }),
      ...(this.#volumeKey === undefined ? {} : { kmsKeyId: this.#volumeKey.keyArn }),
      ...captureOf(this.#props.dataCapture),
      ...asynchronousOf(this.#props.asynchronous),
    });
    return { config: kept(config), models };
  }

  /** SageMaker looks at the alarms with the model's role. In a policy of its own: the alarms come after the models. */
  #allowAlarms(id: string, alarms: readonly IAlarm[]): void {
    if (alarms.length === 0) return;
    const policy = new Policy(this, id, {
      roles: [this.role],
      statements: [
        allowance(
          ['cloudwatch:DescribeAlarms'],
          alarms.map(({ alarmArn }) => alarmArn),
        ),
      ],
    });
    this.endpoint.node.addDependency(policy);
  }

  #scale(variant: EndpointVariant): void {
    const { scaling, instanceType } = variant;
    if (scaling === undefined) return;
    const name = variantName(variant);
    new VariantScaler(this, `Scaling-${name}`, {
      endpointName: this.endpointName,
      variantName: name,
      instanceType,
      scaling,
    }).node.addDependency(this.endpoint);
  }
}

/** Whether every instance has a volume that takes a key: SageMaker refuses one as soon as an instance has disks of its own. */
function haveVolumes({ variants, shadow }: ModelEndpointProps): boolean {
  const all = shadow === undefined ? variants : [...variants, shadow];
  return all.every(({ instanceType }) => instanceType !== undefined && !hasOwnDisks(instanceType));
}

/**
 * What a deployment took the place of is left there: an endpoint that went back to it needs it, and SageMaker does not say so to CloudFormation in time.
 * It costs nothing.
 */
function kept<Resource extends CfnResource>(resource: Resource): Resource {
  resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  resource.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
  return resource;
}

function kindOf({ asynchronous, variants }: ModelEndpointProps): EndpointKind {
  if (asynchronous !== undefined) return 'asynchronous';
  return variants.some(({ serverless }) => serverless !== undefined) ? 'serverless' : 'real-time';
}

function networkOf(scope: Construct, vpc: IVpc, { vpcSubnets, securityGroups }: ModelEndpointProps): ModelNetwork {
  return {
    vpc,
    subnets: vpc.selectSubnets(vpcSubnets).subnets,
    securityGroups: securityGroups ?? [
      new SecurityGroup(scope, 'SecurityGroup', { vpc, description: `Models of ${scope.node.path}` }) as ISecurityGroup,
    ],
  };
}

function captureOf(
  capture: DataCapture | undefined,
): Pick<ConstructorParameters<typeof CfnEndpointConfig>[2], 'dataCaptureConfig'> {
  if (capture === undefined) return {};
  const { destination, samplingPercentage, what = ['input', 'output'] } = capture;
  const { csvContentTypes = ['text/csv'], jsonContentTypes = ['application/json'] } = capture;
  const key = destination.bucket.encryptionKey;
  return {
    dataCaptureConfig: {
      enableCapture: true,
      destinationS3Uri: placeUri(destination),
      initialSamplingPercentage: samplingPercentage,
      captureOptions: what.map((each) => ({ captureMode: each === 'input' ? 'Input' : 'Output' })),
      captureContentTypeHeader: { csvContentTypes: [...csvContentTypes], jsonContentTypes: [...jsonContentTypes] },
      ...(key === undefined ? {} : { kmsKeyId: key.keyArn }),
    },
  };
}

function asynchronousOf(
  serving: AsynchronousServing | undefined,
): Pick<ConstructorParameters<typeof CfnEndpointConfig>[2], 'asyncInferenceConfig'> {
  if (serving === undefined) return {};
  const { output, failures, successTopic, errorTopic, concurrencyPerInstance } = serving;
  const key = output.bucket.encryptionKey;
  const topics = {
    ...(successTopic === undefined ? {} : { successTopic: successTopic.topicArn }),
    ...(errorTopic === undefined ? {} : { errorTopic: errorTopic.topicArn }),
  };
  return {
    asyncInferenceConfig: {
      outputConfig: {
        s3OutputPath: placeUri(output),
        ...(failures === undefined ? {} : { s3FailurePath: placeUri(failures) }),
        ...(key === undefined ? {} : { kmsKeyId: key.keyArn }),
        ...(Object.keys(topics).length === 0 ? {} : { notificationConfig: topics }),
      },
      ...(concurrencyPerInstance === undefined
        ? {}
        : { clientConfig: { maxConcurrentInvocationsPerInstance: concurrencyPerInstance } }),
    },
  };
}
