import type { GitHubApi } from './api.ts';

export interface LabelApprovalOptions {
  readonly label: string;
  /** The pull request; without one, the merged one that brought the commit. */
  readonly pullRequest?: number;
  readonly commit: string;
  /** Milliseconds between two questions: a job's token may ask a thousand times an hour, for all that uses it. @default 30 s */
  readonly everyMs?: number;
  /** For people, each thing once. */
  readonly say?: (message: string) => void;
  /** For tests: milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Whether the label was put since `since`, milliseconds of the epoch. Throws octokit's errors. */
export type LabelApproval = (since: number) => Promise<boolean>;

const usualPause = 30_000;

/**
 * Approval by a label on the pull request. A label that was put before `since` says nothing of what was seen after it, so it has to be put
 * again. Who may label a pull request is GitHub's matter: whoever may triage.
 */
export function labelApproval(api: GitHubApi, options: LabelApprovalOptions): LabelApproval {
  const { label, commit, everyMs = usualPause, now = () => performance.now() } = options;
  const at = { owner: api.owner, repo: api.repo };
  const said = new Set<string>();
  const say = (message: string) => {
    if (!said.has(message)) options.say?.(message);
    said.add(message);
  };
  let pullRequest = options.pullRequest;
  let askedAt = Number.NEGATIVE_INFINITY;
  let approved = false;

  const pullRequestOfCommit = async (): Promise<number | undefined> => {
    const client = await api.client();
    const { data } = await client.rest.repos.listPullRequestsAssociatedWithCommit({ ...at, commit_sha: commit });
    return (data.find(({ merged_at }) => merged_at !== null) ?? data[0])?.number;
  };

  return async (since) => {
    if (approved || now() - askedAt < everyMs) return approved;
    askedAt = now();
    pullRequest ??= await pullRequestOfCommit();
    if (pullRequest === undefined) {
      say(`No pull request brought commit ${commit.slice(0, 12)}, so no label can approve: use the command approve.`);
      return false;
    }
    const client = await api.client();
    const { data: labels } = await client.rest.issues.listLabelsOnIssue({
      ...at,
      issue_number: pullRequest,
      per_page: 100,
    });
    if (!labels.some(({ name }) => same(name, label))) {
      say(`Waiting for the label "${label}" on pull request #${pullRequest}.`);
      return false;
    }
    const events = await client.paginate(client.rest.issues.listEvents, {
      ...at,
      issue_number: pullRequest,
      per_page: 100,
    });
    const put = events.findLast((event) => event.event === 'labeled' && same(nameOf(event), label));
    // GitHub tells whole seconds.
    approved = put !== undefined && Date.parse(put.created_at) >= Math.floor(since / 1000) * 1000;
    if (approved) say(`Approved by the label "${label}", which ${put?.actor?.login ?? 'somebody'} put.`);
    else {
      say(
        `The label "${label}" was put on pull request #${pullRequest} before this rollout began: put it anew to approve.`,
      );
    }
    return approved;
  };
}

/** GitHub holds two labels that differ in case for one. */
function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function nameOf(event: object): string {
  const label = 'label' in event ? event.label : undefined;
  const name = typeof label === 'object' && label !== null && 'name' in label ? label.name : undefined;
  return typeof name === 'string' ? name : '';
}
