import * as http from 'node:http';
import * as https from 'node:https';
import type { WholeAnswer } from './answer-agreement.ts';

/** A server behind the proxy, with the connections that are kept to it. */
export class Upstream {
  readonly url: URL;
  readonly #agent: http.Agent;
  readonly #path: string;

  constructor(url: string) {
    this.url = new URL(url);
    const settings = { keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo' as const };
    this.#agent = this.url.protocol === 'https:' ? new https.Agent(settings) : new http.Agent(settings);
    this.#path = this.url.pathname.replace(/\/+$/, '');
  }

  /** A request for the server, not ended yet. */
  open(method: string, path: string, headers: http.OutgoingHttpHeaders): http.ClientRequest {
    const { request } = this.url.protocol === 'https:' ? https : http;
    return request({
      protocol: this.url.protocol,
      // An IPv6 address stands in brackets in a URL and in no lookup.
      hostname: this.url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: this.url.port,
      method,
      path: `${this.#path}${path}`,
      headers: { ...headers, host: this.url.host },
      agent: this.#agent,
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Headers that speak of one connection (RFC 9110, 7.6.1), and are not handed on. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  // The proxy has already said that it goes on.
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers to hand on. */
export function headersOnward(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const named = new Set(
    String(headers.connection ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => value !== undefined && !ofConnection.has(name) && !named.has(name),
    ),
  );
}

/** Keeps what passes, up to a limit; beyond it, nothing. */
export class Copy {
  #parts: Buffer[] | undefined = [];
  #length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(part: Buffer): void {
    if (this.#parts === undefined) return;
    this.#length += part.length;
    if (this.#length > this.#limit) this.#parts = undefined;
    else this.#parts.push(part);
  }

  /** `undefined` if there was too much. */
  whole(): Buffer | undefined {
    return this.#parts === undefined ? undefined : Buffer.concat(this.#parts);
  }
}

/** A request whose answer nobody waits for but the one who compares. */
export interface WholeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** Sends a request and reads its answer; `undefined` if none came whole, in time, within the limit. Never throws. */
export function askWhole(
  upstream: Upstream,
  request: WholeRequest,
  limits: { readonly timeoutMs: number; readonly bytes: number },
): Promise<WholeAnswer | undefined> {
  return new Promise((resolve) => {
    let again = true;
    const send = (): void => {
      const outgoing = upstream.open(request.method, request.path, {
        ...request.headers,
        'content-length': request.body.length,
      });
      const timer = setTimeout(() => outgoing.destroy(new Error('too slow')), limits.timeoutMs);
      outgoing.on('error', (cause) => {
        clearTimeout(timer);
        if (isStale(outgoing, cause) && again) {
          again = false;
          send();
        } else resolve(undefined);
      });
      outgoing.on('response', (incoming) => {
        const copy = new Copy(limits.bytes);
        incoming.on('data', (part: Buffer) => copy.add(part));
        incoming.on('error', () => resolve(undefined));
        incoming.on('close', () => {
          clearTimeout(timer);
          const body = copy.whole();
          if (!incoming.complete || body === undefined) resolve(undefined);
          else resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
        });
      });
      outgoing.end(request.body);
    };
    send();
  });
}

/** The server most likely closed a kept connection just when it was taken again, and has not seen the request. */
export function isStale(outgoing: http.ClientRequest, cause: Error): boolean {
  return outgoing.reusedSocket && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
}
