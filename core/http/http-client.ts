import { X509Certificate } from 'node:crypto';
import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import * as tls from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { proxyFor } from '../native/index.ts';
import { InputError, PeerError, type Problem, SluiceError } from '../problem/index.ts';
import { connectionProblem } from './connection-problem.ts';
import { bareHost, isForbiddenAddress, isLoopbackHost } from './forbidden-address.ts';
import { checkHeaders, type Headers, mergeHeaders } from './header-list.ts';
import type { HttpTarget } from './http-target.ts';
import { type Hide, hiding, said } from './secret-words.ts';
import type { WireRequest } from './wire-request.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query below the target's own path; starts with `/`, its parts already percent-encoded. */
  readonly path: string;
  /** Beside the target's, which win. */
  readonly headers?: Headers;
  readonly body?: Uint8Array | string;
  /** Milliseconds for the whole answer. @default the target's */
  readonly timeoutMs?: number;
  /** Bytes of the answer that are read at most. @default the target's */
  readonly maxAnswerBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in small letters; a header that came several times is joined by `, `. */
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** From the first byte sent to the last byte read: connecting is not counted. */
  readonly milliseconds: number;
}

export interface HttpChunk {
  readonly bytes: Uint8Array;
  /** From the first byte sent to this chunk's arrival, whenever the reader takes it. */
  readonly milliseconds: number;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: Headers;
  /** To be read once. Leaving the loop early ends the connection. */
  readonly chunks: AsyncIterable<HttpChunk>;
}

export interface HttpOptions {
  /** Allows 169.254.0.0/16 and the other addresses where clouds keep credentials. @default false */
  readonly allowLinkLocal?: boolean;
  /** Where HTTPS_PROXY and NO_PROXY are read. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Redirects followed at most, as a guard against loops. */
const mostRedirects = 3;

/**
 * Gunicorn (under MLflow's and many SageMaker containers' servers) drops idle connections after 2 s; one taken from the pool just
 * then would look like a crash of the server.
 */
const idleMs = 1000;

/** Starts no connection. Throws an InputError for a URL, header or certificate that cannot be used. */
export function openHttp(target: HttpTarget, options: HttpOptions = {}): HttpClient {
  return new HttpClient(target, options);
}

/**
 * HTTP/1.1 to one model server. Every way an answer can fail to come (refused, unknown host, TLS, time, size, a redirect elsewhere) is a
 * PeerError that says what to do; an answer of any status is an answer. Secrets (header values, user, password, query) are in no message.
 *
 * A redirect is followed only for GET and only to the same scheme, host and port: tokens must not go anywhere else. HTTPS_PROXY and
 * NO_PROXY count for https outside this machine. Latency under load is measured by `smoke/load`, not here.
 */
export class HttpClient implements AsyncDisposable {
  /** Takes the target's secrets out of a text. */
  readonly hide: Hide;
  readonly #target: HttpTarget;
  readonly #headers: Headers;
  readonly #proxy: string | undefined;
  readonly #agent: Dispatcher;
  readonly #dispatcher: Dispatcher;

  constructor(target: HttpTarget, options: HttpOptions = {}) {
    this.#target = target;
    this.hide = hiding(target);
    checkUrl(target.url, options.allowLinkLocal ?? false);
    checkHeaders(target.headers);
    this.#headers = mergeHeaders(credentialsOf(target.url), target.headers);
    const connect = {
      ...(target.ca === undefined ? {} : { ca: trusted(target.ca) }),
      lookup: options.allowLinkLocal === true ? resolve : lookupOutside,
      timeout: target.timeoutMs,
    };
    const proxied = target.url.protocol === 'https:' && !isLoopbackHost(target.url.hostname);
    const proxy = proxied ? proxyFor(target.url, options.environment ?? process.env) : undefined;
    // The deadline of each request is our own timer: undici's are a second coarse and watch parts only.
    const limits = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: idleMs };
    this.#proxy = proxy === undefined ? undefined : proxyHost(proxy);
    this.#agent =
      proxy === undefined
        ? new Agent({ ...limits, connect })
        : new ProxyAgent({ ...limits, uri: proxy, requestTls: connect });
    this.#dispatcher = this.#agent.compose(notingTheSend);
  }

  /** `path` below the target's own path, with the target's query: what goes on the wire. */
  pathOnHost(path: string): string {
    const { pathname, search } = this.#target.url;
    const joined = `${pathname.replace(/\/+$/, '')}${path}`;
    if (search.length < 2) return joined;
    return `${joined}${joined.includes('?') ? '&' : '?'}${search.slice(1)}`;
  }

  /** The same request as the bytes a load generator sends: with the target's path, query, headers and credentials. */
  wire(request: HttpRequest): WireRequest {
    return {
      method: request.method,
      path: this.pathOnHost(request.path),
      headers: mergeHeaders(request.headers ?? {}, this.#headers),
      body: typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? new Uint8Array()),
    };
  }

  /** Sends a request and reads its whole answer. Throws a PeerError when none comes. */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const parts: Uint8Array[] = [];
    const { status, headers, chunks, ended } = await this.#open(request);
    for await (const { bytes } of chunks) parts.push(bytes);
    return { status, headers, body: Buffer.concat(parts), milliseconds: ended() };
  }

  /** Sends a request and gives its answer as it comes. Throws a PeerError when none starts; the chunks throw one when it breaks off. */
  async stream(request: HttpRequest): Promise<HttpStream> {
    const { status, headers, chunks } = await this.#open(request);
    return { status, headers, chunks };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #open(request: HttpRequest): Promise<HttpStream & { readonly ended: () => number }> {
    const wire = this.wire(request);
    checkHeaders(wire.headers);
    const timeoutMs = request.timeoutMs ?? this.#target.timeoutMs;
    const limit = request.maxAnswerBytes ?? this.#target.maxAnswerBytes;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(this.#problem(tooSlow(this.#target.url, timeoutMs))), timeoutMs);
    try {
      let path = wire.path;
      for (let redirects = 0; ; redirects++) {
        const watch: Stopwatch = { sentAt: performance.now() };
        const response = await this.#dispatcher.request({
          origin: this.#target.url.origin,
          method: wire.method,
          path,
          headers: { ...wire.headers, 'accept-encoding': 'identity' },
          body: wire.method === 'GET' ? null : wire.body,
          signal: deadline.signal,
          opaque: watch,
        });
        const headers = joined(response.headers);
        const location = headers['location'];
        if (response.statusCode < 300 || response.statusCode > 399 || location === undefined) {
          const arrivals = new Arrivals(response.body, watch, limit);
          const chunks = this.#chunks(arrivals, timer);
          return { status: response.statusCode, headers, chunks, ended: () => arrivals.last };
        }
        response.body.on('error', () => {}).destroy();
        path = this.#redirected(location, path, { ...request, redirects, status: response.statusCode });
      }
    } catch (cause) {
      clearTimeout(timer);
      throw this.#failure(cause);
    }
  }

  async *#chunks(arrivals: Arrivals, timer: NodeJS.Timeout): AsyncGenerator<HttpChunk, void, undefined> {
    try {
      yield* arrivals;
    } catch (cause) {
      throw this.#failure(cause);
    } finally {
      clearTimeout(timer);
      arrivals.leave();
    }
  }

  /** The path to go on with, or a PeerError. */
  #redirected(
    location: string,
    path: string,
    at: { readonly method: string; readonly redirects: number; readonly status: number },
  ): string {
    const { origin } = this.#target.url;
    const to = parsed(location, origin + path);
    // User, password and query of the address may be secrets of the server's.
    const shown = to === null ? said(location, this.hide) : said(`${to.origin}${to.pathname}`, this.hide);
    if (to === null || to.origin !== origin) {
      throw this.#problem({
        code: 'redirected-elsewhere',
        message: `${origin} sends the request to another server (HTTP ${at.status})`,
        found: shown,
        expected: `an answer from ${origin}`,
        fix: 'If the model is served there, give that URL; nothing was sent to it, since the headers may hold tokens.',
      });
    }
    if (at.method !== 'GET') {
      throw this.#problem({
        code: 'redirected',
        message: `${origin} redirects a POST (HTTP ${at.status})`,
        found: shown,
        fix: 'Give the URL that it redirects to: many clients would lose the body on the way.',
      });
    }
    if (at.redirects >= mostRedirects) {
      throw this.#problem({
        code: 'too-many-redirects',
        message: `${origin} redirects more than ${mostRedirects} times`,
        found: shown,
        fix: 'Give the URL at the end of the redirects, or mend the loop in the server or its proxy.',
      });
    }
    return `${to.pathname}${to.search}`;
  }

  #failure(cause: unknown): SluiceError {
    if (cause instanceof SluiceError) return cause;
    if (cause instanceof TooBig) return this.#problem(tooBig(this.#target.url, cause.limit));
    const { url, ca } = this.#target;
    return this.#problem(
      connectionProblem(cause, { url, hide: this.hide, proxy: this.#proxy, hasCa: ca !== undefined }),
    );
  }

  // Without `cause`: an error of undici's may hold the request, tokens and all.
  #problem(problem: Problem): PeerError {
    return new PeerError(problem);
  }
}

interface Stopwatch {
  /** `performance.now()` when the request's first byte went out. */
  sentAt: number;
}

/** undici calls `onConnect` when a connection is there and the request is about to be written to it. */
const notingTheSend: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const watch = 'opaque' in options ? (options.opaque as Stopwatch) : undefined;
  const inner = handler.onConnect?.bind(handler);
  handler.onConnect = (abort) => {
    if (watch !== undefined) watch.sentAt = performance.now();
    inner?.(abort);
  };
  return dispatch(options, handler);
};

class TooBig extends Error {
  readonly limit: number;

  constructor(limit: number) {
    super();
    this.limit = limit;
  }
}

/** Bytes that wait for their reader before the sender is held up: more than any answer whose times are of interest. */
const mostWaiting = 64 * 1024 * 1024;

/** An answer's chunks with the time each came, kept until they are read: a slow reader must not change the times. */
class Arrivals implements AsyncIterable<HttpChunk> {
  /** Milliseconds at which the last chunk, or the end, came. */
  last = 0;
  readonly #body: Dispatcher.ResponseData['body'];
  readonly #waiting: HttpChunk[] = [];
  #waitingBytes = 0;
  #state: 'open' | 'ended' | { readonly failure: unknown } = 'open';
  #wake: () => void = () => {};

  constructor(body: Dispatcher.ResponseData['body'], watch: Stopwatch, limit: number) {
    this.#body = body;
    let size = 0;
    const now = (): number => performance.now() - watch.sentAt;
    body.on('data', (bytes: Buffer) => {
      this.last = now();
      size += bytes.length;
      if (size > limit) body.destroy(new TooBig(limit));
      else this.#keep({ bytes, milliseconds: this.last });
      this.#wake();
    });
    body.on('end', () => {
      this.last = now();
      this.#settle('ended');
    });
    body.on('error', (failure) => this.#settle({ failure }));
    body.on('close', () => this.#settle({ failure: new Error('the connection was closed') }));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<HttpChunk, void, undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield this.#given(next);
      else if (this.#state === 'ended') return;
      else if (this.#state !== 'open') throw this.#state.failure;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  #keep(chunk: HttpChunk): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.bytes.length;
    if (this.#waitingBytes > mostWaiting) this.#body.pause();
  }

  #given(chunk: HttpChunk): HttpChunk {
    this.#waitingBytes -= chunk.bytes.length;
    if (this.#body.isPaused() && this.#waitingBytes < mostWaiting / 2) this.#body.resume();
    return chunk;
  }

  /** Ends the connection if the answer is not at its end. */
  leave(): void {
    if (this.#state === 'open') this.#body.destroy();
  }

  #settle(state: 'ended' | { readonly failure: unknown }): void {
    if (this.#state === 'open') this.#state = state;
    this.#wake();
  }
}

/** Throws an InputError for a URL that no request may go to. */
export function checkUrl(url: URL, allowLinkLocal: boolean): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InputError({
      code: 'wrong-scheme',
      message: `a URL for HTTP is needed`,
      found: said(url.protocol, (text) => text),
      expected: 'http:// or https://',
      fix: 'grpc:// and grpcs:// are for the protocol v2-grpc.',
    });
  }
  if (!allowLinkLocal && isForbiddenAddress(bareHost(url.hostname))) throw new InputError(forbidden(url.hostname));
}

function forbidden(host: string): Problem {
  return {
    code: 'forbidden-address',
    message: `${host} is a link-local address, where clouds keep the credentials of the machine`,
    fix: 'Give the address of the model server; if it truly is this one, allow link-local addresses.',
  };
}

/** Also a name may lead to a forbidden address. */
export const lookupOutside: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, options, (error, address, family) => {
    const found = typeof address === 'string' ? [address] : (address ?? []).map((each) => each.address);
    const bad = error === null ? found.find(isForbiddenAddress) : undefined;
    if (bad === undefined) callback(error, address, family);
    else callback(new PeerError(forbidden(bad)), address, family);
  });
};

/** The system's authorities and the given one, in PEM. Throws an InputError when that is none. */
export function trusted(ca: string): string[] {
  try {
    new X509Certificate(ca);
  } catch {
    throw new InputError({
      code: 'bad-certificate',
      message: 'the certificate authority is no certificate in PEM',
      expected: 'text that starts with -----BEGIN CERTIFICATE-----',
      fix: 'Give the content of a .pem or .crt file; `openssl x509 -inform der -in ca.der` turns DER into it.',
    });
  }
  // Node 20 has no getCACertificates.
  const system = typeof tls.getCACertificates === 'function' ? tls.getCACertificates('default') : tls.rootCertificates;
  return [...system, ca];
}

function credentialsOf({ username, password }: URL): Headers {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function proxyHost(proxy: string): string {
  return parsed(proxy)?.host ?? 'of HTTPS_PROXY';
}

// URL.parse, which Node 20 does not have.
function parsed(text: string, base?: string): URL | null {
  return URL.canParse(text, base) ? new URL(text, base) : null;
}

function joined(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Headers {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
    ),
  );
}

function tooSlow(url: URL, timeoutMs: number): Problem {
  return {
    code: 'timeout',
    message: `${url.origin} did not answer whole within ${timeoutMs / 1000} s`,
    fix: 'Allow more time, send fewer rows at once, or see why the server is slow: a first request may load the model.',
  };
}

function tooBig(url: URL, maxAnswerBytes: number): Problem {
  return {
    code: 'answer-too-big',
    message: `the answer of ${url.origin} is bigger than ${maxAnswerBytes} bytes; the rest was not read`,
    fix: 'Send fewer rows at once, or allow bigger answers.',
  };
}
