import { Arn, ArnFormat, Duration, Stack } from 'aws-cdk-lib';
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
import {
  athenaStatements,
  type EndpointAnswers,
  invokeStatements,
  startStatements,
} from '../../../core/aws-permissions/index.ts';
import { type ConstructProblem, Findings } from '../../problem/index.ts';
import type { ModelBucket } from '../storage/model-bucket.ts';
import type { ModelRegistryRepository } from '../storage/model-registry-repository.ts';
import { type CanaryAccess, canaryProblems, canaryResources, endpointArn, nameProblems } from './canary-access.ts';
import {
  type AthenaAccess,
  athenaProblems,
  athenaResources,
  type DataPlace,
  grantKey,
  grantObjects,
  placeProblems,
} from './data-access.ts';
import {
  type GitHubTrust,
  gitHubIssuer,
  providerProblems,
  subjectText,
  tokenAudience,
  trustConditions,
  trustProblems,
} from './github-trust.ts';
import { grantCanary, grantStatements } from './granted-statements.ts';

export interface GitHubDeployRoleProps extends GitHubTrust {
  /** An account has one provider of GitHub's tokens: where there is one, its ARN. @default a new one */
  readonly providerArn?: string;
  /** @default chosen by CloudFormation */
  readonly roleName?: string;
  /** How long a job keeps its rights: from 15 minutes to 12 hours. @default 1 hour */
  readonly maxSession?: Duration;
  /** A bound on whatever the role is ever given. @default none */
  readonly permissionsBoundary?: IManagedPolicy;
}

/** Where a model that passed goes to. */
export interface PromotionAccess {
  readonly models: ModelBucket;
  /** Of the one model: `churn/`. */
  readonly prefix: string;
  /** Images and artifacts that go with it. @default none */
  readonly images?: ModelRegistryRepository;
}

/**
 * A role that jobs of one repository take on by GitHub's own token: no secret is kept anywhere, and only the jobs that `subjects` name get it.
 * It can do nothing until something is granted to it. Make one for each task and environment: what a job cannot reach it cannot break.
 *
 * ```ts
 * const canary = new GitHubDeployRole(this, 'Canary', {
 *   repository: 'acme/churn',
 *   repositoryIds: { owner: 123456, repository: 456789 },
 *   subjects: [{ environment: 'production' }],
 * });
 * canary.grantCanary({ endpointName: 'churn' });
 * ```
 *
 * Tokens of GitHub carry neither session tags nor a source identity, so neither can be asked for; CloudTrail has the repository, the run and
 * who started it in the event of `AssumeRoleWithWebIdentity`.
 *
 * https://docs.github.com/en/actions/reference/security/oidc
 */
export class GitHubDeployRole extends Construct implements IGrantable {
  readonly role: Role;
  readonly grantPrincipal: IPrincipal;
  /** Of the provider: give it to the other roles of the account. */
  readonly providerArn: string;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: GitHubDeployRoleProps) {
    super(scope, id);
    const { repository, subjects, issuer = gitHubIssuer, maxSession = Duration.hours(1) } = props;
    const findings = new Findings(this, 'GitHubDeployRole');
    findings.add(...problemsOf(props));
    findings.throwIfAny();
    if (issuer === gitHubIssuer && props.repositoryIds === undefined) findings.warn(namesAlone(repository));
    this.providerArn =
      props.providerArn ??
      new OidcProviderNative(this, 'Provider', { url: issuer, clientIds: [tokenAudience] }).oidcProviderArn;
    this.role = new Role(this, 'Role', {
      assumedBy: new WebIdentityPrincipal(this.providerArn, { StringEquals: trustConditions(props) }),
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
  grantCanary(canary: CanaryAccess): Grant {
    this.#refuse(canaryProblems(canary));
    return grantCanary(this, canaryResources(this, canary));
  }

  /**
   * Lets these jobs promote one model: read and verify what is there, publish new versions below its prefix (never delete one), and push images that
   * go with it. A registry of MLflow lies outside of AWS: its token is the job's to bring.
   * @throws ConstructError for a prefix that is no folder
   */
  grantPromote({ models, prefix, images }: PromotionAccess): Grant {
    this.#refuse(placeProblems('prefix', { prefix }));
    const below = `${prefix}*`;
    const all = models
      .grantRead(this, below)
      .combine(models.grantVerify(this, below))
      .combine(models.grantPublish(this, below));
    return images === undefined ? all : all.combine(images.grantPull(this)).combine(images.grantPush(this));
  }

  /** Lets these jobs start a training, a batch or any other state machine, wait for it and call it off. */
  grantStart(machine: { readonly stateMachineArn: string }): Grant {
    const { partition, region, account, resourceName } = Arn.split(
      machine.stateMachineArn,
      ArnFormat.COLON_RESOURCE_NAME,
    );
    const executions = `arn:${partition}:states:${region}:${account}:execution:${resourceName}:*`;
    return grantStatements(this, startStatements(machine.stateMachineArn, executions));
  }

  /**
   * Lets these jobs ask an endpoint, as the smoke test and a gate on it do; one that answers asynchronously by what lies on S3.
   * @throws ConstructError for a name that SageMaker would not take
   */
  grantInvoke(endpointName: string, answers: EndpointAnswers = 'at once'): Grant {
    this.#refuse(nameProblems('endpointName', endpointName));
    return grantStatements(this, invokeStatements(endpointArn(this, endpointName), answers));
  }

  /**
   * Lets these jobs read data files for validation, drift and the gate: the `s3://` addresses of a policy.
   * @throws ConstructError for a prefix that is no folder
   */
  grantReadData(first: DataPlace, ...more: readonly DataPlace[]): Grant {
    const places = [first, ...more];
    this.#refuse(places.flatMap((place) => placeProblems('prefix', place)));
    return places.map((place) => grantObjects(this, place)).reduce((all, one) => all.combine(one));
  }

  /**
   * Lets these jobs check tables by Amazon Athena: the policy's `engines.athena`, and no table, file or answer besides.
   * @throws ConstructError for prefixes that are no folders and names that Glue would not take
   */
  grantAthena(access: AthenaAccess): Grant {
    this.#refuse(athenaProblems(access));
    return access.data
      .map((place) => grantKey(this, place, 'kms:Decrypt'))
      .concat(grantKey(this, access.results, 'kms:GenerateDataKey', 'kms:Decrypt'))
      .reduce((all, one) => all.combine(one), grantStatements(this, athenaStatements(athenaResources(this, access))));
  }

  /** Lets these jobs deploy stacks with the CDK: by the roles that `cdk bootstrap` made in this account and region, and nothing else. */
  grantCdkDeploy(qualifier = 'hnb659fds'): Grant {
    const { account, region, partition } = Stack.of(this);
    const roles = ['deploy-role', 'file-publishing-role', 'image-publishing-role', 'lookup-role'].map(
      (name) => `arn:${partition}:iam::${account}:role/cdk-${qualifier}-${name}-${account}-${region}`,
    );
    return Grant.addToPrincipal({ grantee: this, actions: ['sts:AssumeRole'], resourceArns: roles });
  }

  #refuse(problems: readonly ConstructProblem[]): void {
    const findings = new Findings(this, 'GitHubDeployRole');
    findings.add(...problems);
    findings.throwIfAny();
  }
}

/** A role that works, for old repositories, and that trusts a name. */
function namesAlone(repository: string): ConstructProblem {
  return {
    code: 'names-alone',
    message:
      'the role trusts the name of a repository, which may be given to somebody else; and jobs of a repository made, renamed or moved after 15 July 2026 cannot have it',
    fix: `Set repositoryIds to what this prints: gh api repos/${repository} --jq '{owner: .owner.id, repository: .id}'.`,
  };
}

function problemsOf(props: GitHubDeployRoleProps): readonly ConstructProblem[] {
  const { maxSession, providerArn } = props;
  const problems: ConstructProblem[] = [...trustProblems(props), ...providerProblems(providerArn)];
  if (maxSession !== undefined && (maxSession.toSeconds() < 900 || maxSession.toSeconds() > 43_200)) {
    problems.push({
      code: 'bad-session',
      message: 'maxSession is outside of what IAM takes',
      found: maxSession.toHumanString(),
      expected: 'from 15 minutes to 12 hours',
      fix: 'Leave it out for an hour.',
    });
  }
  return problems;
}
