import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { describe, expect, test } from 'vitest';
import { templateOf } from '../fixtures/synthesized.ts';
import { ModelBucket, ModelRegistryRepository, warningsOf } from '../index.ts';
import { GitHubDeployRole, type GitHubDeployRoleProps } from './github-deploy-role.ts';

const repositoryIds = { owner: 123456, repository: 456789 };

const roleOf = (props: Partial<GitHubDeployRoleProps>, use: (role: GitHubDeployRole) => void = () => {}) =>
  templateOf((stack) => {
    use(
      new GitHubDeployRole(stack, 'Deploy', {
        repository: 'acme/churn',
        repositoryIds,
        subjects: [{ environment: 'production' }],
        ...props,
      }),
    );
  });

const github = 'token.actions.githubusercontent.com';

function conditionOf(props: Partial<GitHubDeployRoleProps>): Readonly<Record<string, unknown>> {
  const [role] = Object.values(roleOf(props).findResources('AWS::IAM::Role'));
  return role?.['Properties'].AssumeRolePolicyDocument.Statement[0].Condition.StringEquals;
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function statementsOf(template: ReturnType<typeof templateOf>): readonly Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    (policy): readonly Statement[] => policy['Properties'].PolicyDocument.Statement,
  );
}

/** `action resource`, with the end of the resource's ARN. */
function allowedOf(template: ReturnType<typeof templateOf>): readonly string[] {
  return statementsOf(template)
    .flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) =>
        [Resource].flat().map((resource) => {
          const text = JSON.stringify(resource).replaceAll(/"\]\]\}|"/g, '');
          return `${action} ${text
            .split(':')
            .slice(text.includes(':execution:') ? -3 : -1)
            .join(':')}`;
        }),
      ),
    )
    .toSorted();
}

describe('a role for jobs on GitHub', () => {
  test('is had by the named jobs of one repository alone, by an equal subject and audience', () => {
    const subjects = [
      { environment: 'production: eu' },
      { branch: 'main' },
      { tag: 'v1' },
      { pullRequest: true },
    ] as const;
    const named = templateOf((stack) => {
      new GitHubDeployRole(stack, 'Deploy', { repository: 'acme/churn', subjects });
    });
    named.hasResourceProperties('AWS::IAM::Role', {
      MaxSessionDuration: 3600,
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRoleWithWebIdentity',
            Condition: {
              StringEquals: {
                [`${github}:aud`]: 'sts.amazonaws.com',
                [`${github}:sub`]: [
                  'repo:acme/churn:environment:production%3A eu',
                  'repo:acme/churn:ref:refs/heads/main',
                  'repo:acme/churn:ref:refs/tags/v1',
                  'repo:acme/churn:pull_request',
                ],
              },
            },
          },
        ],
      },
    });
  });

  test('with the numbers of a repository takes subjects with and without them, and never those of another repository', () => {
    expect(conditionOf({})).toEqual({
      [`${github}:aud`]: 'sts.amazonaws.com',
      [`${github}:sub`]: [
        'repo:acme@123456/churn@456789:environment:production',
        'repo:acme/churn:environment:production',
      ],
      [`${github}:repository_id`]: '456789',
    });
  });

  test('without them warns that it trusts a name', () => {
    templateOf((stack) => {
      const subjects = [{ branch: 'main' }] as const;
      new GitHubDeployRole(stack, 'Named', { repository: 'acme/churn', subjects });
      new GitHubDeployRole(stack, 'Numbered', { repository: 'acme/churn', subjects, repositoryIds });
      expect(warningsOf(stack)).toMatchObject([
        {
          code: 'names-alone',
          place: { key: 'GitHubDeployRole "Stack/Named"' },
          fix: expect.stringContaining('gh api repos/acme/churn'),
        },
      ]);
    });
  });

  test('asks for refs and reusable workflows besides, where it is told to', () => {
    const workflow = 'acme/workflows/.github/workflows/release.yml@refs/heads/main';
    expect(conditionOf({ refs: ['refs/heads/main'], reusableWorkflows: [workflow] })).toMatchObject({
      [`${github}:ref`]: ['refs/heads/main'],
      [`${github}:job_workflow_ref`]: [workflow],
    });
  });

  test('makes a provider of tokens, or takes the one that the account has', () => {
    roleOf({}).hasResourceProperties('AWS::IAM::OIDCProvider', {
      Url: 'https://token.actions.githubusercontent.com',
      ClientIdList: ['sts.amazonaws.com'],
    });
    const providerArn = 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com';
    roleOf({ providerArn }).resourceCountIs('AWS::IAM::OIDCProvider', 0);
  });

  test('can do nothing until something is granted', () => {
    roleOf({}).resourceCountIs('AWS::IAM::Policy', 0);
  });

  test('deploys stacks through the roles of the bootstrap of its account and region, and nothing else', () => {
    const statements = statementsOf(roleOf({}, (role) => role.grantCdkDeploy()));
    expect(statements).toEqual([{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: expect.any(Array) }]);
    expect(statements[0]?.Resource).toHaveLength(4);
    expect(JSON.stringify(statements[0]?.Resource)).toMatch(/role\/cdk-hnb659fds-deploy-role-/);
  });

  test('is given no action by a pattern', () => {
    const statement = new PolicyStatement({ actions: ['sagemaker:*'], resources: ['*'] });
    expect(() => roleOf({}, (role) => role.allow(statement))).toThrow(/every action/);
    const narrow = new PolicyStatement({
      actions: ['sagemaker:DescribeEndpoint'],
      resources: ['arn:aws:sagemaker:::x'],
    });
    roleOf({}, (role) => role.allow(narrow)).resourceCountIs('AWS::IAM::Policy', 1);
  });

  test.each<[string, Partial<GitHubDeployRoleProps>, string]>([
    ['a pattern of repositories', { repository: 'acme/*' }, 'bad-repository'],
    ['an owner alone', { repository: 'acme' }, 'bad-repository'],
    ['a repository whose number is none', { repositoryIds: { owner: 1, repository: 0 } }, 'bad-repository-id'],
    ['a pattern of refs', { refs: ['refs/heads/*'] }, 'bad-ref'],
    ['a branch that is no ref', { refs: ['main'] }, 'bad-ref'],
    ['a workflow without a ref', { reusableWorkflows: ['acme/w/.github/workflows/release.yml'] }, 'bad-workflow'],
    ['a workflow at any ref', { reusableWorkflows: ['acme/w/.github/workflows/a.yml@*'] }, 'bad-workflow'],
    [
      "claims that IAM does not read of a server's tokens",
      { issuer: 'https://github.acme.example/_services/token' },
      'claims-of-another-issuer',
    ],
    ['a pattern of branches', { subjects: [{ branch: 'release/*' }] }, 'bad-subject'],
    ['an environment without a name', { subjects: [{ environment: '' }] }, 'bad-subject'],
    ['a session of a day', { maxSession: Duration.days(1) }, 'bad-session'],

    ['a provider that is none', { providerArn: 'arn:aws:iam::1:role/x' }, 'bad-arn'],
  ])('is refused with %s', (_what, props, code) => {
    expect(() => roleOf(props)).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ code })] }));
  });
});

describe('what it is granted', () => {
  test('for a canary are the endpoint of the account and region, in the letters of its ARN, and nothing twice named', () => {
    expect(allowedOf(roleOf({}, (role) => role.grantCanary({ endpointName: 'Churn' })))).toEqual([
      'cloudwatch:GetMetricData *',
      ...['AddTags', 'DeleteTags', 'DescribeEndpoint', 'ListTags', 'UpdateEndpointWeightsAndCapacities'].map(
        (action) => `sagemaker:${action} endpoint/churn`,
      ),
    ]);
  });

  test('for a promotion neither deletes nor reaches another model', () => {
    const template = roleOf({}, (role) => {
      const models = new ModelBucket(role, 'Models');
      const images = new ModelRegistryRepository(role, 'Images', { repositoryName: 'models/churn' });
      role.grantPromote({ models, prefix: 'churn/', images });
    });
    const actions = statementsOf(template).flatMap(({ Action }) => Action);
    expect(actions).toEqual(
      expect.arrayContaining([
        's3:PutObject',
        's3:GetObjectVersion',
        's3:GetBucketVersioning',
        'kms:GenerateDataKey',
        'ecr:PutImage',
        'ecr:BatchGetImage',
      ]),
    );
    expect(actions.filter((action) => /Delete|Bypass|PutBucket|Acl/.test(action))).toEqual([]);
    const objects = statementsOf(template).filter(({ Action }) => [Action].flat().includes('s3:PutObject'));
    expect(JSON.stringify(objects)).toMatch(/"\/churn\/\*"/);
  });

  test('to start a state machine covers its executions, of a real ARN and of one that CloudFormation makes', () => {
    const arn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:churn';
    expect(allowedOf(roleOf({}, (role) => role.grantStart({ stateMachineArn: arn })))).toEqual([
      'states:DescribeExecution execution:churn:*',
      'states:StartExecution churn',
      'states:StopExecution execution:churn:*',
    ]);
    const made = roleOf({}, (role) => {
      const machine = new CfnStateMachine(role, 'Training', { roleArn: 'arn:aws:iam::111122223333:role/t' });
      role.grantStart({ stateMachineArn: machine.attrArn });
    });
    expect(JSON.stringify(statementsOf(made)[1]?.Resource)).toMatch(/:execution:",.*"Fn::Select":\[6,.*":\*"\]\]\}$/);
  });

  test('to ask an endpoint names that endpoint', () => {
    expect(allowedOf(roleOf({}, (role) => role.grantInvoke('Churn')))).toEqual([
      'sagemaker:DescribeEndpoint endpoint/churn',
      'sagemaker:InvokeEndpoint endpoint/churn',
    ]);
  });

  test('to read data is below the prefix, with the key of the bucket', () => {
    const template = roleOf({}, (role) => {
      const encryptionKey = new Key(role, 'LakeKey');
      const bucket = new Bucket(role, 'Lake', { encryption: BucketEncryption.KMS, encryptionKey });
      role.grantReadData({ bucket, prefix: 'customers/' });
    });
    expect(statementsOf(template)).toMatchObject([
      { Action: 's3:GetObject' },
      { Action: 's3:ListBucket', Condition: { StringLike: { 's3:prefix': 'customers/*' } } },
      { Action: 'kms:Decrypt' },
    ]);
  });

  test('to ask Athena is the workgroup, the tables, their files, and where answers are written', () => {
    const template = roleOf({}, (role) => {
      const lake = Bucket.fromBucketName(role, 'Lake', 'acme-lake');
      const results = { bucket: Bucket.fromBucketName(role, 'Answers', 'acme-athena'), prefix: 'checks/' };
      role.grantAthena({ tables: { sales: ['orders'] }, data: [{ bucket: lake, prefix: 'sales/' }], results });
    });
    const allowed = allowedOf(template);
    expect(allowed.filter((line) => line.startsWith('athena:') && !line.endsWith(' workgroup/primary'))).toEqual([]);
    expect(allowed.filter((line) => line.startsWith('glue:GetTable '))).toEqual([
      'glue:GetTable catalog',
      'glue:GetTable database/default',
      'glue:GetTable database/sales',
      'glue:GetTable table/sales/orders',
    ]);
    expect(allowed.filter((line) => /^s3:(Put|Get)Object /.test(line))).toEqual([
      's3:GetObject acme-athena/checks/*',
      's3:GetObject acme-lake/sales/*',
      's3:PutObject acme-athena/checks/*',
    ]);
  });

  const bucket = { bucketArn: 'arn:aws:s3:::acme' };
  test.each<[string, (role: GitHubDeployRole) => unknown, readonly string[]]>([
    ['a pattern of endpoints', (role) => role.grantCanary({ endpointName: '*' }), ['bad-name']],
    [
      'every configuration of the account',
      (role) => role.grantCanary({ endpointName: 'churn', endpointConfigNames: ['*'] }),
      ['bad-name'],
    ],
    ['a canary of nothing', (role) => role.grantCanary({}), ['nothing-granted']],
    [
      'an alarm of no guarded deployment, and a workspace that is none',
      (role) => role.grantCanary({ endpointName: 'a', abortAlarmName: 'b', prometheusWorkspaceId: '*' }),
      ['bad-name', 'alarm-without-guardrails'],
    ],
    [
      'configurations of no endpoint',
      (role) => role.grantCanary({ endpointConfigNames: ['churn-1'], cloudWatch: true }),
      ['no-endpoint'],
    ],
    ['a pattern to invoke', (role) => role.grantInvoke('churn*'), ['bad-name']],
    ['a whole bucket', (role) => role.grantReadData({ bucket, prefix: '' }), ['bad-prefix']],
    [
      'a prefix that is the beginning of a name',
      (role) => role.grantReadData({ bucket, prefix: 'lake' }),
      ['bad-prefix'],
    ],
    [
      'tables of every name, and a workgroup of any',
      (role) =>
        role.grantAthena({
          workgroup: '*',
          tables: { sales: ['*'] },
          data: [{ bucket, prefix: 'sales/' }],
          results: { bucket, prefix: '/' },
        }),
      ['bad-prefix', 'bad-name', 'bad-name'],
    ],
    [
      'no tables',
      (role) => role.grantAthena({ tables: {}, data: [{ bucket, prefix: 'a/' }], results: { bucket, prefix: 'b/' } }),
      ['no-tables'],
    ],
  ])('is refused for %s', (_what, use, codes) => {
    expect(() => roleOf({}, use)).toThrow(
      expect.objectContaining({ problems: codes.map((code) => expect.objectContaining({ code })) }),
    );
  });
});
