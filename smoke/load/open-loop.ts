import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Problem } from '../../core/problem/index.ts';
import type { Span } from './closed-loop.ts';
import type { Connection } from './connection.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { nanoseconds } from './nanoseconds.ts';
import type { Tally } from './tally.ts';

/** Timers are up to a millisecond late, and more when the machine is busy: the last stretch before a request is watched. */
const watchedNanoseconds = 2e6;

interface DueRequest {
  readonly index: number;
  /** When it should have been sent, in nanoseconds. */
  readonly due: number;
}

/**
 * Requests that are due at given times, whatever the server does with those before. A request's time counts from when it was due, whether or
 * not a connection was free by then: a server that stalls is charged for everyone it keeps waiting (G. Tene, "How NOT to measure latency":
 * coordinated omission). So that sending late on this machine's account stays small, the time before a request is spent watching the clock
 * and the network.
 *
 * At most `mostConnections` are open at once; requests beyond wait in line, and are lost after the route's timeout.
 */
export async function openLoop(
  pool: ConnectionPool,
  requests: readonly Buffer[],
  span: Span,
  open: {
    readonly arrivals: Iterator<number, never>;
    readonly mostConnections: number;
    readonly timeoutMs: number;
    readonly start: number;
  },
  tally: Tally,
): Promise<void> {
  const { arrivals, mostConnections, timeoutMs, start } = open;
  /** In the order they were due; `head` is the first one still waiting. */
  let line: DueRequest[] = [];
  let head = 0;
  let busy = 0;
  let ring: () => void = () => {};

  const shift = (): DueRequest | undefined => {
    const first = line[head];
    if (first === undefined) return undefined;
    if (++head > 1024 && head * 2 > line.length) {
      line = line.slice(head);
      head = 0;
    }
    return first;
  };
  const count = ({ index, due }: DueRequest, ended: number, answer: Parameters<Tally['count']>[0]['answer']): void => {
    if (due >= span.from) tally.count({ ended, answer }, due, index);
  };
  const send = async (connection: Connection, request: DueRequest): Promise<void> => {
    busy++;
    const { ended, answer } = await connection.exchange(requests[request.index] ?? Buffer.alloc(0));
    busy--;
    count(request, ended, answer);
    pool.give(connection);
    pump();
  };
  const connect = async (): Promise<void> => {
    const connection = await pool.open();
    if ('lost' in connection) {
      // The one it was opened for.
      const request = shift();
      if (request !== undefined) count(request, nanoseconds(), connection);
    } else pool.give(connection);
    pump();
  };
  const pump = (): void => {
    while (line.length > head) {
      const connection = pool.idle();
      const request = connection === undefined ? undefined : shift();
      if (connection === undefined || request === undefined) break;
      void send(connection, request);
    }
    for (let missing = line.length - head - pool.opening; missing > 0 && pool.size < mostConnections; missing--) {
      void connect();
    }
    ring();
  };
  const forget = (now: number): void => {
    for (let first = line[head]; first !== undefined && now - first.due > timeoutMs * 1e6; first = line[head]) {
      shift();
      count(first, now, { lost: keptWaiting(timeoutMs) });
    }
  };

  for (let index = 0; ; index++) {
    const due = start + arrivals.next().value;
    if (due >= span.to && (tally.sent + (line.length - head) + busy >= span.least || due >= span.latest)) break;
    await until(due);
    const now = nanoseconds();
    if (due >= span.from) tally.lags.add((now - due) / 1e6);
    forget(now);
    line.push({ index: index % requests.length, due });
    pump();
  }
  while (busy > 0 || pool.opening > 0 || line.length > head) {
    await Promise.race([new Promise<void>((wake) => (ring = wake)), sleep(20)]);
    forget(nanoseconds());
  }
}

async function until(due: number): Promise<void> {
  for (let left = due - nanoseconds(); left > 0; left = due - nanoseconds()) {
    if (left > watchedNanoseconds) await sleep(Math.floor((left - watchedNanoseconds) / 1e6) + 1);
    else await turn();
  }
}

function keptWaiting(timeoutMs: number): Problem {
  return {
    code: 'timeout',
    message: `no connection became free within ${timeoutMs / 1000} s`,
    fix: 'Lower the rate, or see why the server is slow.',
  };
}
