import type { GitHubApi } from './api.ts';
import type { WorkflowRun } from './workflow-run.ts';

/** GitHub lists at most so many files of a pull request. */
const mostFiles = 3000;

/**
 * The open pull request whose head the run judged; undefined when there is none, or when its head has moved on (the newer commit's run
 * then reports). Found by the event's branch and commit alone, never by anything the run wrote. Throws octokit's errors.
 */
export async function pullRequestOf(
  run: Pick<WorkflowRun, 'event' | 'headSha' | 'headBranch' | 'headRepository' | 'pullRequests'>,
  api: GitHubApi,
): Promise<number | undefined> {
  if (run.event !== 'pull_request') return undefined;
  const known = run.pullRequests.find(({ headSha }) => headSha === run.headSha);
  if (known !== undefined) return known.number;
  const [owner] = run.headRepository?.split('/') ?? [];
  if (owner === undefined || run.headBranch === '') return undefined;
  const client = await api.client();
  const found = await client.paginate(client.rest.pulls.list, {
    owner: api.owner,
    repo: api.repo,
    state: 'open',
    // One account may have two forks' worth of branches of a name; the commit decides.
    head: `${owner}:${run.headBranch}`,
    per_page: 100,
  });
  return found.find(({ head }) => head.sha === run.headSha)?.number;
}

/**
 * The files under `.github/` that a pull request changes: it then was judged by a workflow that it wrote itself. Throws octokit's errors.
 */
export async function changedWorkflowFiles(pullRequest: number, api: GitHubApi): Promise<readonly string[]> {
  const client = await api.client();
  const pages = client.paginate.iterator(client.rest.pulls.listFiles, {
    owner: api.owner,
    repo: api.repo,
    pull_number: pullRequest,
    per_page: 100,
  });
  const changed: string[] = [];
  let files = 0;
  for await (const { data } of pages) {
    for (const { filename, previous_filename: before } of data) {
      files++;
      changed.push(...[filename, before ?? filename].filter((path) => path.startsWith('.github/')));
    }
  }
  // What is beyond GitHub's list may be anything.
  return files >= mostFiles ? [...new Set([...changed, '(more files than GitHub lists)'])] : [...new Set(changed)];
}
