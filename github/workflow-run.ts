import { InputError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import type { GitHubEvent } from './event.ts';
import {
  type Environment,
  eventProblem,
  payloadCommit,
  payloadField,
  readPayload,
  repositoryOf,
} from './event-payload.ts';

/** A finished run of another workflow, as GitHub's `workflow_run` event tells of it: every value is GitHub's own, none the run's. */
export interface WorkflowRun {
  readonly id: number;
  /** What started it: `pull_request`, `push`... */
  readonly event: string;
  /** The commit it ran on; of a pull request its head. */
  readonly headSha: string;
  readonly headBranch: string;
  /** `owner/name` the commit came from; absent where a fork was deleted meanwhile. */
  readonly headRepository?: string;
  readonly workflow: string;
  /** `.github/workflows/gate.yml` */
  readonly path: string;
  /** Open pull requests GitHub knows the run by: none for a fork's. */
  readonly pullRequests: readonly { readonly number: number; readonly headSha: string }[];
}

/** The run a publishing job was started by, and where that job itself stands. */
export interface PublishingEvent {
  readonly run: WorkflowRun;
  /** As publishing wants it: the gated commit, the gate's own run as the page to link to. */
  readonly event: GitHubEvent;
}

/** Reads a `workflow_run` event. Throws an `InputError` under any other, with what to write. */
export async function readWorkflowRun(env: Environment): Promise<PublishingEvent> {
  const name = env['GITHUB_EVENT_NAME'];
  if (name !== 'workflow_run') {
    throw new InputError({
      code: 'refused-event',
      message: 'a report of another run is published under workflow_run',
      found: name === undefined || name === '' ? 'no GitHub Actions job' : `on: ${excerpt(name)}`,
      fix: 'Write "on: { workflow_run: { workflows: [<the gate\'s workflow>], types: [completed] } }"; under other events the gate publishes by itself.',
    });
  }
  const payload = await readPayload(env['GITHUB_EVENT_PATH']);
  const repository = repositoryOf(env);
  const of = (...path: readonly string[]) => payloadField(payload, 'workflow_run', ...path);
  const id = of('id');
  const headSha = payloadCommit(payload, 'workflow_run', 'head_sha');
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || headSha === undefined) {
    throw eventProblem('the workflow_run event does not name its run', {
      expected: 'workflow_run.id and workflow_run.head_sha',
    });
  }
  const headRepository = of('head_repository', 'full_name');
  const run: WorkflowRun = {
    id,
    event: text(of('event')),
    headSha,
    headBranch: text(of('head_branch')),
    ...(typeof headRepository === 'string' && headRepository !== '' ? { headRepository } : {}),
    workflow: text(of('name')),
    path: text(of('path')).replace(/@.*$/, ''),
    pullRequests: pullRequestsOf(of('pull_requests')),
  };
  const serverUrl = env['GITHUB_SERVER_URL'] || 'https://github.com';
  return {
    run,
    event: {
      name,
      repository,
      headSha,
      // The token here is this repository's own, whoever the commit is from.
      fork: false,
      workflow: run.workflow,
      job: env['GITHUB_JOB'] ?? '',
      runUrl: `${serverUrl}/${repository}/actions/runs/${id}`,
      serverUrl,
      apiUrl: env['GITHUB_API_URL'] || 'https://api.github.com',
    },
  };
}

/** Whether the commit came from another repository than the one that judges it. */
export function isOfFork(run: Pick<WorkflowRun, 'headRepository'>, repository: string): boolean {
  return run.headRepository?.toLowerCase() !== repository.toLowerCase();
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function pullRequestsOf(value: unknown): WorkflowRun['pullRequests'] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    const number = payloadField(each, 'number');
    const headSha = payloadField(each, 'head', 'sha');
    return typeof number === 'number' && Number.isSafeInteger(number) && typeof headSha === 'string'
      ? [{ number, headSha }]
      : [];
  });
}
