import { checkHeaders, type HttpOptions } from '../../core/http/index.ts';
import { InputError } from '../../core/problem/index.ts';
import type { WireRequest } from '../protocol.ts';
import type { Target } from '../target.ts';
import { arrivalTimes } from './arrivals.ts';
import { closedLoop, type Span } from './closed-loop.ts';
import { ConnectionPool } from './connection-pool.ts';
import { checkShape, type LoadShape } from './load-shape.ts';
import { nanoseconds } from './nanoseconds.ts';
import { openLoop } from './open-loop.ts';
import { requestBytes } from './request-bytes.ts';
import { routeTo } from './route.ts';
import { type AnswerCheck, type LoadResult, Tally } from './tally.ts';

export interface LoadOptions extends HttpOptions {
  /** Milliseconds of load before anything counts, beside the duration: connections, and the compilers of both sides. @default a tenth of the duration, at most 1000 */
  readonly warmUpMs?: number;
  /** Goes on after the duration until so many requests were sent: percentiles need them. @default 0 */
  readonly leastRequests?: number;
  /** Milliseconds after which it ends all the same. @default three times the duration */
  readonly longestMs?: number;
  /** Looks at every 2xx. It runs on the clock of the load: keep it light. */
  readonly check?: AnswerCheck;
  /** Open: connections at once. @default 256 */
  readonly mostConnections?: number;
  /** Open: another seed, other Poisson arrivals. @default 'load' */
  readonly seed?: string;
}

/**
 * Sends requests to the target over and over, in turn, and tells how long each took. HTTP/1.1 on bare sockets (`bench/RESULTS.md` says
 * why), connections kept; through HTTPS_PROXY where `HttpClient` would go through it. Whatever the server does is in the result.
 *
 * Throws an InputError for a target or request that cannot be sent, a RangeError for an impossible shape.
 */
export async function loadHttp(
  target: Target,
  requests: readonly WireRequest[],
  shape: LoadShape,
  options: LoadOptions = {},
): Promise<LoadResult> {
  checkShape(shape);
  if (requests.length === 0) {
    throw new InputError({
      code: 'no-requests',
      message: 'there is no request to send as load',
      fix: 'Give at least one golden input or question.',
    });
  }
  for (const { headers } of requests) checkHeaders(headers);
  const route = routeTo(target, options);
  const bytes = requests.map((request) => requestBytes(request, target.url.host));
  const tally = new Tally(route.hide, options.check);
  using pool = new ConnectionPool(route, {
    maxBodyBytes: target.maxAnswerBytes,
    keepBodies: options.check !== undefined,
  });

  if (shape.mode === 'closed') {
    const opened = await Promise.all(Array.from({ length: shape.concurrency }, () => pool.open()));
    for (const connection of opened) if (!('lost' in connection)) pool.give(connection);
    await closedLoop(pool, bytes, spanOf(nanoseconds(), shape, options), shape.concurrency, tally);
  } else {
    const start = nanoseconds();
    const arrivals = arrivalTimes(shape.rate, shape.arrivals ?? 'uniform', options.seed ?? 'load');
    const { mostConnections = 256 } = options;
    const open = { arrivals, mostConnections, timeoutMs: target.timeoutMs, start };
    await openLoop(pool, bytes, spanOf(start, shape, options), open, tally);
  }
  return tally.result(pool.opened);
}

function spanOf(start: number, { durationMs }: LoadShape, options: LoadOptions): Span {
  const { warmUpMs = Math.min(1000, durationMs / 10), leastRequests = 0, longestMs = 3 * durationMs } = options;
  const from = start + Math.round(warmUpMs * 1e6);
  const to = from + Math.round(durationMs * 1e6);
  return { from, to, least: leastRequests, latest: from + Math.round(Math.max(durationMs, longestMs) * 1e6) };
}
