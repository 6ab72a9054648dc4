import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { proxyFor } from '../native/index.ts';
import { codesOf, deepestMessage } from '../problem/index.ts';
import { isLoopbackHost } from './forbidden-address.ts';

/** A request as AWS's SDK hands it over, signed. */
export interface AwsRequest {
  /** With its colon. */
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  /** Encoded. */
  readonly path: string;
  /** Not encoded. */
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Whole: nothing here sends what is still being made. */
  readonly body?: unknown;
}

export interface AwsTransportOptions {
  /** Where HTTPS_PROXY and NO_PROXY are read. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The certificate authority to trust beside Node's, in PEM. */
  readonly ca?: string;
}

/**
 * What sends the requests of AWS's SDK through HTTPS_PROXY and NO_PROXY, of which the SDK's own transport takes no notice; `undefined` where no proxy
 * is named. For a client's `requestHandler`, which the client also asks for credentials with, and destroys.
 */
export function awsTransport(options: AwsTransportOptions = {}): AwsTransport | undefined {
  const { HTTPS_PROXY: large, https_proxy: small } = options.environment ?? process.env;
  return small || large ? new AwsTransport(options) : undefined;
}

/** Sends each request to the host it names: through a proxy for https outside this machine, as `HttpClient`. */
export class AwsTransport {
  /** By this the SDK knows that clients it opens for credentials may use it, too. */
  readonly metadata = { handlerProtocol: 'http/1.1' } as const;
  readonly #options: AwsTransportOptions;
  readonly #agents = new Map<string, Dispatcher>();

  constructor(options: AwsTransportOptions = {}) {
    this.#options = options;
  }

  async handle(request: AwsRequest, { abortSignal }: { readonly abortSignal?: unknown } = {}) {
    const { protocol, hostname, port, method, headers, body } = request;
    const origin = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
    try {
      const answer = await this.#agentFor(origin).request({
        origin,
        // Not through a URL, which would shorten keys with dots that are signed as they are.
        path: `${request.path}${searchOf(request)}`,
        method: method as Dispatcher.HttpMethod,
        headers,
        body: wholeBody(body),
        ...(abortSignal instanceof AbortSignal ? { signal: abortSignal } : {}),
      });
      const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, [value].flat().join(', ')] as const],
      );
      return {
        response: { statusCode: answer.statusCode, headers: Object.fromEntries(lines), body: answer.body },
      };
    } catch (cause) {
      throw codesOf(cause).some((code) => /^UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT)$/.test(code))
        ? new TransientError(deepestMessage(cause), { cause })
        : cause;
    }
  }

  // The SDK's interface of a transport; there is nothing to set.
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    for (const agent of this.#agents.values()) void agent.destroy();
    this.#agents.clear();
  }

  #agentFor(url: URL): Dispatcher {
    const { environment = process.env, ca } = this.#options;
    const proxied = url.protocol === 'https:' && !isLoopbackHost(url.hostname);
    const proxy = (proxied ? proxyFor(url, environment) : undefined) ?? '';
    const connect = ca === undefined ? {} : { ca };
    const agent =
      this.#agents.get(proxy) ??
      (proxy === '' ? new Agent({ connect }) : new ProxyAgent({ uri: proxy, requestTls: connect }));
    this.#agents.set(proxy, agent);
    return agent;
  }
}

/** Throws for a stream rather than to send nothing in its place. */
function wholeBody(body: unknown): string | Uint8Array | null {
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body === undefined || body === null) return null;
  throw new TypeError('The body of a request to AWS has to be a text or bytes.');
}

/** What the SDK asks again after: it knows Node's errors by their codes, and others by this name. */
class TransientError extends Error {
  override readonly name = 'TimeoutError';
}

function searchOf({ query = {} }: AwsRequest): string {
  const names = Object.entries(query).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const pairs = names.flatMap(([name, value]) =>
    [value].flat().map((each) => (each === null ? encoded(name) : `${encoded(name)}=${encoded(String(each))}`)),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** As it was signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}
