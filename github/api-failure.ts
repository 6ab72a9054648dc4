/** What of an error tells how GitHub answered; octokit's `RequestError` has this shape. */
interface Answered {
  readonly status: number;
  readonly message: string;
  readonly response?: { readonly headers?: Readonly<Record<string, string | number | undefined>> };
}

function answered(error: unknown): Answered | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number'
    ? (error as unknown as Answered)
    : undefined;
}

/** GitHub's status code; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const answer = answered(error);
  // octokit gives a request that never got an answer the status 500.
  return answer?.response === undefined ? undefined : answer.status;
}

/** A header of GitHub's answer, by its lower-case name. */
export function headerOf(error: unknown, name: string): string | undefined {
  const value = answered(error)?.response?.headers?.[name];
  return value === undefined ? undefined : String(value);
}

/**
 * Why a request to GitHub failed and what to do, as one clause. `permission` is the line a workflow needs under `permissions:`
 * for it (`pull-requests: write`); `fork`: whether the token is a fork's, which no workflow line can widen.
 */
export function describeApiFailure(error: unknown, permission: string, fork: boolean): string {
  const answer = answered(error);
  const status = statusOf(error);
  if (answer === undefined || status === undefined) {
    return `GitHub could not be reached (${error instanceof Error ? error.message : String(error)})`;
  }
  const said = answer.message.split(' - https://docs.github.com')[0] ?? '';
  if (status === 429 || /rate limit/i.test(answer.message)) {
    return `GitHub's rate limit was met and did not lift within the time Sluice waits (${said})`;
  }
  if (status === 401) return 'GitHub does not accept the token (401). Check the input "token"';
  if (status === 403 || status === 404) {
    return fork
      ? `the token of a fork's pull request only reads (${status}), whatever "permissions" says`
      : `the token may not do it (${status} ${said}). Give the job "permissions: ${permission}"`;
  }
  return `GitHub answered ${status} (${said})`;
}
