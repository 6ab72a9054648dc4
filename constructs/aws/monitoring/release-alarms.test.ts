import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { isAlert, servingRules } from '../../dashboards/index.ts';
import { evaluated, type MetricQuery } from '../fixtures/metric-math.ts';
import { problemsIn } from '../fixtures/problem-codes.ts';
import { resolved } from '../fixtures/resolved.ts';
import { knownMetric, means } from '../fixtures/telemetry-names.ts';
import { AlertTopic, ReleaseAlarms, type ReleaseAlarmsProps } from '../index.ts';

function synthesized(props: Partial<ReleaseAlarmsProps> = {}): Template {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  new ReleaseAlarms(stack, 'Alarms', { endpointName: 'churn', pages: new AlertTopic(stack, 'Pages'), ...props });
  return Template.fromStack(stack);
}

interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly Metrics: readonly MetricQuery[];
}

/** The metric alarms by the ids of their constructs: `ModelErrorsBurnFast1h`. */
function alarmsOf(template: Template): ReadonlyMap<string, AlarmProperties> {
  return new Map(
    Object.entries(template.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
      id.replace(/^Alarms/, '').replace(/[0-9A-F]{8}$/, ''),
      resolved(Properties) as AlarmProperties,
    ]),
  );
}

function alarm(template: Template, name: string): AlarmProperties {
  const found = alarmsOf(template).get(name);
  if (found === undefined) throw new Error(`no ${name} among ${[...alarmsOf(template).keys()].join(', ')}`);
  return found;
}

function composites(template: Template): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  return new Map(
    Object.entries(template.findResources('AWS::CloudWatch::CompositeAlarm')).map(([id, { Properties }]) => [
      id.replace(/^Alarms/, '').replace(/[0-9A-F]{8}$/, ''),
      resolved(Properties) as Readonly<Record<string, unknown>>,
    ]),
  );
}

const both = { variants: ['baseline', 'canary'] } as const;

describe('the alarms of an endpoint', () => {
  test.each([undefined, { availability: 0.99, latency: { objective: 0.95, threshold: 0.1 }, period: '15d' }])(
    'burn budgets at the bounds of the Prometheus rules: %j',
    (serviceLevel) => {
      const { groups } = servingRules({ profile: 'sluice', ...(serviceLevel === undefined ? {} : { serviceLevel }) });
      const alerts = groups.flatMap(({ rules }) => rules.filter(isAlert)).filter(({ alert }) => /Burn/.test(alert));
      const template = synthesized(serviceLevel === undefined ? {} : { serviceLevel });
      expect(alerts.length).toBe(6);
      for (const { alert, expr } of alerts) {
        const [, long = '', bound = '', short = ''] =
          /rate(\w+)(?:\{.*?\})? > ([\d.]+) and \S*?rate(\w+?)(?:\{.*?\})? >/.exec(expr) ?? [];
        for (const window of [long, short])
          expect([alert, window, alarm(template, `${alert}${window}`).Threshold]).toEqual([
            alert,
            window,
            Number(bound),
          ]);
      }
    },
  );

  test('look at each window whole, in at most a day at once', () => {
    const template = synthesized();
    const looked = (name: string) => {
      const { EvaluationPeriods, Metrics } = alarm(template, name);
      const periods = new Set(Metrics.flatMap(({ MetricStat }) => MetricStat?.Period ?? []));
      return [EvaluationPeriods, ...periods];
    };
    expect(looked('ModelErrorsBurnFast1h')).toEqual([1, 3600]);
    expect(looked('ModelErrorsBurnFast5m')).toEqual([1, 300]);
    expect(looked('ModelLatencyBurnSteady6h')).toEqual([1, 21_600]);
    expect(looked('ModelLatencyBurnSlow3d')).toEqual([3, 86_400]);
  });

  test('are each one that CloudWatch evaluates: at most a day, or a week by the hour', () => {
    for (const [name, { EvaluationPeriods, Metrics }] of alarmsOf(synthesized(both))) {
      const [period = 60] = Metrics?.flatMap(({ MetricStat }) => MetricStat?.Period ?? []) ?? [];
      expect([name, EvaluationPeriods * period]).toEqual([name, expect.any(Number)]);
      expect(EvaluationPeriods * period).toBeLessThanOrEqual(period < 3600 ? 86_400 : 604_800);
    }
  });

  test('ask for metrics of the vocabulary, by statistics that mean something', () => {
    for (const kind of ['real-time', 'asynchronous', 'serverless'] as const) {
      const hardware = kind === 'serverless' ? {} : { hardware: { vcpus: 4, gpus: 1 } };
      for (const { Metrics } of alarmsOf(synthesized({ ...both, kind, ...hardware })).values()) {
        for (const { MetricStat } of Metrics ?? []) {
          if (MetricStat === undefined) continue;
          const { Namespace, MetricName, Dimensions } = MetricStat.Metric;
          const metric = knownMetric(
            Namespace,
            MetricName,
            Dimensions.map(({ Name }) => Name),
          );
          expect([MetricName, metric?.name]).toEqual([MetricName, MetricName]);
          expect([MetricName, MetricStat.Stat, metric !== undefined && means(metric, MetricStat.Stat)]).toEqual([
            MetricName,
            MetricStat.Stat,
            true,
          ]);
        }
      }
    }
  });

  test('page for what users feel, in both windows of a burn, and notice the rest', () => {
    const { Unhealthy, AtRisk } = Object.fromEntries(composites(synthesized()));
    expect(Unhealthy?.['AlarmRule']).toMatch(
      /^\(\(ALARM\("<AlarmsModelErrorsBurnFast1h\w+\.Arn>"\) AND ALARM\("<AlarmsModelErrorsBurnFast5m\w+\.Arn>"\)\) OR /,
    );
    expect(Unhealthy?.['AlarmRule']).toMatch(/ModelMissing/);
    expect(Unhealthy?.['AlarmRule']).not.toMatch(/Slow|Full|Saturated/);
    expect(AtRisk?.['AlarmRule']).toMatch(/ModelErrorsBurnSlow3d.* AND .*ModelErrorsBurnSlow6h/);
    expect(AtRisk?.['AlarmRule']).toMatch(/MemoryAlmostFull/);
    expect(Unhealthy?.['AlarmActions']).toHaveLength(1);
    expect(AtRisk).not.toHaveProperty('AlarmActions');
  });

  test('name in no description more than CloudWatch takes', () => {
    for (const { AlarmDescription } of alarmsOf(synthesized(both)).values())
      expect(AlarmDescription.length).toBeLessThanOrEqual(1024);
  });
});

describe('the share of requests that an alarm looks at', () => {
  const template = synthesized(both);
  const share = (name: string, counts: Readonly<Record<string, number>>) =>
    evaluated(alarm(template, name).Metrics, ({ Metric, Stat }) => {
      const variant = Metric.Dimensions.find(({ Name }) => Name === 'VariantName')?.Value;
      return counts[`${variant} ${Metric.MetricName} ${Stat}`];
    });

  test('adds up the variants', () => {
    const counts = {
      'baseline Invocations Sum': 900,
      'canary Invocations Sum': 100,
      'baseline Invocation5XXErrors Sum': 5,
      'canary Invocation5XXErrors Sum': 15,
    };
    expect(share('ModelErrorsBurnFast1h', counts)).toBe(0.02);
  });

  test('is there while only one variant takes requests', () => {
    const counts = { 'baseline Invocations Sum': 1000, 'baseline Invocation5XXErrors Sum': 20 };
    expect(share('ModelErrorsBurnFast1h', counts)).toBe(0.02);
  });

  test('is nought in the long window until so many failed that it matters, whatever the share', () => {
    const few = { 'baseline Invocations Sum': 9, 'baseline Invocation5XXErrors Sum': 9 };
    expect(share('ModelErrorsBurnFast1h', few)).toBe(0);
    expect(share('ModelErrorsBurnFast5m', few)).toBe(1);
  });

  test('has no value where there were no requests, which is no alarm', () => {
    expect(share('ModelErrorsBurnFast1h', {})).toBeUndefined();
    expect(share('ModelErrorsBurnFast5m', {})).toBeUndefined();
    expect(share('ModelLatencyBurnFast5m', {})).toBeUndefined();
    for (const [name, { TreatMissingData }] of alarmsOf(template))
      if (/Burn/.test(name)) expect([name, TreatMissingData]).toEqual([name, 'notBreaching']);
  });

  test('of slow requests is that of values above the threshold', () => {
    const counts = {
      'baseline ModelLatency SampleCount': 200,
      'baseline ModelLatency TC(250000:)': 50,
    };
    expect(share('ModelLatencyBurnFast1h', counts)).toBe(0.25);
    expect(share('ModelLatencyBurnFast1h', { 'baseline ModelLatency SampleCount': 200 })).toBe(0);
  });

  test('has a threshold in whole microseconds', () => {
    const metrics = alarm(
      synthesized({ serviceLevel: { latency: { objective: 0.99, threshold: 0.3 } } }),
      'ModelLatencyBurnFast5m',
    ).Metrics;
    expect(metrics.map(({ MetricStat }) => MetricStat?.Stat)).toContain('TC(300000:)');
  });
});

describe('instances', () => {
  test('are full by the share of their hardware, which SageMaker tells as a sum', () => {
    const template = synthesized({ hardware: { vcpus: 48, gpus: 4 } });
    const used = (name: string, value: number) => evaluated(alarm(template, name).Metrics, () => value);
    expect(used('GpuSaturated', 400)).toBe(1);
    expect(used('ProcessorSaturated', 2400)).toBe(0.5);
    expect(used('MemoryAlmostFull', 50)).toBe(0.5);
    expect(alarm(template, 'GpuSaturated')).toMatchObject({ Threshold: 0.95, TreatMissingData: 'missing' });
  });

  test('of which nobody said the hardware have alarms of memory and disk only', () => {
    const names = [...alarmsOf(synthesized()).keys()].filter((name) => /Saturated|Full/.test(name));
    expect(names).toEqual(['MemoryAlmostFull', 'DiskAlmostFull']);
  });

  test('that tell nothing for ten minutes are missing, and that is an alarm', () => {
    const template = synthesized();
    expect(alarm(template, 'ModelMissing')).toMatchObject({ TreatMissingData: 'breaching', EvaluationPeriods: 10 });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
    });
  });

  test('are not expected of a serverless endpoint, nor always of an asynchronous one', () => {
    const names = (kind: 'serverless' | 'asynchronous') => [...alarmsOf(synthesized({ kind })).keys()].join(' ');
    expect(names('serverless')).not.toMatch(/Missing|Full|Saturated/);
    expect(names('asynchronous')).not.toMatch(/Missing|ModelLatency/);
  });

  test('of an asynchronous endpoint have requests counted where it counts them', () => {
    const { Metrics } = alarm(synthesized({ kind: 'asynchronous' }), 'ModelErrorsBurnFast5m');
    expect(Metrics.map(({ MetricStat }) => MetricStat && [MetricStat.Metric.MetricName, MetricStat.Stat])).toEqual([
      undefined,
      ['Invocation5XXErrors', 'Sum'],
      ['Invocation5XXErrors', 'SampleCount'],
    ]);
  });
});

describe('a rollout', () => {
  test('keeps pages silent, by weights or by a deployment of SageMaker', () => {
    const { Unhealthy, RolloutsRollout } = Object.fromEntries(composites(synthesized(both)));
    expect(Unhealthy).toMatchObject({
      ActionsSuppressor: expect.stringMatching(/^<AlarmsRolloutsRollout/),
      ActionsSuppressorWaitPeriod: 180,
      ActionsSuppressorExtensionPeriod: 300,
    });
    expect(RolloutsRollout?.['AlarmRule']).toMatch(/RolloutsDeployment.* OR .*RolloutsWeights/);
  });

  test('of weights is seen while more than one variant takes requests', () => {
    const { Metrics } = alarm(synthesized(both), 'RolloutsWeights');
    const shared = (baseline?: number, canary?: number) =>
      evaluated(Metrics, ({ Metric }) =>
        Metric.Dimensions.some(({ Value }) => Value === 'canary') ? canary : baseline,
      );
    expect(shared(90, 10)).toBe(1);
    expect(shared(100, 0)).toBe(0);
    expect(shared(100)).toBe(0);
    expect(shared(undefined, 100)).toBe(0);
  });

  test('by SageMaker is news of the endpoint with a configuration that is pending, as autoscaling has none', () => {
    const template = synthesized({ rollouts: { deploymentLasts: Duration.minutes(20) } });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.sagemaker'],
        detail: {
          EndpointName: ['churn'],
          EndpointStatus: ['UPDATING'],
          PendingDeploymentSummary: { EndpointConfigName: [{ exists: true }] },
        },
      },
      Targets: [Match.objectLike({ Id: 'Log' })],
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'AWS/Events',
      MetricName: 'TriggeredRules',
      Dimensions: [{ Name: 'RuleName', Value: { Ref: Match.stringLikeRegexp('^AlarmsRolloutsRule') } }],
      EvaluationPeriods: 20,
      DatapointsToAlarm: 1,
      TreatMissingData: 'notBreaching',
    });
  });

  test('that nobody ends is told after a day, since it keeps pages silent', () => {
    const template = synthesized(both);
    expect(alarm(template, 'CanaryStale')).toMatchObject({ EvaluationPeriods: 24 });
    expect(Object.fromEntries(composites(template))['AtRisk']?.['AlarmRule']).toMatch(/CanaryStale/);
    expect([...alarmsOf(synthesized()).keys()]).not.toContain('CanaryStale');
  });

  test('silences nothing where that is not wanted', () => {
    const template = synthesized({ ...both, rollouts: false });
    template.resourceCountIs('AWS::Events::Rule', 0);
    expect(Object.fromEntries(composites(template))['Unhealthy']).not.toHaveProperty('ActionsSuppressor');
  });
});

describe('a topic for alerts', () => {
  test('is encrypted, and published to by alarms of this account and region alone', () => {
    const template = synthesized();
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    const condition = {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
      ArnLike: { 'aws:SourceArn': Match.anyValue() },
    };
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: condition,
          }),
        ],
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: condition,
          }),
        ]),
      },
    });
  });

  test('allows alarms once, however many there are', () => {
    const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
    const pages = new AlertTopic(stack, 'Pages');
    for (const endpointName of ['one', 'two']) new ReleaseAlarms(stack, endpointName, { endpointName, pages });
    const policies = Template.fromStack(stack).findResources('AWS::SNS::TopicPolicy');
    expect(Object.values(policies).map(({ Properties }) => Properties.PolicyDocument.Statement.length)).toEqual([2]);
  });

  test('says everything that is wrong with it', () => {
    const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
    expect(
      problemsIn(() => new AlertTopic(stack, 'Pages', { displayName: 'x'.repeat(101), emails: ['nobody'] })),
    ).toEqual(['bad-display-name', 'bad-email']);
  });
});

describe('what is wrong', () => {
  test('is told all at once', () => {
    expect(
      problemsIn(() =>
        synthesized({
          endpointName: 'arn:aws:sagemaker:eu-west-1:111122223333:endpoint/churn',
          variants: ['one', 'one', 'not a name'],
          kind: 'serverless',
          hardware: { vcpus: 0.5 },
          serviceLevel: { availability: 99.9, latency: { objective: 1, threshold: 0 }, period: 'soon', fewestBad: 0 },
          saturation: { memory: 95 },
          rollouts: { deploymentLasts: Duration.days(2), longest: Duration.minutes(90) },
        }),
      ),
    ).toEqual([
      'bad-endpoint-name',
      'bad-variant-name',
      'same-variants',
      'hardware-of-serverless',
      'bad-hardware',
      'bad-objective',
      'bad-objective',
      'bad-threshold',
      'bad-period',
      'bad-fewest',
      'bad-saturation',
      'bad-silence',
      'bad-longest',
    ]);
  });

  test('is an objective so low that its alarm could never go off', () => {
    expect(problemsIn(() => synthesized({ serviceLevel: { availability: 0.9 } }))).toEqual(['loose-objective']);
  });

  test('is to name no variant', () => {
    expect(problemsIn(() => synthesized({ variants: [] as unknown as ['x'] }))).toEqual(['no-variants']);
  });
});
