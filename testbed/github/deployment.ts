import { type Account, simpleUser } from './identity.ts';

/** A deployment and its statuses, oldest first. */
export interface Deployment {
  readonly id: number;
  readonly sha: string;
  readonly task: string;
  readonly environment: string;
  readonly description: string;
  readonly payload: unknown;
  readonly statuses: { readonly state: string; readonly description: string; readonly logUrl: string }[];
}

/** A label as it was put on an issue or a pull request. */
export interface PutLabel {
  readonly issue: number;
  readonly name: string;
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly by: Account;
}

/** GitHub's `deployment`. */
export function shownDeployment(
  { id, sha, task, environment, description, payload }: Deployment,
  its: { readonly repository: string; readonly creator: Account; readonly at: string },
): Readonly<Record<string, unknown>> {
  const repository = `https://api.github.com/repos/${its.repository}`;
  return {
    id,
    node_id: `DE_${id}`,
    url: `${repository}/deployments/${id}`,
    repository_url: repository,
    statuses_url: `${repository}/deployments/${id}/statuses`,
    sha,
    ref: sha,
    task,
    environment,
    original_environment: environment,
    description,
    payload,
    creator: simpleUser(its.creator),
    created_at: its.at,
    updated_at: its.at,
  };
}

/** GitHub's `deployment-status`, of the last. */
export function shownStatus(
  { id, statuses }: Deployment,
  its: { readonly repository: string; readonly creator: Account; readonly at: string },
): Readonly<Record<string, unknown>> {
  const repository = `https://api.github.com/repos/${its.repository}`;
  const { state = '', description = '', logUrl = '' } = statuses.at(-1) ?? {};
  return {
    id: id * 1000 + statuses.length,
    node_id: `DES_${id}_${statuses.length}`,
    url: `${repository}/deployments/${id}/statuses/${statuses.length}`,
    deployment_url: `${repository}/deployments/${id}`,
    repository_url: repository,
    state,
    description,
    log_url: logUrl,
    target_url: logUrl,
    creator: simpleUser(its.creator),
    created_at: its.at,
    updated_at: its.at,
  };
}

/** GitHub's `label`. */
export function shownLabel({ name }: PutLabel, repository: string): Readonly<Record<string, unknown>> {
  return {
    id: 9001,
    node_id: 'LA_9001',
    url: `https://api.github.com/repos/${repository}/labels/${encodeURIComponent(name)}`,
    name,
    description: null,
    color: 'ededed',
    default: false,
  };
}

/** GitHub's `labeled-issue-event`. */
export function shownLabelling(
  { name, at, by, issue }: PutLabel,
  repository: string,
): Readonly<Record<string, unknown>> {
  return {
    id: 7001,
    node_id: 'LE_7001',
    url: `https://api.github.com/repos/${repository}/issues/events/7001?issue=${issue}`,
    actor: simpleUser(by),
    event: 'labeled',
    commit_id: null,
    commit_url: null,
    created_at: at,
    performed_via_github_app: null,
    label: { name, color: 'ededed' },
  };
}
