import { Duration, Stack, Token } from 'aws-cdk-lib';
import {
  Grant,
  type IGrantable,
  type IManagedPolicy,
  type IPrincipal,
  OidcProviderNative,
  type PolicyStatement,
  Role,
  WebIdentityPrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type ConstructProblem, Findings } from '../../problem/index.ts';
import { grantCanary } from './granted-statements.ts';

/** Which jobs of a repository may have the role. */
export type GitHubSubject =
  /** Jobs with `environment: production`, after whatever that environment asks for: reviewers, a branch. */
  | { readonly environment: string }
  /** Jobs on a branch, whatever started them; not those of pull requests into it. */
  | { readonly branch: string }
  /** Jobs on a tag. */
  | { readonly tag: string }
  /** Jobs of pull requests from the repository itself (a fork's get no token): only for roles that read. */
  | { readonly pullRequest: true };

export interface GitHubDeployRoleProps {
  /** `owner/name`. */
  readonly repository: string;
  readonly subjects: readonly [GitHubSubject, ...GitHubSubject[]];
  /** An account has one provider of GitHub's tokens: where there is one, its ARN. @default a new one */
  readonly providerArn?: string;
  /** @default chosen by CloudFormation */
  readonly roleName?: string;
  /** How long a job keeps its rights: from 15 minutes to 12 hours. @default 1 hour */
  readonly maxSession?: Duration;
  /** A bound on whatever the role is ever given. @default none */
  readonly permissionsBoundary?: IManagedPolicy;
  /** The address of a GitHub Enterprise Server's tokens. @default GitHub's own */
  readonly issuer?: string;
}

/** The canaries that a role may run, by the names that `canary` of `sluice.yaml` has. All are of the role's account and region. */
export interface GitHubDeployRoleCanary {
  /** The endpoint of SageMaker whose traffic is moved. @default none: traffic is moved outside of AWS */
  readonly endpointName?: string;
  /**
   * For deployment guardrails: the configurations that the endpoint may be updated to, each by its name or as a prefix with a star at its end
   * (`churn-*`), since a release makes a new one. @default none: the weights of two variants are moved
   */
  readonly endpointConfigNames?: readonly [string, ...string[]];
  /** The alarm by which a guarded deployment is called back: `deployment.abort_alarm`. @default none */
  readonly abortAlarmName?: string;
  /** Whether CloudWatch is asked how both arms do: `metrics.source`. @default true with an endpoint */
  readonly cloudWatch?: boolean;
  /** The workspace of Managed Prometheus that is asked: `ws-…`. @default none */
  readonly prometheusWorkspaceId?: string;
}

const gitHub = 'https://token.actions.githubusercontent.com';
const audience = 'sts.amazonaws.com';

/**
 * A role that jobs of one repository take on by GitHub's own token: no secret is kept anywhere, and only the jobs that `subjects` name get it.
 * It can do nothing until something is granted to it.
 *
 * ```ts
 * const canary = new GitHubDeployRole(this, 'Canary', {
 *   repository: 'acme/churn',
 *   subjects: [{ environment: 'production' }],
 * });
 * models.grantRead(canary);
 * ```
 *
 * https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect
 */
export class GitHubDeployRole extends Construct implements IGrantable {
  readonly role: Role;
  readonly grantPrincipal: IPrincipal;
  /** Of the provider: give it to the other roles of the account. */
  readonly providerArn: string;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: GitHubDeployRoleProps) {
    super(scope, id);
    const { repository, subjects, issuer = gitHub, maxSession = Duration.hours(1) } = props;
    const findings = new Findings(this, 'GitHubDeployRole');
    findings.add(...problemsOf(props));
    findings.throwIfAny();
    this.providerArn =
      props.providerArn ??
      new OidcProviderNative(this, 'Provider', { url: issuer, clientIds: [audience] }).oidcProviderArn;
    const host = issuer.replace('https://', '');
    this.role = new Role(this, 'Role', {
      assumedBy: new WebIdentityPrincipal(this.providerArn, {
        // Equal, not alike: no pattern could let another repository or branch in.
        StringEquals: {
          [`${host}:aud`]: audience,
          [`${host}:sub`]: subjects.map((subject) => `repo:${repository}:${subjectText(subject)}`),
        },
      }),
      description: `Jobs of ${repository} on GitHub: ${subjects.map(subjectText).join(', ')}`.slice(0, 1000),
      maxSessionDuration: maxSession,
      ...(props.roleName === undefined ? {} : { roleName: props.roleName }),
      ...(props.permissionsBoundary === undefined ? {} : { permissionsBoundary: props.permissionsBoundary }),
    });
    this.grantPrincipal = this.role;
  }

  /**
   * Gives it statements of one's own, such as those that `sluice canary permissions` prints.
   * @throws ConstructError for one that allows every action or every action of a service
   */
  allow(...statements: readonly PolicyStatement[]): void {
    const findings = new Findings(this, 'GitHubDeployRole');
    for (const statement of statements) {
      const wide = statement.actions.filter((action) => /^(?:\*|[a-z0-9-]+:\*)$/i.test(action));
      findings.demand(wide.length === 0, () => ({
        code: 'wildcard-action',
        message: 'a job on GitHub would be allowed every action',
        found: wide.join(', '),
        fix: 'Name the actions that the job needs.',
      }));
    }
    findings.throwIfAny();
    for (const statement of statements) this.role.addToPolicy(statement);
  }

  /**
   * Lets these jobs run the canaries of an endpoint, and bring them back: exactly what `sluice canary permissions` prints for such a policy. Of an
   * endpoint of this app: `endpoint.grantCanary(role)`.
   * @throws ConstructError for names that SageMaker or Managed Prometheus would not take
   */
  grantCanary(canary: GitHubDeployRoleCanary): Grant {
    const findings = new Findings(this, 'GitHubDeployRole');
    findings.add(...canaryProblems(canary));
    findings.throwIfAny();
    const { endpointName, endpointConfigNames, abortAlarmName, prometheusWorkspaceId } = canary;
    const stack = Stack.of(this);
    const arn = (service: string, resource: string): string =>
      `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${resource}`;
    return grantCanary(this, {
      endpointArn: endpointName === undefined ? undefined : arn('sagemaker', `endpoint/${small(endpointName)}`),
      endpointConfigArns: endpointConfigNames?.map((name) => arn('sagemaker', `endpoint-config/${small(name)}`)),
      abortAlarmArn: abortAlarmName === undefined ? undefined : arn('cloudwatch', `alarm:${abortAlarmName}`),
      cloudwatchRegion: (canary.cloudWatch ?? endpointName !== undefined) ? stack.region : undefined,
      prometheusWorkspaceArn:
        prometheusWorkspaceId === undefined ? undefined : arn('aps', `workspace/${prometheusWorkspaceId}`),
    });
  }

  /** Lets these jobs deploy stacks with the CDK: by the roles that `cdk bootstrap` made in this account and region, and nothing else. */
  grantCdkDeploy(qualifier = 'hnb659fds'): Grant {
    const { account, region, partition } = Stack.of(this);
    const roles = ['deploy-role', 'file-publishing-role', 'image-publishing-role', 'lookup-role'].map(
      (name) => `arn:${partition}:iam::${account}:role/cdk-${qualifier}-${name}-${account}-${region}`,
    );
    return Grant.addToPrincipal({ grantee: this, actions: ['sts:AssumeRole'], resourceArns: roles });
  }
}

/** As GitHub writes it into a token's `sub`, after the repository. */
function subjectText(subject: GitHubSubject): string {
  if ('environment' in subject) {
    // GitHub writes a colon in a name as %3A, so that none can pass for another part.
    return `environment:${subject.environment.replaceAll(':', '%3A')}`;
  }
  if ('branch' in subject) return `ref:refs/heads/${subject.branch}`;
  if ('tag' in subject) return `ref:refs/tags/${subject.tag}`;
  return 'pull_request';
}

/** As SageMaker writes a name into an ARN. A token is not a name yet. */
function small(name: string): string {
  return Token.isUnresolved(name) ? name : name.toLowerCase();
}

function canaryProblems(canary: GitHubDeployRoleCanary): readonly ConstructProblem[] {
  const { endpointName, endpointConfigNames = [], abortAlarmName, cloudWatch, prometheusWorkspaceId } = canary;
  const problems: ConstructProblem[] = [];
  const name = /^[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}$/;
  const demand = (prop: string, found: string | undefined, form: RegExp, expected: string): void => {
    if (found === undefined || Token.isUnresolved(found) || form.test(found)) return;
    problems.push({
      code: 'bad-name',
      message: `${prop} is no name, so that the role would be allowed nothing or too much`,
      found,
      expected,
      fix: "Write it as the policy's canary does.",
    });
  };
  const letters = 'up to 63 letters, digits and hyphens';
  demand('endpointName', endpointName, name, letters);
  for (const each of endpointConfigNames) {
    // At least three letters before the star: one alone would be every configuration of the account.
    demand(
      'endpointConfigNames',
      each,
      each.endsWith('*') ? /^[a-zA-Z0-9][a-zA-Z0-9-]{2,61}\*$/ : name,
      `${letters}, or a prefix of three or more and a star`,
    );
  }
  demand('abortAlarmName', abortAlarmName, /^[^*?]{1,255}$/, 'the name of one alarm');
  demand('prometheusWorkspaceId', prometheusWorkspaceId, /^[\w-]+$/, 'an identifier such as ws-1234');
  if (endpointName === undefined && (endpointConfigNames.length > 0 || abortAlarmName !== undefined)) {
    problems.push({
      code: 'no-endpoint',
      message: 'endpointConfigNames and abortAlarmName are of an endpoint, and endpointName is missing',
      fix: 'Name the endpoint that is updated.',
    });
  }
  if (abortAlarmName !== undefined && endpointName !== undefined && endpointConfigNames.length === 0) {
    problems.push({
      code: 'alarm-without-guardrails',
      message: 'abortAlarmName calls back a guarded deployment, and endpointConfigNames names none',
      fix: 'Name the configurations, or leave abortAlarmName out.',
    });
  }
  if (endpointName === undefined && cloudWatch !== true && prometheusWorkspaceId === undefined) {
    problems.push({
      code: 'nothing-granted',
      message: 'the canary names nothing of AWS, so that nothing would be granted',
      fix: 'Name endpointName, cloudWatch or prometheusWorkspaceId, or leave the call out.',
    });
  }
  return problems;
}

function problemsOf(props: GitHubDeployRoleProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (!/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/.test(props.repository)) {
    problems.push({
      code: 'bad-repository',
      message: 'repository is not the one repository that may have the role',
      found: props.repository,
      expected: 'owner/name, without a pattern',
      fix: 'Name one repository; make a role for each.',
    });
  }
  const [...subjects] = props.subjects;
  if (subjects.length === 0) {
    problems.push({
      code: 'no-subjects',
      message: 'subjects is empty, so no job could have the role',
      fix: "Name an environment: [{ environment: 'production' }].",
    });
  }
  for (const subject of subjects) {
    const name =
      'environment' in subject
        ? subject.environment
        : 'branch' in subject
          ? subject.branch
          : 'tag' in subject
            ? subject.tag
            : 'x';
    // Names of environments may have spaces; those of branches and tags have none.
    if (name !== '' && !('environment' in subject ? /[*?\n]/ : /[*?\s]/).test(name)) continue;
    problems.push({
      code: 'bad-subject',
      message: 'a subject is a pattern or empty; the role would be open to jobs that nobody named, or to none',
      found: JSON.stringify(subject),
      expected: 'the name of one environment, branch or tag',
      fix: 'Name each by itself.',
    });
  }
  const { maxSession, issuer, providerArn } = props;
  if (maxSession !== undefined && (maxSession.toSeconds() < 900 || maxSession.toSeconds() > 43_200)) {
    problems.push({
      code: 'bad-session',
      message: 'maxSession is outside of what IAM takes',
      found: maxSession.toHumanString(),
      expected: 'from 15 minutes to 12 hours',
      fix: 'Leave it out for an hour.',
    });
  }
  if (issuer !== undefined && !/^https:\/\/[^\s/]+(?:\/[^\s]*[^\s/])?$/.test(issuer)) {
    problems.push({
      code: 'bad-issuer',
      message: 'issuer is no address of tokens',
      found: issuer,
      expected: 'https://host/path without a slash at the end',
      fix: 'Leave it out for GitHub itself.',
    });
  }
  if (
    providerArn !== undefined &&
    !Token.isUnresolved(providerArn) &&
    !/^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/\S+$/.test(providerArn)
  ) {
    problems.push({
      code: 'bad-arn',
      message: 'providerArn is no ARN of a provider of tokens',
      found: providerArn,
      expected: `arn:aws:iam::<account>:oidc-provider/${gitHub.replace('https://', '')}`,
      fix: 'Copy it from IAM, or leave it out where the account has none.',
    });
  }
  return problems;
}
