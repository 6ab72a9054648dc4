import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InputError } from '../../core/problem/index.ts';
import { printable } from '../../core/text/index.ts';
import type { SeriesCounts } from '../metrics-source.ts';
import { RevisionFolder } from '../traffic/revision-folder.ts';
import type { Traffic } from '../traffic-provider.ts';
import { answersAgree, type Tolerance, type WholeAnswer } from './answer-agreement.ts';
import { ArmCounts } from './arm-counts.ts';
import { type Arm, ArmSplit, type SplitOptions } from './arm-split.ts';
import { askWhole, Copy, headersOnward, isStale, Upstream, type WholeRequest } from './forward.ts';
import { isExpired, isFinishing, LeaseWatch } from './lease-watch.ts';
import { changeState, closed, type ProxyState, readState } from './proxy-state.ts';

export interface ProxyOptions extends SplitOptions {
  /** The folder with the state: who steers the proxy writes there. Made if it is not there. */
  readonly state: string;
  /** Where users go, `http://127.0.0.1:8001`. Counts only until there is a state: after a promotion that knows better. */
  readonly baseline: string;
  /** What is tried. Likewise. */
  readonly canary?: string | undefined;
  /** @default '127.0.0.1' */
  readonly address?: string;
  /** @default 0, any that is free */
  readonly port?: number;
  /** Milliseconds without a byte from a server until its request is given up, answered with 504. @default 60000 */
  readonly timeoutMs?: number;
  /** How far apart the numbers of two mirrored answers may be. @default absolute 1e-6, relative 1e-4 */
  readonly tolerance?: Tolerance;
  /** Mirrored requests on their way at once; beyond, requests are not copied. @default 64 */
  readonly mostMirrored?: number;
  /** Hears what users cannot: a mirrored request failed, the lease ran out. Printable. */
  readonly tell?: (message: string) => void;
}

export interface RunningProxy extends AsyncDisposable {
  /** For users. */
  readonly url: string;
  readonly port: number;
  /** Where questions about counts and state are answered, on loopback. */
  readonly control: string;
  close(): Promise<void>;
}

/** What the control port tells of counts. */
export interface ProxyCounts {
  readonly canary: readonly SeriesCounts[];
  readonly baseline: readonly SeriesCounts[];
  readonly remarks: readonly string[];
}

/** Bytes of a request or an answer that are kept: to send a request again, to copy it, to compare answers. */
const mostKept = 2 ** 20;
/** Milliseconds that requests on their way may take when the proxy ends. */
const lastWaitMs = 10_000;
/** Milliseconds between two looks at the state and the lease. */
const followMs = 200;

/**
 * Starts a proxy that shares requests out between a baseline and a canary as its state says, copies requests to the canary, and counts
 * what came back of each. It follows the state; whoever opens the traffic needs not live as long: the proxy keeps the weights, also over
 * its own restart, and when a lease in the state runs out it gives the baseline everything back.
 *
 * A request goes to the canary or the baseline, never to both in turn: an error of the canary's that users would not see could not be
 * judged. It is sent to its server again, once, when a kept connection is reset before a byte of the answer: servers close connections
 * they think idle.
 *
 * Throws an InputError for a port that is not free, a PeerError for a state that cannot be read.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const proxy = new ReverseProxy(options);
  await proxy.start();
  return proxy;
}

class ReverseProxy implements RunningProxy {
  readonly #options: ProxyOptions;
  readonly #folder: RevisionFolder;
  readonly #split: ArmSplit;
  readonly #timeoutMs: number;
  readonly #life = randomUUID().slice(0, 8);
  readonly #lease: LeaseWatch;
  readonly #upstreams = new Map<string, { readonly upstream: Upstream; readonly counts: ArmCounts }>();
  readonly #users: Server;
  readonly #questions: Server;
  #state: ProxyState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mirrored = 0;
  #notMirrored = 0;
  #following: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#folder = new RevisionFolder(options.state);
    this.#split = new ArmSplit(options);
    this.#lease = new LeaseWatch(this.#folder, `proxy ${this.#life}`, (message) => options.tell?.(printable(message)));
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    // Longer than what clients and balancers keep connections for: they should be the ones to close.
    this.#users = createServer({ keepAliveTimeout: 75_000 }, (request, response) => this.#serve(request, response));
    this.#questions = createServer((request, response) => void this.#answer(request, response));
  }

  get port(): number {
    return portOf(this.#users);
  }

  get url(): string {
    const { address = '127.0.0.1' } = this.#options;
    const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  get control(): string {
    return `http://127.0.0.1:${portOf(this.#questions)}`;
  }

  async start(): Promise<void> {
    const { baseline, canary, address = '127.0.0.1', port = 0 } = this.#options;
    await listen(this.#questions, 0, '127.0.0.1');
    try {
      this.#state = await changeState(this.#folder, (state) => ({
        ...(state ?? {
          version: 1,
          baseline,
          ...(canary === undefined ? {} : { canary }),
          traffic: closed,
          changes: 1,
        }),
        control: this.control,
      }));
      await this.#follow();
      await listen(this.#users, port, address);
    } catch (cause) {
      this.#questions.close();
      throw cause;
    }
    this.#timer = setInterval(() => void this.#follow(), followMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const ended = [this.#users, this.#questions].map((server) => new Promise((resolve) => server.close(resolve)));
    this.#users.closeIdleConnections();
    this.#questions.closeAllConnections();
    const patience = setTimeout(() => this.#users.closeAllConnections(), lastWaitMs);
    await Promise.all(ended);
    clearTimeout(patience);
    await this.#following;
    await this.#lease.settled();
    for (const { upstream } of this.#upstreams.values()) upstream.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #traffic(): Traffic {
    return this.#state === undefined || this.#state.canary === undefined ? closed : this.#state.traffic;
  }

  /** Reads the state as it is now or later, not as a look read it that began before. */
  async #followFromNow(): Promise<void> {
    await this.#following;
    await this.#follow();
  }

  /** Reads the state, and sees to its lease. One look at a time. */
  #follow(): Promise<void> {
    this.#following ??= this.#followOnce().finally(() => {
      this.#following = undefined;
    });
    return this.#following;
  }

  async #followOnce(): Promise<void> {
    try {
      this.#state = (await readState(this.#folder)) ?? this.#state;
      this.#trouble = undefined;
      if (this.#state !== undefined) this.#lease.check(this.#state);
    } catch (cause) {
      // The last state that could be read stays, and its lease with it.
      this.#told(cause instanceof Error ? cause.message : String(cause));
      const state = this.#state;
      if (state !== undefined && isExpired(state, Date.now()) && !isFinishing(state)) {
        this.#state = { ...state, traffic: closed };
      }
    }
  }

  #told(trouble: string): void {
    if (this.#trouble !== trouble) this.#options.tell?.(printable(trouble));
    this.#trouble = trouble;
  }

  #at(url: string): { readonly upstream: Upstream; readonly counts: ArmCounts } {
    let known = this.#upstreams.get(url);
    if (known === undefined) {
      known = { upstream: new Upstream(url), counts: new ArmCounts(printable(`${new URL(url).host}#${this.#life}`)) };
      this.#upstreams.set(url, known);
    }
    return known;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const began = performance.now();
    const traffic = this.#traffic;
    const { baseline, canary } = this.#state ?? this.#options;
    const arm: Arm = canary === undefined ? 'baseline' : this.#split.arm(traffic, request.headers);
    const { upstream, counts } = this.#at(arm === 'canary' && canary !== undefined ? canary : baseline);
    const mirrored = arm === 'baseline' && canary !== undefined && this.#split.mirrors(traffic) ? canary : undefined;

    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const headers = forwardedHeaders(request);
    const sent = new Copy(mostKept);
    const answered = mirrored === undefined ? undefined : new Copy(mostKept);
    let requestEnded = false;
    let settled = false;
    let compareWith: (answer: WholeAnswer | undefined) => void = () => {};
    const whole = new Promise<WholeAnswer | undefined>((resolve) => {
      compareWith = resolve;
    });

    const settle = (failed: boolean, whole: boolean): void => {
      if (settled) return;
      settled = true;
      counts.count(failed, whole ? (performance.now() - began) / 1000 : undefined);
    };
    const fail = (status: 502 | 504, message: string): void => {
      settle(true, false);
      compareWith(undefined);
      if (response.headersSent) response.destroy();
      else {
        request.resume();
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: message }));
      }
    };
    const connect = (again: boolean): void => {
      const outgoing = upstream.open(method, path, headers);
      outgoing.setTimeout(this.#timeoutMs, () => outgoing.destroy(new SlowServer()));
      outgoing.on('error', (cause) => {
        if (settled || response.destroyed) return;
        const body = sent.whole();
        if (again && isStale(outgoing, cause) && !response.headersSent && body !== undefined) {
          request.resume();
          if (requestEnded) connect(false);
          else request.once('end', () => connect(false));
        } else if (cause instanceof SlowServer) fail(504, 'the server did not answer in time');
        else fail(502, 'the server did not answer');
      });
      outgoing.on('response', (incoming) => {
        response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, headersOnward(incoming.headers));
        incoming.on('data', (part: Buffer) => {
          answered?.add(part);
          if (!response.write(part)) {
            incoming.pause();
            response.once('drain', () => incoming.resume());
          }
        });
        incoming.on('error', () => fail(502, 'the server broke its answer off'));
        incoming.on('end', () => {
          response.end();
          const status = incoming.statusCode ?? 0;
          settle(status >= 500, true);
          const body = answered?.whole();
          compareWith(body === undefined ? undefined : { status, headers: incoming.headers, body });
        });
      });
      response.once('close', () => {
        if (response.writableFinished) return;
        // The client went away: neither a success nor anybody's error.
        settle(false, false);
        compareWith(undefined);
        outgoing.destroy();
      });
      if (again) {
        request.on('data', (part: Buffer) => {
          if (outgoing.destroyed) return;
          if (!outgoing.write(part)) {
            request.pause();
            outgoing.once('drain', () => request.resume());
          }
        });
        request.on('end', () => outgoing.end());
      } else outgoing.end(sent.whole());
    };

    request.on('data', (part: Buffer) => sent.add(part));
    request.on('error', () => {});
    request.on('end', () => {
      requestEnded = true;
      const body = sent.whole();
      if (mirrored === undefined || body === undefined) return;
      void this.#mirror(mirrored, { method, path, headers, body }, whole);
    });
    connect(true);
  }

  /** Asks the canary what a user asked the baseline, and compares. Nobody waits for it, and nothing it does reaches the user. */
  async #mirror(canary: string, request: WholeRequest, theirs: Promise<WholeAnswer | undefined>): Promise<void> {
    const { mostMirrored = 64, tolerance = { absolute: 1e-6, relative: 1e-4 }, tell } = this.#options;
    if (this.#mirrored >= mostMirrored) {
      this.#notMirrored++;
      return;
    }
    this.#mirrored++;
    const { upstream, counts } = this.#at(canary);
    const began = performance.now();
    try {
      const headers = { ...request.headers, 'x-sluice-mirrored': 'true' };
      const limits = { timeoutMs: this.#timeoutMs, bytes: mostKept };
      const answer = await askWhole(upstream, { ...request, headers }, limits);
      const failed = answer === undefined || answer.status >= 500;
      counts.count(failed, answer === undefined ? undefined : (performance.now() - began) / 1000);
      const baseline = await theirs;
      if (baseline === undefined) return;
      const agreed = answersAgree(baseline, answer ?? { status: 502, headers: {}, body: Buffer.alloc(0) }, tolerance);
      if (agreed !== undefined) counts.compare(agreed);
    } catch (cause) {
      tell?.(printable(`a mirrored request failed: ${cause instanceof Error ? cause.message : String(cause)}`));
    } finally {
      this.#mirrored--;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.url === '/counts') answerJson(response, 200, this.#counts());
    else if (request.url === '/state') {
      await this.#followFromNow();
      const { changes, canary } = this.#state ?? {};
      answerJson(response, 200, { changes, traffic: this.#traffic, canary });
    } else answerJson(response, 404, { error: 'ask for /counts or /state' });
  }

  #counts(): ProxyCounts {
    const at = Date.now();
    const { baseline, canary } = this.#state ?? this.#options;
    const series = (url: string | undefined): readonly SeriesCounts[] =>
      url === undefined ? [] : [this.#at(url).counts.counts(at)];
    return {
      canary: series(canary),
      baseline: series(baseline),
      remarks: [
        ...(canary === undefined ? ['The proxy has no canary.'] : []),
        ...(this.#notMirrored === 0
          ? []
          : [`${this.#notMirrored} requests were not copied: too many copies were on their way.`]),
      ],
    };
  }
}

class SlowServer extends Error {}

function forwardedHeaders(request: IncomingMessage): ReturnType<typeof headersOnward> {
  const headers = headersOnward(request.headers);
  const before = request.headers['x-forwarded-for'];
  const client = request.socket.remoteAddress ?? '';
  return {
    ...headers,
    'x-forwarded-for': before === undefined ? client : `${String(before)}, ${client}`,
    'x-forwarded-host': request.headers['x-forwarded-host'] ?? request.headers.host ?? '',
    'x-forwarded-proto': request.headers['x-forwarded-proto'] ?? 'http',
  };
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  // JSON has no infinity; the last edge of a histogram is one.
  const text = JSON.stringify(value, (_, each) => (each === Number.POSITIVE_INFINITY ? '+Inf' : each));
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0;
}

async function listen(server: Server, port: number, address: string): Promise<void> {
  server.listen(port, address);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new InputError(
      {
        code: 'port-not-free',
        message: `the proxy cannot listen on ${address}:${port}`,
        found: printable(cause instanceof Error ? cause.message : String(cause)),
        fix: 'Give another port or address, or end what listens there.',
      },
      { cause },
    );
  }
}
