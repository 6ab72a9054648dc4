import { Token } from 'aws-cdk-lib';
import type { ConstructProblem } from '../../problem/index.ts';

/** Which jobs of a repository may have a role. */
export type GitHubSubject =
  /** Jobs with `environment: production`, after whatever that environment asks for: reviewers, a branch. */
  | { readonly environment: string }
  /** Jobs on a branch, whatever started them; not those of pull requests into it. */
  | { readonly branch: string }
  /** Jobs on a tag. */
  | { readonly tag: string }
  /** Jobs of pull requests from the repository itself (a fork's get no token): only for roles that read. */
  | { readonly pullRequest: true };

/** GitHub's own numbers of a repository and of its owner, which never change and are never given twice. */
export interface GitHubRepositoryIds {
  readonly owner: number;
  readonly repository: number;
}

/** Whose tokens a role takes. */
export interface GitHubTrust {
  /** `owner/name`. */
  readonly repository: string;
  readonly subjects: readonly [GitHubSubject, ...GitHubSubject[]];
  /**
   * GitHub's own numbers of the repository and its owner: `gh api repos/acme/churn --jq '{owner: .owner.id, repository: .id}'`. With them
   * whoever takes over the name later has no token that fits. Needed for repositories that were made, renamed or moved after
   * 15 July 2026, or that chose it: their tokens name the numbers in `sub`.
   * https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
   * @default tokens that name the repository without its numbers
   */
  readonly repositoryIds?: GitHubRepositoryIds;
  /**
   * Only jobs on these refs, as well as of a subject: `refs/heads/main`. For environments whose own rule of branches is another's to change.
   * @default any ref that the subjects let in
   */
  readonly refs?: readonly [string, ...string[]];
  /**
   * Only jobs that one of these reusable workflows is running, so that the steps in front of and behind the use of the role are reviewed
   * where it is kept: `acme/workflows/.github/workflows/release.yml@refs/heads/main`. Jobs of other workflows get no role.
   * @default any workflow of the repository
   */
  readonly reusableWorkflows?: readonly [string, ...string[]];
  /** The address of a GitHub Enterprise Server's tokens. @default GitHub's own */
  readonly issuer?: string;
}

export const gitHubIssuer = 'https://token.actions.githubusercontent.com';
export const tokenAudience = 'sts.amazonaws.com';

/**
 * What a token must say: equal, not alike, so that no pattern could let another repository or branch in. Of GitHub's own tokens IAM reads more
 * than the subject since January 2026 (`repository_id`, `ref`, `job_workflow_ref`, ...): "IAM and AWS STS condition context keys".
 */
export function trustConditions(trust: GitHubTrust): Readonly<Record<string, string | string[]>> {
  const { repository, subjects, repositoryIds, refs, reusableWorkflows, issuer = gitHubIssuer } = trust;
  const host = issuer.replace('https://', '');
  return {
    [`${host}:aud`]: tokenAudience,
    [`${host}:sub`]: repositoriesOf(repository, repositoryIds).flatMap((name) =>
      subjects.map((subject) => `repo:${name}:${subjectText(subject)}`),
    ),
    ...(repositoryIds === undefined ? {} : { [`${host}:repository_id`]: String(repositoryIds.repository) }),
    ...(refs === undefined ? {} : { [`${host}:ref`]: [...refs] }),
    ...(reusableWorkflows === undefined ? {} : { [`${host}:job_workflow_ref`]: [...reusableWorkflows] }),
  };
}

/** With its numbers a repository may write them or not: `repository_id` tells it from others either way. */
function repositoriesOf(repository: string, ids: GitHubRepositoryIds | undefined): readonly string[] {
  if (ids === undefined) return [repository];
  const [owner, name] = repository.split('/');
  return [`${owner}@${ids.owner}/${name}@${ids.repository}`, repository];
}

/** As GitHub writes it into a token's `sub`, after the repository. */
export function subjectText(subject: GitHubSubject): string {
  if ('environment' in subject) {
    // GitHub writes a colon in a name as %3A, so that none can pass for another part.
    return `environment:${subject.environment.replaceAll(':', '%3A')}`;
  }
  if ('branch' in subject) return `ref:refs/heads/${subject.branch}`;
  if ('tag' in subject) return `ref:refs/tags/${subject.tag}`;
  return 'pull_request';
}

export function trustProblems(trust: GitHubTrust): readonly ConstructProblem[] {
  return [
    ...repositoryProblems(trust),
    ...subjectProblems(trust),
    ...claimProblems(trust),
    ...issuerProblems(trust.issuer),
  ];
}

function repositoryProblems({ repository, repositoryIds }: GitHubTrust): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (!/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/.test(repository)) {
    problems.push({
      code: 'bad-repository',
      message: 'repository is not the one repository that may have the role',
      found: repository,
      expected: 'owner/name, without a pattern',
      fix: 'Name one repository; make a role for each.',
    });
  }
  for (const [prop, id] of Object.entries(repositoryIds ?? {})) {
    if (Number.isSafeInteger(id) && id > 0) continue;
    problems.push({
      code: 'bad-repository-id',
      message: `repositoryIds.${prop} is no number of GitHub's`,
      found: String(id),
      expected: 'a whole number above 0',
      fix: `Ask GitHub: gh api repos/${repository} --jq '{owner: .owner.id, repository: .id}'.`,
    });
  }
  return problems;
}

function subjectProblems(trust: GitHubTrust): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const [...subjects] = trust.subjects;
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
  return problems;
}

function claimProblems({ refs, reusableWorkflows, repositoryIds, issuer }: GitHubTrust): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const ref = String.raw`refs\/(?:heads|tags|pull)\/[^\s*?@]+`;
  for (const found of refs ?? []) {
    if (new RegExp(`^${ref}$`).test(found)) continue;
    problems.push({
      code: 'bad-ref',
      message: 'refs names what no job is on',
      found,
      expected: 'a whole ref without a pattern',
      fix: 'Write a branch as refs/heads/main, a tag as refs/tags/v1.',
    });
  }
  const workflow = new RegExp(
    `^[A-Za-z0-9-]+/[A-Za-z0-9._-]+/\\.github/workflows/[^\\s*?@/]+\\.ya?ml@(?:${ref}|[0-9a-f]{40})$`,
  );
  for (const found of reusableWorkflows ?? []) {
    if (workflow.test(found)) continue;
    problems.push({
      code: 'bad-workflow',
      message: 'reusableWorkflows names no workflow as tokens do',
      found,
      expected: 'owner/name/.github/workflows/file.yml@refs/heads/branch, without a pattern',
      fix: 'Write the workflow with the whole ref that it is called by.',
    });
  }
  const claims = Object.entries({ refs, reusableWorkflows, repositoryIds }).filter(([, value]) => value !== undefined);
  if (issuer !== undefined && issuer !== gitHubIssuer && claims.length > 0) {
    problems.push({
      code: 'claims-of-another-issuer',
      message: `IAM reads ${claims.map(([prop]) => prop).join(', ')} from the tokens of GitHub itself alone`,
      found: issuer,
      expected: `${gitHubIssuer}, or no such condition`,
      fix: "Leave them out; on a server of one's own customise the subject claim instead.",
    });
  }
  return problems;
}

function issuerProblems(issuer: string | undefined): readonly ConstructProblem[] {
  if (issuer === undefined || /^https:\/\/[^\s/]+(?:\/[^\s]*[^\s/])?$/.test(issuer)) return [];
  return [
    {
      code: 'bad-issuer',
      message: 'issuer is no address of tokens',
      found: issuer,
      expected: 'https://host/path without a slash at the end',
      fix: 'Leave it out for GitHub itself.',
    },
  ];
}

export function providerProblems(providerArn: string | undefined): readonly ConstructProblem[] {
  if (
    providerArn === undefined ||
    Token.isUnresolved(providerArn) ||
    /^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/\S+$/.test(providerArn)
  ) {
    return [];
  }
  return [
    {
      code: 'bad-arn',
      message: 'providerArn is no ARN of a provider of tokens',
      found: providerArn,
      expected: `arn:aws:iam::<account>:oidc-provider/${gitHubIssuer.replace('https://', '')}`,
      fix: 'Copy it from IAM, or leave it out where the account has none.',
    },
  ];
}
