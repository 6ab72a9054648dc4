import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { bareHost, connectionProblem } from '../../core/http/index.ts';
import type { Problem } from '../../core/problem/index.ts';
import { nanoseconds } from './nanoseconds.ts';
import { openTunnel } from './proxy-tunnel.ts';
import { type ReaderLimits, ResponseReader, UnreadableResponse } from './response-reader.ts';
import type { Route } from './route.ts';

/** One request and what came of it; times on the clock of `nanoseconds`. */
export interface Exchange {
  /** When its first byte was handed to the connection. */
  readonly began: number;
  /** When its last byte, or the failure, came. */
  readonly ended: number;
  readonly answer: { readonly status: number; readonly body: Uint8Array } | { readonly lost: Problem };
}

/** Servers drop idle connections (Gunicorn after 2 s); a request sent just then would be lost without any fault of the server's. */
const idleNanoseconds = 1e9;

/** A connection of HTTP/1.1, kept for one request after the other, on a bare socket: nothing stands between the clock and the wire. */
export class Connection {
  readonly #socket: Socket;
  readonly #route: Route;
  readonly #reader: ResponseReader;
  #waiting: { readonly began: number; readonly settle: (exchange: Exchange) => void } | undefined;
  #usedAt = nanoseconds();
  #open = true;

  private constructor(socket: Socket, route: Route, limits: ReaderLimits) {
    this.#socket = socket;
    this.#route = route;
    this.#reader = new ResponseReader(limits);
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#arrived(bytes));
    socket.on('error', (cause) => this.#lost(cause));
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#lost(new Error('the connection was closed')));
  }

  /** Connects, through the proxy and with TLS where the route has them. Gives a Problem when that fails. */
  static async open(route: Route, limits: ReaderLimits): Promise<Connection | { readonly lost: Problem }> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), route.timeoutMs);
    try {
      return new Connection(await connected(route, deadline.signal), route, limits);
    } catch (cause) {
      return { lost: deadline.signal.aborted ? tooSlow(route) : problemOf(cause, route) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether a request may go over it now. */
  get usable(): boolean {
    return this.#open && nanoseconds() - this.#usedAt < idleNanoseconds;
  }

  /** Sends a request, one at a time, and waits for its answer. Never rejects. */
  exchange(request: Buffer): Promise<Exchange> {
    return new Promise((settle) => {
      if (this.#waiting !== undefined) throw new TypeError('the connection is still waiting for an answer');
      this.#waiting = { began: nanoseconds(), settle };
      if (this.#open) this.#socket.write(request);
      else this.#lost(new Error('the connection was closed'));
    });
  }

  /** Gives up a request that has waited too long. `now` is of `nanoseconds`. */
  expire(now: number): void {
    const { timeoutMs } = this.#route;
    if (this.#waiting !== undefined && now - this.#waiting.began > timeoutMs * 1e6) {
      this.#settle({ lost: tooSlow(this.#route) });
      this.close();
    }
  }

  close(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  #arrived(bytes: Buffer): void {
    if (this.#waiting === undefined) {
      this.close();
      return;
    }
    try {
      const answer = this.#reader.push(bytes);
      if (answer === undefined) return;
      this.#answered(answer);
    } catch (cause) {
      this.#lost(cause);
    }
  }

  #ended(): void {
    const answer = this.#reader.end();
    if (answer !== undefined) this.#answered(answer);
    else this.#lost(new Error('the connection was closed'));
  }

  #answered({ status, body, reusable }: ReturnType<ResponseReader['end']> & {}): void {
    // A server that answers before it has the whole request does not want the rest.
    if (!reusable || this.#socket.writableLength > 0) this.close();
    this.#settle({ status, body });
  }

  #lost(cause: unknown): void {
    this.close();
    if (this.#waiting !== undefined) this.#settle({ lost: problemOf(cause, this.#route) });
  }

  #settle(answer: Exchange['answer']): void {
    const ended = nanoseconds();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#usedAt = ended;
    waiting?.settle({ began: waiting.began, ended, answer });
  }
}

async function connected(route: Route, signal: AbortSignal): Promise<Socket> {
  const { url, proxy, lookup, ca } = route;
  const host = bareHost(url.hostname);
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  const below = proxy === undefined ? undefined : await openTunnel(proxy, `${url.hostname}:${port}`, signal);
  const socket = secure
    ? connectTls({
        ...(below === undefined ? { host, port, lookup } : { socket: below }),
        ...(isIP(host) === 0 ? { servername: host } : {}),
        host,
        ALPNProtocols: ['http/1.1'],
        ...(ca === undefined ? {} : { ca: [...ca] }),
      })
    : connect({ host, port, lookup });
  return await new Promise((done, fail) => {
    const abort = (): void => void socket.destroy(new Error('too slow'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed')));
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('error').removeAllListeners('close');
      done(socket);
    });
  });
}

function problemOf(cause: unknown, { url, hide, proxy, ca, maxAnswerBytes }: Route): Problem {
  if (cause instanceof UnreadableResponse) {
    return cause.code === 'answer-too-big'
      ? {
          code: cause.code,
          message: `an answer is bigger than ${maxAnswerBytes} bytes`,
          fix: 'Send fewer rows at once, or allow bigger answers.',
        }
      : {
          code: cause.code,
          message: `what answers at ${url.origin} does not speak HTTP/1.1`,
          found: cause.message,
          fix: 'Give the port of the HTTP API: servers listen for gRPC, HTTPS and metrics on others.',
        };
  }
  return connectionProblem(cause, { url, hide, proxy: proxy?.host, hasCa: ca !== undefined });
}

function tooSlow({ url, timeoutMs }: Route): Problem {
  return {
    code: 'timeout',
    message: `${url.origin} did not answer whole within ${timeoutMs / 1000} s`,
    fix: 'Allow more time, lower the rate or the number of callers, or see why the server is slow.',
  };
}
