import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { templateOf } from '../fixtures/synthesized.ts';
import { GitHubDeployRole, type GitHubDeployRoleProps } from './github-deploy-role.ts';

const roleOf = (props: Partial<GitHubDeployRoleProps>, use: (role: GitHubDeployRole) => void = () => {}) =>
  templateOf((stack) => {
    use(
      new GitHubDeployRole(stack, 'Deploy', {
        repository: 'acme/churn',
        subjects: [{ environment: 'production' }],
        ...props,
      }),
    );
  });

describe('a role for jobs on GitHub', () => {
  test('is had by the named jobs of one repository alone, by an equal subject and audience', () => {
    roleOf({
      subjects: [{ environment: 'production: eu' }, { branch: 'main' }, { tag: 'v1' }, { pullRequest: true }],
    }).hasResourceProperties('AWS::IAM::Role', {
      MaxSessionDuration: 3600,
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRoleWithWebIdentity',
            Condition: {
              StringEquals: {
                'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
                'token.actions.githubusercontent.com:sub': [
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
    const template = roleOf({}, (role) => role.grantCdkDeploy());
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    const statements = policies.flatMap((policy) => policy['Properties'].PolicyDocument.Statement);
    expect(statements).toEqual([{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: expect.any(Array) }]);
    expect(statements[0].Resource).toHaveLength(4);
    expect(JSON.stringify(statements[0].Resource)).toMatch(/role\/cdk-hnb659fds-deploy-role-/);
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
    ['a pattern of branches', { subjects: [{ branch: 'release/*' }] }, 'bad-subject'],
    ['an environment without a name', { subjects: [{ environment: '' }] }, 'bad-subject'],
    ['a session of a day', { maxSession: Duration.days(1) }, 'bad-session'],
    ['tokens from http', { issuer: 'http://github.acme.example' }, 'bad-issuer'],
    ['a provider that is none', { providerArn: 'arn:aws:iam::1:role/x' }, 'bad-arn'],
  ])('is refused with %s', (_what, props, code) => {
    expect(() => roleOf(props)).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ code })] }));
  });
});
