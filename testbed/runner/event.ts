import type { Project } from './project.ts';

/** An event's name and its payload, cut down to the fields GitHub's webhook documentation names and an action may read. */
export interface Event {
  readonly name: 'pull_request' | 'pull_request_target' | 'merge_group' | 'push' | 'workflow_run';
  readonly payload: Readonly<Record<string, unknown>>;
}

function account(login: string, id: number) {
  return { login, id, type: 'User', html_url: `https://github.com/${login}` };
}

function repositoryOf(fullName: string, fork: boolean) {
  const [owner = '', name = ''] = fullName.split('/');
  return {
    id: fork ? 1002 : 1001,
    name,
    full_name: fullName,
    owner: account(owner, fork ? 12 : 11),
    private: false,
    fork,
    default_branch: 'main',
    html_url: `https://github.com/${fullName}`,
    url: `https://api.github.com/repos/${fullName}`,
  };
}

export function pullRequestEvent(
  project: Project,
  options: { readonly fork?: boolean; readonly name?: 'pull_request' | 'pull_request_target' } = {},
): Event {
  const fork = options.fork === true;
  const repository = repositoryOf(project.repository, false);
  const number = project.pullRequest;
  return {
    name: options.name ?? 'pull_request',
    payload: {
      action: 'synchronize',
      number,
      pull_request: {
        id: 5001,
        number,
        state: 'open',
        draft: false,
        title: 'Train on November data',
        html_url: `https://github.com/${project.repository}/pull/${number}`,
        user: account(fork ? 'stranger' : 'ada', fork ? 13 : 14),
        head: {
          ref: 'change',
          sha: project.headSha,
          label: fork ? 'stranger:change' : 'acme:change',
          repo: fork ? repositoryOf('stranger/churn', true) : repository,
        },
        base: { ref: 'main', sha: project.baseSha, label: 'acme:main', repo: repository },
        merge_commit_sha: project.mergeSha,
        commits: 1,
        changed_files: 1,
      },
      repository,
      sender: account('ada', 14),
    },
  };
}

export function mergeGroupEvent(project: Project): Event {
  return {
    name: 'merge_group',
    payload: {
      action: 'checks_requested',
      merge_group: {
        head_sha: project.mergeSha,
        head_ref: `refs/heads/gh-readonly-queue/main/pr-${project.pullRequest}-${project.baseSha}`,
        base_sha: project.baseSha,
        base_ref: 'refs/heads/main',
        head_commit: { id: project.mergeSha, message: 'Merge' },
      },
      repository: repositoryOf(project.repository, false),
      sender: account('ada', 14),
    },
  };
}

export function pushEvent(project: Project): Event {
  return {
    name: 'push',
    payload: {
      ref: 'refs/heads/main',
      before: project.baseSha,
      after: project.mergeSha,
      created: false,
      deleted: false,
      forced: false,
      head_commit: { id: project.mergeSha, message: 'Merge' },
      repository: repositoryOf(project.repository, false),
      sender: account('ada', 14),
    },
  };
}

/** The end of a run of the workflow `Gate`, as the workflow that publishes is told of it; of a fork GitHub names no pull request. */
export function workflowRunEvent(project: Project, options: { readonly run: number; readonly fork: boolean }): Event {
  const repository = repositoryOf(project.repository, false);
  return {
    name: 'workflow_run',
    payload: {
      action: 'completed',
      workflow_run: {
        id: options.run,
        name: 'Gate',
        path: '.github/workflows/gate.yml',
        event: 'pull_request',
        status: 'completed',
        conclusion: 'failure',
        head_branch: 'change',
        head_sha: project.headSha,
        head_repository: options.fork ? repositoryOf('stranger/churn', true) : repository,
        repository,
        pull_requests: options.fork
          ? []
          : [{ id: 5001, number: project.pullRequest, head: { ref: 'change', sha: project.headSha } }],
      },
      repository,
      sender: account('stranger', 13),
    },
  };
}
