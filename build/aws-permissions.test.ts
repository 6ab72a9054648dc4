import { readFileSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { type CanaryAccess, GitHubDeployRole } from '../constructs/aws/index.ts';
import {
  athenaStatements,
  objectStatements,
  type PermissionStatement,
  verifyBucketStatements,
} from '../core/aws-permissions/index.ts';
import { parsePolicy } from '../core/policy/index.ts';
import { leastPermissions } from '../rollout/index.ts';

const account = '111122223333';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

/** As both write it: lists where the CDK writes a single word. */
function plain(statements: readonly Statement[]): readonly object[] {
  return statements.map(({ Action, Resource, Condition }) => ({
    Action: [Action].flat(),
    Resource: [Resource].flat(),
    ...(Condition === undefined ? {} : { Condition }),
  }));
}

function printed(traffic: string, metrics: string, workspace?: string): readonly object[] {
  const text = `version: 1\ncanary:\n  traffic: ${traffic}\n  metrics: ${metrics}\n  strategy: { kind: steps, weights: [25] }\n  ready_deadline: 2h\n`;
  const { canary } = parsePolicy(text, 'sluice.yaml').policy;
  if (canary === undefined) throw new Error('no canary');
  return plain(leastPermissions(canary, { account, region: 'eu-west-1', workspace })?.Statement ?? []);
}

function granted(canary: CanaryAccess): readonly object[] {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack', { env: { account, region: 'eu-west-1' } });
  const role = new GitHubDeployRole(stack, 'Canary', {
    repository: 'acme/churn',
    subjects: [{ environment: 'production' }],
  });
  role.grantCanary(canary);
  const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  const statements = policies.flatMap((policy): readonly Statement[] => policy['Properties'].PolicyDocument.Statement);
  // The partition alone is left for CloudFormation to say.
  const written = JSON.stringify(statements).replaceAll(
    /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]*)"\]\]\}/g,
    '"arn:aws$1"',
  );
  return plain(JSON.parse(written));
}

describe('what sluice canary permissions prints and what GitHubDeployRole.grantCanary allows', () => {
  const weights =
    '{ provider: sagemaker, mode: variant-weights, region: eu-west-1, endpoint: Churn, baseline: blue, canary: green }';
  const guarded =
    '{ provider: sagemaker, mode: guardrails, region: eu-west-1, endpoint: churn, baseline: churn-1, canary: churn-2, deployment: { kind: canary, size: 25, bake: 10m, alarms: [churn-5xx, sluice-abort], abort_alarm: sluice-abort } }';
  const signed = '{ source: prometheus, server: sluice, sigv4: { region: eu-west-1, service: aps } }';
  const fleets = '{ source: cloudwatch, baseline: { variant: AllTraffic }, canary: { variant: AllTraffic } }';

  test.each<[string, readonly object[], CanaryAccess, number]>([
    ['variant weights', printed(weights, '{ source: cloudwatch }'), { endpointName: 'Churn' }, 4],
    [
      'guardrails with an alarm to call them back',
      printed(guarded, fleets),
      { endpointName: 'churn', endpointConfigNames: ['churn-1', 'churn-2'], abortAlarmName: 'sluice-abort' },
      5,
    ],
    [
      'weights watched by Managed Prometheus',
      printed(weights, signed, 'ws-1'),
      { endpointName: 'churn', cloudWatch: false, prometheusWorkspaceId: 'ws-1' },
      4,
    ],
  ])('are the same for %s', (_what, command, canary, statements) => {
    expect(command).toHaveLength(statements);
    expect(granted(canary)).toEqual(command);
  });
});

describe('what core/aws-permissions allows of Athena and S3', () => {
  /** The calls that a file makes, by the names of the SDK's commands. */
  const callsOf = (file: string) => {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    return [...new Set([...text.matchAll(/new (\w+)Command\(/g)].map(([, name]) => name ?? ''))].toSorted();
  };
  const actionsOf = (statements: readonly PermissionStatement[], service: string) =>
    [...new Set(statements.flatMap(({ Action }) => Action))]
      .filter((action) => action.startsWith(`${service}:`))
      .map((action) => action.replace(`${service}:`, ''))
      .toSorted();
  const place = { bucketArn: 'arn:aws:s3:::lake', prefix: 'a/' };

  test('of Athena are the calls of the engine', () => {
    const arn = 'arn:aws:glue:eu-west-1:111122223333:catalog';
    const statements = athenaStatements({
      workgroupArn: arn,
      catalogArn: arn,
      databaseArns: [],
      tableArns: [],
      data: [place],
      results: place,
    });
    expect(actionsOf(statements, 'athena')).toEqual(callsOf('core/engines/athena-engine.ts'));
  });

  test('of S3 are the calls for data files', () => {
    expect(callsOf('core/data/s3-source.ts')).toEqual(['GetObject', 'ListObjectsV2']);
    // As IAM calls the second.
    expect(actionsOf(objectStatements(place), 's3')).toEqual(['GetObject', 'ListBucket']);
  });

  test('of a bucket to verify are the calls where it has no access control lists', () => {
    const files = ['bucket-questions', 'access-lists', 'object-questions'];
    const calls = files.flatMap((file) => callsOf(`core/s3/${file}.ts`)).filter((call) => !call.endsWith('Acl'));
    // As IAM calls them: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    const actions: Readonly<Record<string, string>> = {
      GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
      GetBucketEncryption: 'GetEncryptionConfiguration',
      HeadObject: 'GetObject',
    };
    const needed = new Set([...calls.map((call) => actions[call] ?? call), 'GetObjectVersion']);
    const statements = verifyBucketStatements('arn:aws:s3:::lake', 'arn:aws:s3:::lake/*');
    expect(actionsOf(statements, 's3')).toEqual([...needed].toSorted());
  });
});
