import type { getOctokit } from '@actions/github';
import { type Patience, patience } from './patience.ts';

export type Octokit = ReturnType<typeof getOctokit>;

/** GitHub's REST API, for one repository, with one token. */
export interface GitHubApi {
  readonly owner: string;
  readonly repo: string;
  readonly serverUrl: string;
  readonly token: string;
  /** The client, made on first use: it is a third of the code, and many runs never call GitHub. */
  client(): Promise<Octokit>;
}

export interface GitHubApiOptions extends Patience {
  /** `owner/name` */
  readonly repository: string;
  readonly token: string;
  readonly apiUrl: string;
  readonly serverUrl: string;
}

export function gitHubApi(options: GitHubApiOptions): GitHubApi {
  const [owner = '', repo = ''] = options.repository.split('/');
  let made: Promise<Octokit> | undefined;
  return {
    owner,
    repo,
    serverUrl: options.serverUrl,
    token: options.token,
    client() {
      made ??= makeClient(options);
      return made;
    },
  };
}

async function makeClient(options: GitHubApiOptions): Promise<Octokit> {
  const { getOctokit } = await import('@actions/github');
  const quiet = () => {};
  const client = getOctokit(options.token, {
    baseUrl: options.apiUrl,
    userAgent: 'sluice',
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const patiently = patience(options);
  client.hook.wrap('request', (request, parameters) => {
    const retries: unknown = parameters.request?.['retries'];
    return patiently(async () => request(parameters), typeof retries === 'number' ? retries : undefined);
  });
  return client;
}
