import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Port, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, test } from 'vitest';
import { servingMetrics } from '../../../core/telemetry/index.ts';
import { ConstructError, warningsOf } from '../../problem/index.ts';
import { gallery } from '../fixtures/gallery/index.ts';
import { templateOf } from '../fixtures/synthesized.ts';
import { ModelBucket } from '../storage/model-bucket.ts';
import type { EndpointVariant } from './endpoint-variant.ts';
import { InferenceContainer, type TritonContainerProps } from './inference-container.ts';
import { ModelData } from './model-data.ts';
import { ModelEndpoint, type ModelEndpointProps } from './model-endpoint.ts';
import { qualityMetric } from './rollback-alarms.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const image = `123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/triton@${digest}`;

interface Scene {
  readonly stack: Stack;
  readonly models: ModelBucket;
  readonly container: InferenceContainer;
  readonly archive: InferenceContainer;
  readonly variant: EndpointVariant;
}

function scene(): Scene {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const models = new ModelBucket(stack, 'Models');
  const onnx = (model: ModelData, more: Partial<TritonContainerProps> = {}) =>
    InferenceContainer.onnx({ image, model, defaultModel: 'churn', ...more });
  const container = onnx(ModelData.files(models, 'churn/7/'));
  return {
    stack,
    models,
    container,
    archive: onnx(ModelData.archive(models, 'churn/7/model.tar.gz')),
    variant: { container, instanceType: 'ml.c7i.xlarge' },
  };
}

type Props = (scene: Scene) => ModelEndpointProps;

function endpointOf(props: Props): {
  readonly template: Template;
  readonly endpoint: ModelEndpoint;
  readonly of: Scene;
} {
  const of = scene();
  const endpoint = new ModelEndpoint(of.stack, 'Churn', props(of));
  return { template: Template.fromStack(of.stack), endpoint, of };
}

/** The codes of everything that is wrong, with the props that they name. */
function problemsOf(props: Props): readonly string[] {
  const of = scene();
  try {
    new ModelEndpoint(of.stack, 'Churn', props(of));
  } catch (error) {
    if (error instanceof ConstructError) return error.problems.map(({ code }) => code);
    throw error;
  }
  return [];
}

const real =
  (more: Partial<EndpointVariant> = {}, rest: Partial<ModelEndpointProps> = {}): Props =>
  ({ variant }) => ({ variants: [{ ...variant, ...more }], ...rest });

const serverless = { memoryMb: 2048, maxConcurrency: 10 };

/** As the CDK's own assertions have it. */
type Properties = ReturnType<Template['findResources']>[string];

function propertiesOf(template: Template, type: string): Properties {
  const [found, ...rest] = Object.values(template.findResources(type));
  expect(rest).toEqual([]);
  return found?.['Properties'] ?? {};
}

describe('an endpoint', () => {
  test('is deployed by degrees under alarms that take it back', () => {
    const { template } = endpointOf(
      real(
        {},
        {
          deployment: { kind: 'canary', percent: 20, bake: Duration.minutes(15) },
          alarms: { p99Latency: Duration.millis(200) },
        },
      ),
    );
    const { DeploymentConfig } = propertiesOf(template, 'AWS::SageMaker::Endpoint');
    expect(DeploymentConfig.BlueGreenUpdatePolicy).toEqual({
      MaximumExecutionTimeoutInSeconds: 2 * 2 * 900 + 1800,
      TerminationWaitInSeconds: 0,
      TrafficRoutingConfiguration: {
        Type: 'CANARY',
        CanarySize: { Type: 'CAPACITY_PERCENT', Value: 20 },
        WaitIntervalInSeconds: 900,
      },
    });
    const watched = DeploymentConfig.AutoRollbackConfiguration.Alarms.map(
      ({ AlarmName }: { AlarmName: { Ref: string } }) => AlarmName.Ref,
    );
    expect(watched.toSorted()).toEqual(Object.keys(template.findResources('AWS::CloudWatch::Alarm')).toSorted());
    expect(watched).toHaveLength(2);
  });

  test('is taken back for the new fleet alone: its alarms are of the endpoint configuration that is deployed', () => {
    const { template } = endpointOf(real({}, { alarms: { p99Latency: Duration.millis(200) } }));
    const [config] = Object.keys(template.findResources('AWS::SageMaker::EndpointConfig'));
    const fleet = { Name: 'EndpointConfigName', Value: { 'Fn::GetAtt': [config, 'EndpointConfigName'] } };
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ModelLatency',
      ExtendedStatistic: 'p99',
      // Microseconds.
      Threshold: 200_000,
      Dimensions: Match.arrayWith([fleet]),
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 0.01,
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'IF(requests >= 20, errors / requests, 0)' }),
        Match.objectLike({
          Id: 'errors',
          MetricStat: Match.objectLike({
            Stat: 'Sum',
            Metric: {
              Namespace: 'AWS/SageMaker',
              MetricName: 'Invocation5XXErrors',
              Dimensions: Match.arrayWith([fleet]),
            },
          }),
        }),
      ]),
    });
  });

  test('lets its role look at those alarms, without the models waiting for them', () => {
    const { template } = endpointOf(real());
    const text = JSON.stringify(template.toJSON());
    expect(text).toContain('cloudwatch:DescribeAlarms');
    template.hasResource('AWS::SageMaker::Endpoint', {
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('RollbackPolicy')]),
    });
  });

  test('rings for fewer requests than always come by both fleets, and for none', () => {
    endpointOf(real({}, { alarms: { minInvocations: 30 } })).template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'Invocations',
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      Dimensions: [
        { Name: 'EndpointName', Value: Match.anyValue() },
        { Name: 'VariantName', Value: 'AllTraffic' },
      ],
    });
  });

  test('rings for a model that got worse, on what somebody tells under the name that Prometheus has', () => {
    const metric = qualityMetric('accuracy', { model_name: 'churn' });
    const { template } = endpointOf(real({}, { alarms: { modelQuality: { metric, min: 0.9 } } }));
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'Sluice/Models',
      MetricName: servingMetrics.accuracy.name,
      Threshold: 0.9,
      ComparisonOperator: 'LessThanThreshold',
    });
    expect(() => qualityMetric('featurePsi', { model_name: 'churn' })).toThrow(/model_version, feature/);
  });

  test('keeps what scaling decided, and takes over the declared weights', () => {
    const scaled = endpointOf(real({ scaling: { min: 2, max: 4, invocationsPerInstance: 100 } }));
    expect(propertiesOf(scaled.template, 'AWS::SageMaker::Endpoint')).toMatchObject({
      RetainAllVariantProperties: true,
      ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredWeight' }],
    });
    expect(propertiesOf(endpointOf(real()).template, 'AWS::SageMaker::Endpoint')).toMatchObject({
      RetainAllVariantProperties: false,
    });
  });

  test('keeps the weights that sluice canary moved where that is asked for', () => {
    const { template } = endpointOf(({ variant }) => ({
      variants: [
        { ...variant, name: 'blue' },
        { ...variant, name: 'green', weight: 0 },
      ],
      weights: 'kept',
    }));
    expect(propertiesOf(template, 'AWS::SageMaker::Endpoint')).toMatchObject({
      RetainAllVariantProperties: true,
      ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredInstanceCount' }],
    });
  });

  test('names neither its configuration nor its models, and leaves behind those it took the place of', () => {
    const { template } = endpointOf(real());
    for (const type of ['AWS::SageMaker::EndpointConfig', 'AWS::SageMaker::Model']) {
      template.hasResource(type, { UpdateReplacePolicy: 'Retain', DeletionPolicy: 'Delete' });
      expect(Object.keys(propertiesOf(template, type)).filter((key) => /Name$/.test(key))).toEqual([]);
    }
  });

  test('is cut off from networks, and its volumes and logs have a key', () => {
    const { template, endpoint, of } = endpointOf(real());
    expect(propertiesOf(template, 'AWS::SageMaker::Model')).toMatchObject({ EnableNetworkIsolation: true });
    const key = of.stack.resolve(endpoint.encryptionKey.keyArn);
    expect(propertiesOf(template, 'AWS::SageMaker::EndpointConfig')['KmsKeyId']).toEqual(key);
    expect(propertiesOf(template, 'AWS::Logs::LogGroup')).toMatchObject({
      KmsKeyId: key,
      LogGroupName: `/aws/sagemaker/Endpoints/${endpoint.endpointName}`,
      RetentionInDays: 365,
    });
  });

  test('asks for no key of volumes where an instance has disks of its own', () => {
    const { template } = endpointOf(real({ instanceType: 'ml.g5.xlarge' }));
    expect(propertiesOf(template, 'AWS::SageMaker::EndpointConfig')).not.toHaveProperty('KmsKeyId');
    expect(JSON.stringify(template.toJSON())).not.toContain('kms:CreateGrant');
    const disk = (instanceType: string) =>
      propertiesOf(endpointOf(real({ instanceType })).template, 'AWS::SageMaker::EndpointConfig')['KmsKeyId'] ===
      undefined;
    expect(['ml.m5d.large', 'ml.c6gd.large', 'ml.r7gd.large', 'ml.p4d.24xlarge'].map(disk)).toEqual(
      Array(4).fill(true),
    );
    expect(['ml.m5.large', 'ml.c6g.large', 'ml.inf2.xlarge', 'ml.c6gn.large'].map(disk)).toEqual(Array(4).fill(false));
  });

  test('is in a VPC by its security group, which others open', () => {
    const of = scene();
    const vpc = new Vpc(of.stack, 'Vpc', { maxAzs: 2 }) as IVpc;
    const endpoint = new ModelEndpoint(of.stack, 'Churn', { variants: [of.variant], vpc });
    endpoint.connections.allowFromAnyIpv4(Port.tcp(8080));
    const template = Template.fromStack(of.stack);
    expect(propertiesOf(template, 'AWS::SageMaker::Model')['VpcConfig'].Subnets).toHaveLength(2);
    expect(propertiesOf(template, 'AWS::EC2::SecurityGroup')['SecurityGroupIngress']).toHaveLength(1);
    expect(() => endpointOf(real()).endpoint.connections).toThrow(/set vpc/);
  });

  test('keeps requests and answers in one folder, encrypted by its bucket’s key', () => {
    const of = scene();
    const key = new Key(of.stack, 'CaptureKey');
    const bucket = new Bucket(of.stack, 'Captured', { encryptionKey: key }) as IBucket;
    new ModelEndpoint(of.stack, 'Churn', {
      variants: [of.variant],
      dataCapture: { destination: { bucket, prefix: 'churn' }, samplingPercentage: 20, what: ['input'] },
    });
    const template = Template.fromStack(of.stack);
    expect(propertiesOf(template, 'AWS::SageMaker::EndpointConfig')['DataCaptureConfig']).toMatchObject({
      EnableCapture: true,
      InitialSamplingPercentage: 20,
      CaptureOptions: [{ CaptureMode: 'Input' }],
      KmsKeyId: of.stack.resolve(key.keyArn),
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 's3:PutObject', Resource: of.stack.resolve(`${bucket.bucketArn}/churn/*`) }),
        ]),
      },
    });
  });
});

describe('scaling', () => {
  const policiesOf = (template: Template) =>
    Object.values(template.findResources('AWS::ApplicationAutoScaling::ScalingPolicy')).map(
      (policy) => policy['Properties'] as Properties,
    );

  test('of an asynchronous endpoint follows the backlog by the endpoint’s name alone: no other dimension has data', () => {
    const template = templateOf(gallery['model-endpoint-asynchronous'] as (stack: Stack) => void);
    const [backlog] = policiesOf(template).filter(({ PolicyType }) => PolicyType === 'TargetTrackingScaling');
    expect(backlog?.['TargetTrackingScalingPolicyConfiguration'].CustomizedMetricSpecification).toEqual({
      Namespace: 'AWS/SageMaker',
      MetricName: 'ApproximateBacklogSizePerInstance',
      Statistic: 'Average',
      Dimensions: [{ Name: 'EndpointName', Value: 'scans' }],
    });
  });

  test('from nothing to one is by another metric, since nothing has no backlog per instance', () => {
    const template = templateOf(gallery['model-endpoint-asynchronous'] as (stack: Stack) => void);
    const [wake] = Object.entries(template.findResources('AWS::ApplicationAutoScaling::ScalingPolicy')).filter(
      ([, { Properties }]) => Properties.PolicyType === 'StepScaling',
    );
    expect(wake?.[1]['Properties'].StepScalingPolicyConfiguration).toMatchObject({
      AdjustmentType: 'ChangeInCapacity',
      StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'HasBacklogWithoutCapacity',
      Dimensions: [{ Name: 'EndpointName', Value: 'scans' }],
      AlarmActions: [{ Ref: wake?.[0] }],
      Threshold: 1,
    });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 0, MaxCapacity: 4 });
  });

  test('by GPUs counts all GPUs of an instance', () => {
    const template = templateOf(gallery['model-endpoint-linear'] as (stack: Stack) => void);
    const [gpu] = policiesOf(template);
    expect(gpu?.['TargetTrackingScalingPolicyConfiguration']).toMatchObject({
      TargetValue: 280,
      CustomizedMetricSpecification: {
        Namespace: '/aws/sagemaker/Endpoints',
        MetricName: 'GPUUtilization',
        Dimensions: [
          { Name: 'EndpointName', Value: 'ranker' },
          { Name: 'VariantName', Value: 'AllTraffic' },
        ],
      },
    });
  });

  test('by requests and by requests at once are SageMaker’s own metrics', () => {
    const template = templateOf(gallery['model-endpoint-canary'] as (stack: Stack) => void);
    expect(
      policiesOf(template).map(
        (policy) =>
          policy['TargetTrackingScalingPolicyConfiguration'].PredefinedMetricSpecification.PredefinedMetricType,
      ),
    ).toEqual(['SageMakerVariantInvocationsPerInstance', 'SageMakerVariantConcurrentRequestsPerModelHighResolution']);
  });
});

describe('kinds of endpoints', () => {
  test('asynchronous: requests and answers are in folders, and 5xx are shared out over what the container was asked', () => {
    const template = templateOf(gallery['model-endpoint-asynchronous'] as (stack: Stack) => void);
    const { AsyncInferenceConfig, ProductionVariants } = propertiesOf(template, 'AWS::SageMaker::EndpointConfig');
    expect(AsyncInferenceConfig).toMatchObject({
      ClientConfig: { MaxConcurrentInvocationsPerInstance: 4 },
      OutputConfig: { S3OutputPath: expect.anything(), S3FailurePath: expect.anything() },
    });
    expect(ProductionVariants[0]).not.toHaveProperty('RoutingConfig');
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Metrics: Match.arrayWith([
        Match.objectLike({
          Id: 'requests',
          MetricStat: Match.objectLike({
            Stat: 'SampleCount',
            Metric: Match.objectLike({ MetricName: 'ModelLatency' }),
          }),
        }),
      ]),
    });
  });

  test('serverless: neither instances nor alarms nor guardrails', () => {
    const template = templateOf(gallery['model-endpoint-serverless'] as (stack: Stack) => void);
    expect(propertiesOf(template, 'AWS::SageMaker::EndpointConfig')['ProductionVariants']).toEqual([
      {
        VariantName: 'AllTraffic',
        ModelName: expect.anything(),
        InitialVariantWeight: 1,
        ServerlessConfig: { MemorySizeInMB: 4096, MaxConcurrency: 20, ProvisionedConcurrency: 2 },
      },
    ]);
    expect(propertiesOf(template, 'AWS::SageMaker::Endpoint')).not.toHaveProperty('DeploymentConfig');
    template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });

  test('a shadow gets its share by the ratio of weights', () => {
    const template = templateOf(gallery['model-endpoint-shadow'] as (stack: Stack) => void);
    expect(propertiesOf(template, 'AWS::SageMaker::EndpointConfig')).toMatchObject({
      ProductionVariants: [{ VariantName: 'live', InitialVariantWeight: 1 }],
      ShadowProductionVariants: [{ VariantName: 'shadow', InitialVariantWeight: 0.25, InitialInstanceCount: 2 }],
    });
  });

  test('rolling exchanges instances by batches, and goes back at once', () => {
    const template = templateOf(gallery['model-endpoint-rolling'] as (stack: Stack) => void);
    expect(propertiesOf(template, 'AWS::SageMaker::Endpoint')['DeploymentConfig'].RollingUpdatePolicy).toEqual({
      MaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 20 },
      RollbackMaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 100 },
      WaitIntervalInSeconds: 600,
      MaximumExecutionTimeoutInSeconds: 2 * 5 * 600 + 1800,
    });
  });
});

describe('a container', () => {
  test('of Triton loads one model of its repository, and is told not to log each request', () => {
    const { template } = endpointOf(real());
    expect(propertiesOf(template, 'AWS::SageMaker::Model')['PrimaryContainer']).toMatchObject({
      Image: image,
      Environment: { SAGEMAKER_TRITON_DEFAULT_MODEL_NAME: 'churn', SAGEMAKER_TRITON_LOG_VERBOSE: 'false' },
      ModelDataSource: { S3DataSource: { S3DataType: 'S3Prefix', CompressionType: 'None' } },
    });
  });

  test('is pulled from the one repository that its address names', () => {
    const { template } = endpointOf(real());
    expect(JSON.stringify(template.toJSON())).toContain(':ecr:eu-west-1:123456789012:repository/models/triton');
  });

  test('with an archive has its address only', () => {
    const { template } = endpointOf(({ archive }) => ({ variants: [{ container: archive, serverless }] }));
    const { PrimaryContainer } = propertiesOf(template, 'AWS::SageMaker::Model');
    expect(PrimaryContainer).toHaveProperty('ModelDataUrl');
    expect(PrimaryContainer).not.toHaveProperty('ModelDataSource');
  });

  test('without a digest, or with a model whose key has no version, is warned of', () => {
    const warnings = (container: (of: Scene) => InferenceContainer) => {
      const of = scene();
      return warningsOf(
        new ModelEndpoint(of.stack, 'Churn', { variants: [{ ...of.variant, container: container(of) }] }),
      ).map(({ code }) => code);
    };
    expect(warnings(({ container }) => container)).toEqual([]);
    expect(
      warnings(({ models }) =>
        InferenceContainer.triton({
          image: image.replace(/@.*/, ':24.08'),
          model: ModelData.files(models, 'churn/live/'),
          defaultModel: 'churn',
        }),
      ),
    ).toEqual(['model-without-version', 'image-without-digest']);
  });
});

describe('grants of an endpoint', () => {
  const actionsOf = (use: (endpoint: ModelEndpoint, role: Role) => void, props: Props = real()) => {
    const of = scene();
    const role = new Role(of.stack, 'Caller', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    use(new ModelEndpoint(of.stack, 'Churn', props(of)), role);
    return Object.entries(Template.fromStack(of.stack).findResources('AWS::IAM::Policy'))
      .filter(([id]) => id.startsWith('Caller'))
      .flatMap(([, { Properties }]) =>
        (Properties.PolicyDocument.Statement as readonly { Action: string | readonly string[] }[]).flatMap(
          ({ Action }) => Action,
        ),
      )
      .toSorted();
  };

  test('to invoke are of its kind', () => {
    expect(actionsOf((endpoint, role) => endpoint.grantInvoke(role))).toEqual([
      'sagemaker:InvokeEndpoint',
      'sagemaker:InvokeEndpointWithResponseStream',
    ]);
  });

  test('to canary between two variants move weights, and no more', () => {
    const two: Props = ({ variant }) => ({
      variants: [
        { ...variant, name: 'blue' },
        { ...variant, name: 'green', weight: 0 },
      ],
      weights: 'kept',
    });
    expect(actionsOf((endpoint, role) => endpoint.grantCanary(role), two)).toEqual([
      'cloudwatch:GetMetricData',
      'sagemaker:AddTags',
      'sagemaker:DeleteTags',
      'sagemaker:DescribeEndpoint',
      'sagemaker:ListTags',
      'sagemaker:UpdateEndpointWeightsAndCapacities',
    ]);
  });

  test('to canary a candidate deploy it, hand the key on and ring the abort alarm', () => {
    const of = scene();
    const role = new Role(of.stack, 'Caller', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    const endpoint = new ModelEndpoint(of.stack, 'Churn', { endpointName: 'churn', variants: [of.variant] });
    const next = endpoint.addCandidate('Next', [of.variant]);
    endpoint.grantCanary(role);
    const template = Template.fromStack(of.stack);
    const both = [endpoint.endpoint, endpoint.config, next.config].map(({ ref }) => of.stack.resolve(ref));
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 'sagemaker:UpdateEndpoint', Resource: both }),
          Match.objectLike({ Action: 'cloudwatch:SetAlarmState' }),
          Match.objectLike({
            Action: 'kms:CreateGrant',
            Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
          }),
        ]),
      },
    });
    // Nothing is deployed from it, and a state that is set by hand stays.
    expect(propertiesOf(template, 'AWS::SageMaker::Endpoint')['EndpointConfigName']).toEqual(
      of.stack.resolve(endpoint.config.attrEndpointConfigName),
    );
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'churn-abort',
      TreatMissingData: 'ignore',
    });
    expect(next.alarms).toHaveLength(2);
  });

  test('to canary one variant without a candidate are refused, and so is a candidate with other names', () => {
    expect(() => actionsOf((endpoint, role) => endpoint.grantCanary(role))).toThrow(/addCandidate/);
    const of = scene();
    const endpoint = new ModelEndpoint(of.stack, 'Churn', { variants: [of.variant] });
    expect(() => endpoint.addCandidate('Next', [{ ...of.variant, name: 'other' }])).toThrow(/all traffic at once/);
  });

  test('to report quality are of one namespace', () => {
    expect(actionsOf((endpoint, role) => endpoint.grantReportQuality(role))).toEqual(['cloudwatch:PutMetricData']);
  });
});

test('metrics of an endpoint are of its first variant, and those of the queue of no variant', () => {
  const { endpoint, of } = endpointOf(real({}, { endpointName: 'churn' }));
  const dimensions = { EndpointName: 'churn', VariantName: 'AllTraffic' };
  for (const [metric, name] of [
    [endpoint.metricInvocations(), 'Invocations'],
    [endpoint.metricModelLatency(), 'ModelLatency'],
    [endpoint.metricOverheadLatency(), 'OverheadLatency'],
    [endpoint.metric4xx(), 'Invocation4XXErrors'],
    [endpoint.metric5xx(), 'Invocation5XXErrors'],
    [endpoint.metricGpuUtilization(), 'GPUUtilization'],
    [endpoint.metricCpuUtilization(), 'CPUUtilization'],
    [endpoint.metricInvocationsPerInstance(), 'InvocationsPerInstance'],
  ] as const) {
    expect(metric).toMatchObject({ metricName: name, dimensions });
  }
  expect(endpoint.metricBacklogPerInstance().dimensions).toEqual({ EndpointName: 'churn' });
  expect(of.stack.resolve(endpoint.endpointArn)).toHaveProperty('Ref');
});

describe('what SageMaker would refuse or silently do otherwise', () => {
  const canary = { kind: 'canary' } as const;
  const place = ({ models }: Scene, prefix = 'x') => ({ bucket: models.bucket as IBucket, prefix });
  const cases: Readonly<Record<string, readonly [Props, string]>> = {
    'a canary of more than half': [real({}, { deployment: { ...canary, percent: 60 } }), 'bad-step-size'],
    'a canary of more instances than half': [real({}, { deployment: { ...canary, instances: 2 } }), 'bad-step-size'],
    'a canary of one instance': [real({ instanceCount: 1 }, { deployment: canary }), 'fleet-too-small'],
    'a canary that scaling may leave one instance': [
      real({ scaling: { min: 1, max: 4, invocationsPerInstance: 9 } }, { deployment: canary }),
      'fleet-too-small',
    ],
    'a canary that nobody watches': [
      real({}, { deployment: canary, alarms: { serverErrorShare: false } }),
      'no-alarms',
    ],
    'a bake that ends before an alarm rings': [
      real({}, { deployment: { ...canary, bake: Duration.minutes(2) } }),
      'bake-shorter-than-alarm',
    ],
    'a bake of more than an hour': [real({}, { deployment: { ...canary, bake: Duration.hours(2) } }), 'bad-bake'],
    'steps longer than the whole': [
      real({}, { deployment: { ...canary, maxTime: Duration.minutes(15) } }),
      'bad-max-time',
    ],
    'a linear step of five percent': [real({}, { deployment: { kind: 'linear', percent: 5 } }), 'bad-step-size'],
    'guardrails on Inf1': [real({ instanceType: 'ml.inf1.xlarge' }, { deployment: canary }), 'guardrails-excluded'],
    'rolling several variants': [
      ({ variant }) => ({
        variants: [
          { ...variant, name: 'a' },
          { ...variant, name: 'b' },
        ],
        deployment: { kind: 'rolling' },
      }),
      'rolling-excluded',
    ],
    'a start of two hours': [real({ startupTimeout: Duration.hours(2) }), 'bad-variant'],
    'a download of ten seconds': [real({ downloadTimeout: Duration.seconds(10) }), 'bad-variant'],
    'a negative weight': [real({ weight: -1 }), 'bad-variant'],
    'a variant name with a dot': [real({ name: 'v1.2' }), 'bad-variant'],
    'weights of nothing': [real({ weight: 0 }), 'bad-weights'],
    'two variants of one name': [({ variant }) => ({ variants: [variant, variant] }), 'variant-name-twice'],
    'an instance that is none': [real({ instanceType: 'ml.c7i.huge' }), 'unknown-instance-type'],
    'an instance for training only': [real({ instanceType: 'ml.c5n.xlarge' }), 'instance-not-for-use'],
    'no instance at all': [({ container }) => ({ variants: [{ container }] }), 'no-instance-type'],
    'a volume beside disks': [real({ instanceType: 'ml.m5d.large', volumeSizeGb: 50 }), 'volume-with-own-disks'],
    'scaling from more to less': [
      real({ scaling: { min: 4, max: 2, invocationsPerInstance: 9 } }),
      'bad-scaling-range',
    ],
    'scaling to nothing in real time': [
      real({ instanceCount: 1, scaling: { min: 0, max: 2, invocationsPerInstance: 9 } }),
      'scale-to-zero',
    ],
    'scaling by nothing': [real({ scaling: { min: 2, max: 4 } }), 'bad-scaling-target'],
    'scaling by a backlog in real time': [
      real({ scaling: { min: 2, max: 4, backlogPerInstance: 4 } }),
      'bad-scaling-target',
    ],
    'scaling by GPUs that are not there': [
      real({ scaling: { min: 2, max: 4, gpuUtilization: 70 } }),
      'scaling-without-gpu',
    ],
    'memory between steps': [
      ({ archive }) => ({ variants: [{ container: archive, serverless: { ...serverless, memoryMb: 3000 } }] }),
      'bad-serverless',
    ],
    'more concurrency than SageMaker has': [
      ({ archive }) => ({ variants: [{ container: archive, serverless: { ...serverless, maxConcurrency: 500 } }] }),
      'bad-serverless',
    ],
    'serverless with data capture': [
      (of) => ({
        variants: [{ container: of.archive, serverless }],
        dataCapture: { destination: place(of), samplingPercentage: 10 },
      }),
      'serverless-excludes',
    ],
    'serverless in a VPC': [
      ({ archive, stack }) => ({ variants: [{ container: archive, serverless }], vpc: new Vpc(stack, 'Vpc') as IVpc }),
      'serverless-excludes',
    ],
    'serverless by canary': [
      ({ archive }) => ({ variants: [{ container: archive, serverless }], deployment: canary }),
      'serverless-excludes',
    ],
    'serverless from files': [({ container }) => ({ variants: [{ container, serverless }] }), 'archive-only'],
    'several asynchronous variants': [
      (of) => ({
        variants: [
          { ...of.variant, name: 'a' },
          { ...of.variant, name: 'b' },
        ],
        asynchronous: { input: place(of, 'in'), output: place(of, 'out') },
      }),
      'one-variant-only',
    ],
    'an asynchronous folder with a pattern': [
      (of) => ({ variants: [of.variant], asynchronous: { input: place(of, 'in/*'), output: place(of, 'out') } }),
      'bad-prefix',
    ],
    'two variants beside a shadow': [
      ({ variant }) => ({
        variants: [
          { ...variant, name: 'a' },
          { ...variant, name: 'b' },
        ],
        shadow: { ...variant, name: 'c', share: 0.1 },
      }),
      'shadow-excluded',
    ],
    'a shadow of everything and more': [
      ({ variant }) => ({ variants: [variant], shadow: { ...variant, name: 'c', share: 1.1 } }),
      'bad-shadow-share',
    ],
    'a sample of nothing': [
      (of) => ({ variants: [of.variant], dataCapture: { destination: place(of), samplingPercentage: 0 } }),
      'bad-sampling',
    ],
    'a share of errors in percent': [real({}, { alarms: { serverErrorShare: 5 } }), 'bad-alarm'],
    'an image of another registry': [
      ({ models }) => ({
        variants: [
          {
            instanceType: 'ml.m5.large',
            container: InferenceContainer.triton({
              image: `nvcr.io/nvidia/tritonserver@${digest}`,
              model: ModelData.files(models, 'churn/7/'),
              defaultModel: 'churn',
            }),
          },
        ],
      }),
      'image-not-in-ecr',
    ],
    'an archive that is none': [
      ({ models, variant }) => ({
        variants: [
          {
            ...variant,
            container: new InferenceContainer({ image, model: ModelData.archive(models, 'churn/7/model.onnx') }),
          },
        ],
      }),
      'bad-model-key',
    ],
    'a name with a dot': [real({}, { endpointName: 'churn.v1' }), 'bad-endpoint-name'],
  };

  test.each(Object.entries(cases))('%s', (_name, [props, code]) => {
    expect(problemsOf(props)).toEqual([code]);
  });

  test('is told all at once', () => {
    const wrong: Props = ({ variant }) => ({
      endpointName: 'churn.v1',
      variants: [{ ...variant, instanceCount: 1, weight: -1, startupTimeout: Duration.hours(2) }],
      deployment: { kind: 'canary', percent: 60, bake: Duration.minutes(1) },
    });
    expect(problemsOf(wrong)).toEqual([
      'bad-endpoint-name',
      'bad-variant',
      'bad-variant',
      'fleet-too-small',
      'bad-step-size',
      'bake-shorter-than-alarm',
    ]);
  });
});
