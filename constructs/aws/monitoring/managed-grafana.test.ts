import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { servingDashboard } from '../../dashboards/index.ts';
import { problemsIn } from '../fixtures/problem-codes.ts';
import { resolved } from '../fixtures/resolved.ts';
import { ManagedGrafana, type ManagedGrafanaProps, ManagedPrometheus } from '../index.ts';

function synthesized(
  props: (prometheus: ManagedPrometheus) => ManagedGrafanaProps = () => ({}),
  use: (grafana: ManagedGrafana, stack: Stack) => void = () => undefined,
): Template {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const prometheus = new ManagedPrometheus(stack, 'Prometheus');
  use(new ManagedGrafana(stack, 'Grafana', props(prometheus)), stack);
  return Template.fromStack(stack);
}

const dashboards = { 'sluice-churn': { profile: 'sluice' }, 'sluice-ranker': { profile: 'triton' } } as const;

describe('a Managed Grafana workspace', () => {
  test('is signed in to by Identity Center, has rights of its own, and is left behind', () => {
    synthesized().hasResource('AWS::Grafana::Workspace', {
      DeletionPolicy: 'Retain',
      Properties: {
        AuthenticationProviders: ['AWS_SSO'],
        PermissionType: 'CUSTOMER_MANAGED',
        AccountAccessType: 'CURRENT_ACCOUNT',
        RoleArn: Match.anyValue(),
      },
    });
  });

  test('is signed in to by SAML where metadata is given', () => {
    synthesized(() => ({ saml: { idpMetadata: { url: 'https://idp.example/metadata' } } })).hasResourceProperties(
      'AWS::Grafana::Workspace',
      {
        AuthenticationProviders: ['SAML'],
        SamlConfiguration: { IdpMetadata: { Url: 'https://idp.example/metadata' } },
      },
    );
  });

  test('may ask the Prometheus workspace and CloudWatch, in its own name only', () => {
    const template = synthesized((prometheus) => ({ prometheus }));
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: ['aps:QueryMetrics', 'aps:GetSeries', 'aps:GetLabels', 'aps:GetMetricMetadata'],
            Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^PrometheusWorkspace'), 'Arn'] },
          },
          { Effect: 'Allow', Action: ['cloudwatch:GetMetricData', 'cloudwatch:ListMetrics'], Resource: '*' },
        ],
      },
    });
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'grafana.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: { 'aws:SourceArn': Match.anyValue() },
            },
          }),
        ],
      },
    });
  });

  test('may ask nothing that was not given', () => {
    const template = synthesized(() => ({ cloudWatch: false }));
    template.resourceCountIs('AWS::IAM::Policy', 0);
    template.hasResourceProperties('AWS::Grafana::Workspace', { DataSources: [] });
  });

  test('can be within a VPC, and reached from an endpoint alone', () => {
    synthesized(() => ({
      vpc: { subnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6071'], securityGroupIds: ['sg-0a1b2c3d'] },
      reachedFrom: { vpceIds: ['vpce-0a1b2c3d'] },
    })).hasResourceProperties('AWS::Grafana::Workspace', {
      VpcConfiguration: { SubnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6071'], SecurityGroupIds: ['sg-0a1b2c3d'] },
      NetworkAccessControl: { VpceIds: ['vpce-0a1b2c3d'], PrefixListIds: [] },
    });
  });
});

describe('the dashboards of a Managed Grafana workspace', () => {
  const template = synthesized((prometheus) => ({ prometheus, dashboards }));
  const imported = Object.values(template.findResources('Custom::GrafanaDashboard'));

  test('are those of a cluster', () => {
    expect(
      Object.fromEntries(
        imported.map(({ Properties }) => [Properties.Uid, JSON.parse(String(resolved(Properties.Dashboard)))]),
      ),
    ).toEqual({
      'sluice-churn': servingDashboard({ profile: 'sluice', uid: 'sluice-churn' }).json,
      'sluice-ranker': servingDashboard({ profile: 'triton', uid: 'sluice-ranker' }).json,
    });
  });

  test('have the workspace as the data source, signed by the role of Grafana', () => {
    for (const { Properties } of imported)
      expect(JSON.parse(String(resolved(Properties.DataSource)))).toEqual({
        uid: 'sluice-prometheus',
        name: 'Sluice Prometheus',
        type: 'prometheus',
        access: 'proxy',
        url: expect.stringMatching(/^<PrometheusWorkspace\w+\.PrometheusEndpoint>$/),
        jsonData: {
          httpMethod: 'POST',
          sigV4Auth: true,
          sigV4AuthType: 'workspace-iam-role',
          sigV4Region: '<AWS::Region>',
        },
      });
  });

  test('are imported one after the other, with what the import needs there before', () => {
    const entries = Object.entries(template.findResources('Custom::GrafanaDashboard'));
    const [[first = ''] = [], [, second] = []] = entries;
    expect(second?.['DependsOn']).toEqual(expect.arrayContaining([first]));
    expect(second?.['DependsOn']).toEqual(expect.arrayContaining([expect.stringMatching(/^GrafanaImportRole/)]));
  });

  test('are imported by a function that may make tokens of this workspace and write its log, and no more', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [Match.objectLike({ Principal: { Service: 'lambda.amazonaws.com' } })],
      },
      Policies: [
        {
          PolicyDocument: {
            Statement: [
              Match.objectLike({
                Action: [
                  'grafana:ListWorkspaceServiceAccounts',
                  'grafana:CreateWorkspaceServiceAccount',
                  'grafana:CreateWorkspaceServiceAccountToken',
                  'grafana:DeleteWorkspaceServiceAccountToken',
                ],
                Resource: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(':/workspaces/$')])] },
              }),
              Match.objectLike({ Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] }),
            ],
          },
        },
      ],
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Code: { ZipFile: Match.stringLikeRegexp('exports\\.handler') },
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
  });

  test('need no function where there are none', () => {
    synthesized().resourceCountIs('AWS::Lambda::Function', 0);
  });

  test('say which panels their servers cannot fill', () => {
    synthesized(
      (prometheus) => ({ prometheus, dashboards }),
      ({ absent }) => expect(absent['sluice-ranker']).toEqual(servingDashboard({ profile: 'triton' }).absent),
    );
  });
});

describe('what is wrong with a Managed Grafana workspace', () => {
  test('is told all at once', () => {
    expect(
      problemsIn(() =>
        synthesized(() => ({
          name: 'a b',
          grafanaVersion: 'latest',
          dashboards: { 'no uid': { profile: 'sluice' } },
          folder: ' ',
          reachedFrom: {},
          vpc: { subnetIds: ['subnet-0a1b2c3d'] as unknown as ['a', 'b'], securityGroupIds: ['sg-0a1b2c3d'] },
        })),
      ),
    ).toEqual([
      'bad-workspace-name',
      'bad-grafana-version',
      'bad-uid',
      'bad-folder',
      'no-data-source',
      'unreachable',
      'reached-from-nowhere',
      'few-subnets',
    ]);
  });

  test('is a dashboard that no event can carry', () => {
    expect(
      problemsIn(() =>
        synthesized((prometheus) => ({
          prometheus,
          dashboards: { 'sluice-churn': { profile: 'sluice', title: 'x'.repeat(150_000) } },
        })),
      ),
    ).toEqual(['dashboard-too-large']);
  });
});
