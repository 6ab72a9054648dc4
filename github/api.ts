import { randomUUID } from 'node:crypto';
import type { getOctokit } from '@actions/github';

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

export interface GitHubApiOptions {
  /** `owner/name` */
  readonly repository: string;
  readonly token: string;
  readonly apiUrl: string;
  readonly serverUrl: string;
  /** Told when GitHub asks to wait. */
  readonly onWait?: (seconds: number) => void;
  /** How long all waits of this client may last together; 60 s when not given. */
  readonly maximumWaitSeconds?: number;
  /** How long a second of waiting lasts; tests make it short. 1000 when not given. */
  readonly secondMs?: number;
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
  const [{ getOctokit }, { retry }, { throttling }] = await Promise.all([
    import('@actions/github'),
    import('@octokit/plugin-retry'),
    import('@octokit/plugin-throttling'),
  ]);
  const secondMs = options.secondMs ?? 1000;
  let leftSeconds = options.maximumWaitSeconds ?? 60;
  // GitHub says how long to wait. All waits come out of one purse, so that a limited token delays a job and never hangs it.
  const mayWait = (seconds: number): boolean => {
    // A limit that says it is over and is not must empty the purse too.
    const cost = Math.max(1, seconds);
    if (cost > leftSeconds) return false;
    leftSeconds -= cost;
    options.onWait?.(cost);
    return true;
  };
  const quiet = () => {};
  return getOctokit(
    options.token,
    {
      baseUrl: options.apiUrl,
      userAgent: 'sluice',
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      retry: { retries: 2, retryAfterBaseValue: secondMs, doNotRetry: [400, 401, 403, 404, 410, 413, 422, 429, 451] },
      throttle: {
        // Each client keeps its own queues.
        id: randomUUID(),
        retryAfterBaseValue: secondMs,
        fallbackSecondaryRateRetryAfter: 30,
        onRateLimit: mayWait,
        onSecondaryRateLimit: mayWait,
      },
    },
    retry,
    throttling,
  );
}
