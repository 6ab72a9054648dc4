import { InputError, type Problem } from '../core/problem/index.ts';
import {
  type Environment,
  eventProblem,
  payloadCommit,
  payloadField,
  readPayload,
  repositoryOf,
} from './event-payload.ts';

/** What started the workflow, reduced to what a gate needs. */
export interface GitHubEvent {
  /** GitHub's name of it: `pull_request`, `merge_group`, `push`, `schedule`... */
  readonly name: string;
  /** `owner/name` of the repository the workflow runs in (for a fork's pull request: the base's). */
  readonly repository: string;
  /** The commit under judgement. For a pull request its head, not the merge commit that is checked out. */
  readonly headSha: string;
  /** The commit it is held against; absent where an event has none (`schedule`, `workflow_dispatch`, a new branch). */
  readonly baseSha?: string;
  readonly pullRequest?: number;
  /** Whether the head comes from another repository: GitHub then gives the job a token that only reads. */
  readonly fork: boolean;
  readonly workflow: string;
  readonly job: string;
  /** The page of this run, for links. */
  readonly runUrl: string;
  /** `https://github.com`, or the address of a GitHub Enterprise Server. */
  readonly serverUrl: string;
  /** `https://api.github.com`, or that of a GitHub Enterprise Server. */
  readonly apiUrl: string;
}

const refusedEvents: Readonly<Record<string, Omit<Problem, 'code'>>> = {
  pull_request_target: {
    message: 'a gate does not run under pull_request_target',
    found: 'on: pull_request_target, whose token can write and whose secrets a fork could reach',
    fix: 'Use "on: pull_request" instead; its token only reads, and Sluice then reports in the job summary.',
  },
  workflow_run: {
    message: 'a gate does not run under workflow_run',
    found: 'on: workflow_run, which holds secrets while it would judge files of a pull request',
    fix: 'Run the gate under "on: pull_request".',
  },
  issue_comment: {
    message: 'a gate does not run under issue_comment',
    found: 'on: issue_comment, which holds secrets and does not say which commits to compare',
    fix: 'Run the gate under "on: pull_request".',
  },
};

/**
 * Reads the event from the environment GitHub gives a job. Throws an `InputError` with the fix for events under which a gate
 * must not run (`pull_request_target`, `workflow_run`, `issue_comment`: code of a pull request beside secrets), and outside of
 * GitHub Actions.
 */
export async function readEvent(env: Environment): Promise<GitHubEvent> {
  const name = env['GITHUB_EVENT_NAME'];
  if (name === undefined || name === '') {
    throw eventProblem('this is not a GitHub Actions job: GITHUB_EVENT_NAME is not set', {
      fix: 'Use the command instead: sluice gate --base main',
    });
  }
  const refused = refusedEvents[name];
  if (refused !== undefined) throw new InputError({ code: 'refused-event', ...refused });

  const payload = await readPayload(env['GITHUB_EVENT_PATH']);
  const repository = repositoryOf(env);
  const serverUrl = env['GITHUB_SERVER_URL'] || 'https://github.com';
  const commits = commitsOf(name, payload, env);
  const pullRequest = payloadField(payload, 'pull_request', 'number');
  const headRepository = payloadField(payload, 'pull_request', 'head', 'repo', 'full_name');
  const baseRepository = payloadField(payload, 'pull_request', 'base', 'repo', 'full_name');
  return {
    name,
    repository,
    ...commits,
    ...(typeof pullRequest === 'number' && Number.isSafeInteger(pullRequest) ? { pullRequest } : {}),
    // A deleted fork has no head repository.
    fork:
      payloadField(payload, 'pull_request') !== undefined && (headRepository ?? '') !== (baseRepository ?? repository),
    workflow: env['GITHUB_WORKFLOW'] ?? '',
    job: env['GITHUB_JOB'] ?? '',
    runUrl: `${serverUrl}/${repository}/actions/runs/${encodeURIComponent(env['GITHUB_RUN_ID'] ?? '')}`,
    serverUrl,
    apiUrl: env['GITHUB_API_URL'] || 'https://api.github.com',
  };
}

function commitsOf(name: string, payload: unknown, env: Environment): { headSha: string; baseSha?: string } {
  const checkedOut = (env['GITHUB_SHA'] ?? '').toLowerCase();
  const pair = (head: string | undefined, base: string | undefined) => ({
    headSha: head ?? checkedOut,
    ...(base === undefined ? {} : { baseSha: base }),
  });
  if (name.startsWith('pull_request')) {
    const head = payloadCommit(payload, 'pull_request', 'head', 'sha');
    const base = payloadCommit(payload, 'pull_request', 'base', 'sha');
    if (head === undefined || base === undefined) {
      throw eventProblem(`the ${name} event does not name the pull request's head and base commits`, {
        expected: 'pull_request.head.sha and pull_request.base.sha',
      });
    }
    return pair(head, base);
  }
  if (name === 'merge_group') {
    const head = payloadCommit(payload, 'merge_group', 'head_sha');
    const base = payloadCommit(payload, 'merge_group', 'base_sha');
    if (head === undefined || base === undefined) {
      throw eventProblem('the merge_group event does not name its commits', {
        expected: 'merge_group.head_sha and merge_group.base_sha',
      });
    }
    return pair(head, base);
  }
  if (name === 'push') return pair(payloadCommit(payload, 'after'), payloadCommit(payload, 'before'));
  return pair(undefined, undefined);
}
