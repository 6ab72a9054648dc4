import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { BlockList, isIP } from 'node:net';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { proxyFor } from '../core/native/index.ts';
import { codesOf, deepestMessage, InputError, PeerError, type Problem, SluiceError } from '../core/problem/index.ts';
import { excerpt, printable } from '../core/text/index.ts';

export interface QuestionOptions {
  /** Sent with every question; values are secrets: they are never shown. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM of a certificate authority to trust instead of the system's. */
  readonly ca?: string;
  /** Milliseconds for a whole answer. @default 10000 */
  readonly timeoutMs?: number;
  /** Bytes of an answer that are read at most. @default 33554432 (32 MiB) */
  readonly maxAnswerBytes?: number;
}

export interface Question {
  readonly url: URL;
  /** Sent as a form by POST. Absent: GET. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as it is by POST, instead of a form; `headers` say what it is. */
  readonly body?: string;
  /** Of a question with a body. @default 'POST' */
  readonly method?: 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface PlainAnswer {
  readonly status: number;
  readonly contentType: string;
  /** By their names in small letters; of several of one name the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** When the answer was whole, in milliseconds of the epoch. */
  readonly at: number;
}

/**
 * Asks other systems over HTTP, bounded in time and size. An answer of any status is an answer, a redirect too: none is followed, since the
 * headers may hold tokens. HTTPS_PROXY and NO_PROXY count for https outside this machine. Addresses where clouds keep the credentials of a
 * machine are refused, whatever name leads there.
 */
export class HttpAsker implements AsyncDisposable {
  readonly #options: QuestionOptions;
  readonly #direct: Agent;
  readonly #proxies = new Map<string, ProxyAgent>();

  constructor(options: QuestionOptions = {}) {
    this.#options = options;
    this.#direct = new Agent({ ...limits, connect: this.#connect() });
  }

  /** Throws a PeerError when no whole answer comes, an InputError for a URL that no question may go to; and what `signal` says. */
  async ask({ url, form, body: given, method = 'POST', headers = {}, signal }: Question): Promise<PlainAnswer> {
    signal?.throwIfAborted();
    checkUrl(url);
    const { timeoutMs = 10_000, maxAnswerBytes = 32 * 2 ** 20 } = this.#options;
    const late = AbortSignal.timeout(timeoutMs);
    const sent = form === undefined ? given : new URLSearchParams(form).toString();
    try {
      const {
        statusCode,
        headers: came,
        body,
      } = await this.#dispatcher(url).request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: sent === undefined ? 'GET' : method,
        headers: {
          ...basicOf(url),
          ...this.#options.headers,
          ...headers,
          'accept-encoding': 'identity',
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        body: sent ?? null,
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      });
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of body as AsyncIterable<Buffer>) {
        bytes += part.length;
        if (bytes > maxAnswerBytes) throw tooBig(url, maxAnswerBytes);
        parts.push(part);
      }
      return {
        status: statusCode,
        contentType: String(came['content-type'] ?? ''),
        headers: firstOfEach(came),
        text: Buffer.concat(parts).toString('utf8'),
        at: Date.now(),
      };
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof SluiceError) throw cause;
      // Without `cause`: an error of undici's may hold the request, tokens and all.
      throw new PeerError(late.aborted ? tooSlow(url, timeoutMs) : noAnswer(url, cause));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#direct, ...this.#proxies.values()].map((agent) => agent.destroy()));
  }

  #dispatcher(url: URL): Dispatcher {
    const proxied = url.protocol === 'https:' && !isLoopback(url.hostname);
    const proxy = proxied ? proxyFor(url, process.env) : undefined;
    if (proxy === undefined) return this.#direct;
    let agent = this.#proxies.get(proxy);
    if (agent === undefined) {
      agent = new ProxyAgent({ ...limits, uri: proxy, requestTls: this.#connect() });
      this.#proxies.set(proxy, agent);
    }
    return agent;
  }

  #connect(): { readonly lookup: LookupFunction; readonly ca?: string } {
    const { ca } = this.#options;
    return { lookup: lookupOutside, ...(ca === undefined ? {} : { ca }) };
  }
}

function firstOfEach(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = typeof value === 'string' ? value : value?.[0];
      return first === undefined ? [] : [[name.toLowerCase(), first]];
    }),
  );
}

/** The deadline is our own. Peers drop idle connections after a few seconds; one taken just then would look like a crash. */
const limits = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 1000 } as const;

/** Throws an InputError for a URL that no question may go to. */
export function checkUrl(url: URL): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InputError({
      code: 'wrong-scheme',
      message: 'a URL for HTTP is needed',
      found: excerpt(url.protocol),
      expected: 'http:// or https://',
      fix: 'Write the URL with http:// or https://.',
    });
  }
  if (isForbidden(url.hostname)) throw new InputError(forbidden(url.hostname));
}

/** Where it was asked: scheme, host, port and path, nothing secret. */
export function shownUrl(url: URL): string {
  return printable(`${url.origin}${url.pathname === '/' ? '' : url.pathname}`);
}

const credentialAddresses = new BlockList();
credentialAddresses.addSubnet('169.254.0.0', 16, 'ipv4');
credentialAddresses.addSubnet('fe80::', 10, 'ipv6');
credentialAddresses.addAddress('fd00:ec2::254', 'ipv6');
credentialAddresses.addAddress('fd20:ce::254', 'ipv6');
credentialAddresses.addAddress('168.63.129.16', 'ipv4');
credentialAddresses.addAddress('100.100.100.200', 'ipv4');

function isForbidden(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(host);
  return family !== 0 && credentialAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function forbidden(host: string): Problem {
  return {
    code: 'forbidden-address',
    message: `${printable(host)} is an address where clouds keep the credentials of the machine`,
    fix: 'Give the address of the metrics.',
  };
}

/** Also a name may lead to a forbidden address. */
const lookupOutside: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, options, (error, address, family) => {
    const found = typeof address === 'string' ? [address] : (address ?? []).map((each) => each.address);
    const bad = error === null ? found.find(isForbidden) : undefined;
    if (bad === undefined) callback(error, address, family);
    else callback(new PeerError(forbidden(bad)), address, family);
  });
};

function basicOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function tooSlow(url: URL, timeoutMs: number): Problem {
  return {
    code: 'timeout',
    message: `${shownUrl(url)} did not answer whole within ${timeoutMs / 1000} s`,
    fix: 'See why it is slow; ask it for less, or allow more time.',
  };
}

function tooBig(url: URL, bytes: number): PeerError {
  return new PeerError({
    code: 'answer-too-big',
    message: `the answer of ${shownUrl(url)} is bigger than ${bytes} bytes; the rest was not read`,
    fix: 'Check that the URL is that of metrics; narrow the labels that are asked for.',
  });
}

function noAnswer(url: URL, cause: unknown): Problem {
  const codes = codesOf(cause);
  const server = printable(url.origin);
  const found = excerpt(deepestMessage(cause), 200);
  if (codes.includes('ECONNREFUSED')) {
    return {
      code: 'connection-refused',
      message: `nothing listens at ${server}`,
      fix: 'Start it, or correct the host and port.',
    };
  }
  if (codes.some((code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN')) {
    return {
      code: 'unknown-host',
      message: `the name ${printable(url.hostname)} has no address`,
      fix: 'Correct the name; a name inside a cluster only resolves there (use its ingress, or kubectl port-forward).',
    };
  }
  if (codes.some((code) => /CERT|TLS|SSL|EPROTO|SELF_SIGNED|ISSUER|SIGNATURE/.test(code))) {
    return {
      code: 'tls-failed',
      message: `no TLS connection to ${server} came about`,
      found,
      fix: 'Use http:// if it speaks no TLS; give the authority that signed its certificate (ca, or NODE_EXTRA_CA_CERTS).',
    };
  }
  if (codes.some((code) => code.startsWith('HPE_'))) {
    return {
      code: 'not-http',
      message: `what answers at ${server} does not speak HTTP/1.1`,
      found,
      fix: 'Give the port of its HTTP API.',
    };
  }
  return {
    code: 'connection-lost',
    message: `no whole answer came from ${server}`,
    found,
    fix: 'Check the network and the firewall between here and there, and its log.',
  };
}
