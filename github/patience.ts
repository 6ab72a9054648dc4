import { setTimeout as sleep } from 'node:timers/promises';
import { headerOf, statusOf } from './api-failure.ts';

/** How long a client waits for GitHub. */
export interface Patience {
  /** All waits together; 60 s when not given. */
  readonly maximumWaitSeconds?: number;
  /** How long a second of waiting lasts; tests make it short. 1000 when not given. */
  readonly secondMs?: number;
  /** Told before each wait that GitHub asks for. */
  readonly onWait?: (seconds: number) => void;
}

// What GitHub recommends when it does not say how long (docs: "Exceeding the rate limit") is a minute; half of it leaves time for
// a second try.
const unsaidSeconds = 30;
const usualRetries = 2;

/**
 * Does a request, waits out rate limits for as long as GitHub says, and tries again after a 5xx or a broken line. All waits come
 * out of one purse, so that a limited token delays a job and never hangs it; when it is empty the error stands. With
 * `retries` 0 a request is not repeated after a 5xx (it may have been carried out), only after a rate limit (it was not).
 */
export function patience(
  options: Patience,
): <Response>(request: () => Promise<Response>, retries?: number) => Promise<Response> {
  const secondMs = options.secondMs ?? 1000;
  let left = options.maximumWaitSeconds ?? 60;
  return async (request, retries = usualRetries) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        const asked = limitSeconds(error);
        const again = asked ?? brokenSeconds(error, attempt, retries);
        if (again === undefined || again > left) throw error;
        left -= again;
        if (asked !== undefined) options.onWait?.(asked);
        await sleep(again * secondMs);
      }
    }
  };
}

/** Seconds until a rate limit lifts; undefined when the error is none. At least 1, so that waiting always costs something. */
function limitSeconds(error: unknown): number | undefined {
  const status = statusOf(error);
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headerOf(error, 'retry-after') ?? Number.NaN);
  if (Number.isFinite(after)) return Math.max(1, Math.ceil(after));
  if (headerOf(error, 'x-ratelimit-remaining') === '0') {
    const reset = Number(headerOf(error, 'x-ratelimit-reset') ?? Number.NaN);
    if (Number.isFinite(reset)) return Math.max(1, Math.ceil(reset - Date.now() / 1000) + 1);
  }
  return status === 429 || /rate limit/i.test(String(error)) ? unsaidSeconds : undefined;
}

function brokenSeconds(error: unknown, attempt: number, allowed: number): number | undefined {
  return (statusOf(error) ?? 500) >= 500 && attempt < allowed ? (attempt + 1) ** 2 : undefined;
}
