import { excerpt, parsedJson } from '../core/text/index.ts';
import type { GitHubApi } from './api.ts';

/** GitHub's words for how a deployment stands: https://docs.github.com/rest/deployments/statuses */
export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error';

export interface DeploymentOptions {
  /** The name of the GitHub environment it is shown under. */
  readonly environment: string;
  /** The commit that is deployed. */
  readonly ref: string;
  /** Tells deployments of one environment apart; a deployment of this id is gone on with, whoever made it. */
  readonly id: string;
  /** The page of the run. */
  readonly logUrl: string;
}

/** A deployment as GitHub shows it on the repository's page. */
export interface OpenDeployment {
  /**
   * Adds a status; the first makes the deployment, or finds it. `success` makes earlier deployments of the environment inactive. Throws
   * octokit's errors.
   */
  tell(state: DeploymentState, description: string): Promise<void>;
}

const task = 'sluice:canary';
/** GitHub cuts none off: it refuses what is longer. */
const longestDescription = 140;

/** Nothing is asked of GitHub before the first status. */
export function openDeployment(api: GitHubApi, options: DeploymentOptions): OpenDeployment {
  const at = { owner: api.owner, repo: api.repo };
  const { environment, ref, id, logUrl } = options;
  let known: number | undefined;

  const found = async (): Promise<number | undefined> => {
    const client = await api.client();
    const { data } = await client.rest.repos.listDeployments({ ...at, environment, task, per_page: 50 });
    return data.find(({ payload }) => idOf(payload) === id)?.id;
  };
  const made = async (): Promise<number> => {
    const client = await api.client();
    const { data } = await client.rest.repos.createDeployment({
      ...at,
      ref,
      task,
      environment,
      // The rollout itself decides; a commit without green checks is none of its matters.
      required_contexts: [],
      auto_merge: false,
      description: excerpt(`Canary ${id}`, longestDescription),
      payload: { sluice: { id } },
      request: { retries: 0 },
    });
    if ('id' in data) return data.id;
    throw new Error('GitHub made no deployment');
  };
  return {
    async tell(state, description) {
      known ??= (await found()) ?? (await made());
      const client = await api.client();
      await client.rest.repos.createDeploymentStatus({
        ...at,
        deployment_id: known,
        state,
        description: excerpt(description, longestDescription),
        log_url: logUrl,
        auto_inactive: state === 'success',
      });
    },
  };
}

/** GitHub gives a payload back as it came, or as its JSON. */
function idOf(payload: unknown): unknown {
  const content = typeof payload === 'string' ? parsedJson(payload) : payload;
  const sluice = typeof content === 'object' && content !== null && 'sluice' in content ? content.sluice : undefined;
  return typeof sluice === 'object' && sluice !== null && 'id' in sluice ? sluice.id : undefined;
}
