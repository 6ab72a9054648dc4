import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AnyPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { servingRules } from '../../dashboards/index.ts';
import { problemsIn } from '../fixtures/problem-codes.ts';
import { resolved } from '../fixtures/resolved.ts';
import { AlertTopic, ManagedPrometheus, type ManagedPrometheusProps } from '../index.ts';

function synthesized(
  props: (stack: Stack) => ManagedPrometheusProps = () => ({}),
  use: (prometheus: ManagedPrometheus, stack: Stack) => void = () => undefined,
): Template {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  use(new ManagedPrometheus(stack, 'Prometheus', props(stack)), stack);
  return Template.fromStack(stack);
}

function propertiesOf(template: Template, type: string): Readonly<Record<string, unknown>> {
  const [found] = Object.values(template.findResources(type));
  return resolved(found?.['Properties']) as Readonly<Record<string, unknown>>;
}

interface AlertmanagerConfig {
  readonly route: {
    readonly receiver: string;
    readonly routes: readonly { readonly receiver: string; readonly matchers: readonly string[] }[];
  };
  readonly receivers: readonly {
    readonly name: string;
    readonly sns_configs?: readonly { readonly topic_arn: string }[];
  }[];
}

function alertmanagerOf(template: Template): AlertmanagerConfig {
  const { AlertManagerDefinition } = propertiesOf(template, 'AWS::APS::Workspace');
  const definition = parse(String(AlertManagerDefinition)) as { readonly alertmanager_config: string };
  return parse(definition.alertmanager_config) as AlertmanagerConfig;
}

const churn = { profile: 'triton', selector: { namespace: 'shop' }, gpu: {} } as const;

describe('a Managed Prometheus workspace', () => {
  test('is encrypted by a key, logs into a group that the key encrypts, and is left behind', () => {
    const template = synthesized();
    template.hasResource('AWS::APS::Workspace', {
      DeletionPolicy: 'Retain',
      Properties: {
        KmsKeyArn: Match.anyValue(),
        LoggingConfiguration: { LogGroupArn: Match.anyValue() },
        WorkspaceConfiguration: { RetentionPeriodInDays: 150 },
      },
    });
    const { LoggingConfiguration } = propertiesOf(template, 'AWS::APS::Workspace');
    const { LogGroupName, KmsKeyId } = propertiesOf(template, 'AWS::Logs::LogGroup');
    expect(LogGroupName).toMatch(/^\/aws\/vendedlogs\/prometheus\//);
    expect(LoggingConfiguration).toEqual({
      LogGroupArn: `arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:${LogGroupName}:*`,
    });
    expect(KmsKeyId).toMatch(/^<PrometheusKey/);
  });

  test('has the rules of each model as the cluster has them', () => {
    const template = synthesized(() => ({ rules: { churn } }));
    const { Data, Name } = propertiesOf(template, 'AWS::APS::RuleGroupsNamespace');
    expect(Name).toBe('churn');
    expect(parse(String(Data))).toEqual({ groups: servingRules(churn).groups });
  });

  test('says which alerts cannot be had', () => {
    synthesized(
      () => ({ rules: { churn } }),
      ({ absent }) => {
        expect(absent['churn']).toEqual(servingRules(churn).absent);
        expect(absent['churn']?.length).toBeGreaterThan(0);
      },
    );
  });

  test('hands critical alerts to those who are woken and warnings to those who hear of them', () => {
    const config = alertmanagerOf(
      synthesized((stack) => ({ pages: new AlertTopic(stack, 'Pages'), notices: new AlertTopic(stack, 'Notices') })),
    );
    expect(config.route.routes.map(({ receiver, matchers }) => [receiver, matchers])).toEqual([
      ['critical', ['severity="critical"']],
      ['warning', ['severity="warning"']],
    ]);
    expect(config.receivers.map(({ name, sns_configs = [] }) => [name, sns_configs[0]?.topic_arn])).toEqual([
      ['nobody', undefined],
      ['critical', expect.stringMatching(/^<PagesTopic/)],
      ['warning', expect.stringMatching(/^<NoticesTopic/)],
    ]);
    expect(config.route.receiver).toBe('nobody');
  });

  test('tells nobody of alerts where there is no topic', () => {
    const { route, receivers } = alertmanagerOf(synthesized());
    expect([route.routes, receivers]).toEqual([[], [{ name: 'nobody' }]]);
  });

  test('may publish to the topic, and nobody else may in its name', () => {
    const template = synthesized((stack) => ({ pages: new AlertTopic(stack, 'Pages') }));
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'sns:Publish',
            Principal: { Service: 'aps.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: { 'aws:SourceArn': { 'Fn::GetAtt': [Match.stringLikeRegexp('^PrometheusWorkspace'), 'Arn'] } },
            },
          }),
        ]),
      },
    });
  });

  test('that cannot hand alerts over is told by CloudWatch, to the same people', () => {
    const template = synthesized((stack) => ({ pages: new AlertTopic(stack, 'Pages') }));
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'AWS/Prometheus',
      MetricName: 'AlertManagerNotificationsFailed',
      Dimensions: [{ Name: 'Workspace', Value: { 'Fn::GetAtt': [Match.anyValue(), 'WorkspaceId'] } }],
      AlarmActions: [{ Ref: Match.stringLikeRegexp('^PagesTopic') }],
    });
  });

  test.each([
    ['grantRemoteWrite', 'aps:RemoteWrite'],
    ['grantQuery', ['aps:QueryMetrics', 'aps:GetSeries', 'aps:GetLabels', 'aps:GetMetricMetadata']],
  ] as const)('%s allows that on the one workspace', (method, actions) => {
    const template = synthesized(undefined, (prometheus, stack) => {
      prometheus[method](new Role(stack, 'Role', { assumedBy: new AnyPrincipal() }));
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [{ Effect: 'Allow', Action: actions, Resource: { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] } }],
      },
    });
  });

  test('is written to at its endpoint', () => {
    synthesized(undefined, (prometheus, stack) => {
      expect(stack.resolve(prometheus.remoteWriteUrl)).toEqual({
        'Fn::Join': ['', [{ 'Fn::GetAtt': [expect.any(String), 'PrometheusEndpoint'] }, 'api/v1/remote_write']],
      });
    });
  });

  test('says everything that is wrong at once', () => {
    expect(
      problemsIn(() =>
        synthesized(() => ({ alias: ' ', retention: Duration.days(1096), rules: { 'a b': churn, '.x': churn } })),
      ),
    ).toEqual(['bad-alias', 'bad-retention', 'bad-namespace', 'bad-namespace']);
  });
});

describe('a managed scraper', () => {
  const cluster = {
    clusterArn: 'arn:aws:eks:eu-west-1:111122223333:cluster/models',
    subnetIds: ['subnet-1', 'subnet-2'],
  } as const;

  test('gives series the labels that a PodMonitor gives them', () => {
    const template = synthesized(undefined, (prometheus) => {
      prometheus.scrape('Scraper', {
        ...cluster,
        pods: [{ instance: 'churn.v1', namespace: 'shop', port: 'metrics' }],
      });
    });
    const { ScrapeConfiguration } = propertiesOf(template, 'AWS::APS::Scraper');
    const { ConfigurationBlob } = ScrapeConfiguration as { readonly ConfigurationBlob: string };
    const { scrape_configs } = parse(Buffer.from(ConfigurationBlob, 'base64').toString()) as {
      readonly scrape_configs: readonly {
        readonly relabel_configs: readonly Readonly<Record<string, unknown>>[];
      }[];
    };
    const relabel = scrape_configs[0]?.relabel_configs ?? [];
    expect(relabel.filter(({ action }) => action === 'keep').map(({ regex }) => regex)).toEqual([
      'churn\\.v1',
      'metrics',
    ]);
    expect(relabel.flatMap(({ target_label }) => target_label ?? [])).toEqual([
      'job',
      'namespace',
      'pod',
      'container',
      'sluice_dev_model_version',
    ]);
  });

  test('says everything that is wrong with the cluster at once', () => {
    expect(
      problemsIn(() =>
        synthesized(undefined, (prometheus) => {
          prometheus.scrape('Scraper', {
            clusterArn: 'models',
            subnetIds: ['subnet-1'] as unknown as ['a', 'b'],
            pods: [{ instance: 'churn' }, { instance: 'churn', port: 'other' }],
          });
        }),
      ),
    ).toEqual(['bad-arn', 'few-subnets', 'same-pods']);
  });
});
