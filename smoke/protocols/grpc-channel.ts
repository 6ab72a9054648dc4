import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import * as tls from 'node:tls';
import {
  Client,
  connectivityState,
  credentials,
  logVerbosity,
  Metadata,
  type ServiceError,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import {
  bareHost,
  checkHeaders,
  connectionProblem,
  type Hide,
  hiding,
  isForbiddenAddress,
  isLoopbackHost,
  mergeHeaders,
  said,
} from '../../core/http/index.ts';
import { type GrpcCall, grpcPath } from '../../core/inference/index.ts';
import { InputError, PeerError, type Problem } from '../../core/problem/index.ts';
import type { Target } from '../target.ts';

/** The answer of one call. */
export type GrpcAnswer =
  | { readonly bytes: Uint8Array; readonly milliseconds: number }
  | {
      readonly bytes?: never;
      readonly milliseconds: number;
      /** The gRPC code's name: `NOT_FOUND`. */
      readonly code: string;
      /** The HTTP status the code stands for (google/rpc/code.proto). */
      readonly status: number;
      /** What the server says, safe to show. */
      readonly refusal: string;
    };

export interface GrpcChannelOptions {
  /** Allows 169.254.0.0/16 and the other addresses where clouds keep credentials. @default false */
  readonly allowLinkLocal?: boolean;
}

/** The comments of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto; whatever is not here is 500. */
const httpStatuses: Readonly<Record<number, number>> = {
  [status.CANCELLED]: 499,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.UNAUTHENTICATED]: 401,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.UNAVAILABLE]: 503,
};

/**
 * Calls of GRPCInferenceService on one server, messages as bytes. An answer of any code is an answer; one that never comes is a PeerError
 * that says what to do. The target's headers go as metadata and are in no message.
 *
 * A proxy (`grpc_proxy`, `https_proxy`, `no_proxy`, as grpc-js reads them) counts for grpcs outside this machine.
 */
export class GrpcChannel implements AsyncDisposable {
  readonly hide: Hide;
  readonly #target: Target;
  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #allowLinkLocal: boolean;
  #addressChecked: Promise<void> | undefined;

  /** Starts no connection. Throws an InputError for a URL, header or certificate that cannot be used. */
  constructor(target: Target, options: GrpcChannelOptions = {}) {
    const { url } = target;
    this.#target = target;
    this.#allowLinkLocal = options.allowLinkLocal ?? false;
    this.hide = hiding(target);
    const secure = url.protocol === 'grpcs:';
    checkUrl(url);
    if (!this.#allowLinkLocal && isForbiddenAddress(bareHost(url.hostname)))
      throw new InputError(forbidden(url.hostname));
    this.#metadata = metadataOf(target);
    // What goes wrong is told by the answers; grpc-js would write it to stderr as well.
    setLogVerbosity(logVerbosity.NONE);
    this.#client = new Client(
      url.host,
      secure ? credentials.createSsl(authorities(target)) : credentials.createInsecure(),
      {
        'grpc.max_receive_message_length': target.maxAnswerBytes,
        'grpc.max_send_message_length': -1,
        // One try is one try: whoever asks decides whether to ask again.
        'grpc.enable_retries': 0,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1000,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_http_proxy': secure && !isLoopbackHost(url.hostname) ? 1 : 0,
      },
    );
  }

  /** One call. Its time starts when the connection is there. Throws a PeerError when no answer comes. */
  async call(name: GrpcCall, message: Uint8Array): Promise<GrpcAnswer> {
    const deadline = Date.now() + this.#target.timeoutMs;
    await this.#checkAddress();
    await this.#connected(deadline);
    const start = performance.now();
    return new Promise((resolve, reject) => {
      let heard = false;
      const call = this.#client.makeUnaryRequest(
        grpcPath(name),
        (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        (bytes: Buffer): Uint8Array => bytes,
        message,
        this.#metadata,
        { deadline },
        (error: ServiceError | null, bytes?: Uint8Array) => {
          const milliseconds = performance.now() - start;
          if (error === null && bytes !== undefined) return resolve({ bytes, milliseconds });
          // Only a status that came over the wire has the headers of HTTP.
          const answered = heard || (error !== null && error.metadata.get('content-type').length > 0);
          if (error !== null && answered && !isOurs(error)) return resolve({ milliseconds, ...this.#refusal(error) });
          reject(this.#failure(error));
        },
      );
      call.once('metadata', () => {
        heard = true;
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
  }

  #refusal(
    error: ServiceError,
  ): Pick<Exclude<GrpcAnswer, { readonly bytes: Uint8Array }>, 'code' | 'status' | 'refusal'> {
    const code = status[error.code] ?? String(error.code);
    return { code, status: httpStatuses[error.code] ?? 500, refusal: said(error.details, this.hide) || code };
  }

  #failure(error: ServiceError | null): PeerError {
    const { url, timeoutMs, maxAnswerBytes, ca } = this.#target;
    const server = `${url.protocol}//${url.host}`;
    if (error?.code === status.DEADLINE_EXCEEDED) {
      return new PeerError({
        code: 'timeout',
        message: `${server} did not answer within ${timeoutMs / 1000} s`,
        fix: 'Allow more time, send fewer rows at once, or see why the server is slow: a first request may load the model.',
      });
    }
    const details = error?.details ?? 'an empty answer';
    if (tooBig.test(details)) {
      return new PeerError({
        code: 'answer-too-big',
        message: `the answer of ${server} is bigger than ${maxAnswerBytes} bytes; it was not read`,
        fix: 'Send fewer rows at once, or allow bigger answers.',
      });
    }
    if (/Protocol error|Received RST_STREAM|HTTP\/?1|status code \d{3}|NGHTTP2/i.test(details)) {
      return new PeerError({
        code: 'not-grpc',
        message: `what answers at ${server} does not speak gRPC, or broke off`,
        found: said(details, this.hide),
        fix: 'Give the port of the gRPC API (often 8001, 9000 or 8081); the HTTP API has another. A proxy between must pass HTTP/2.',
      });
    }
    // The same words as for HTTP, about a URL that has an origin.
    const asHttp = new URL(`${url.protocol === 'grpcs:' ? 'https:' : 'http:'}//${url.host}`);
    const problem = connectionProblem(withCode(details), { url: asHttp, hide: this.hide, hasCa: ca !== undefined });
    const { found: _, ...told } = problem;
    const ours = (text: string): string => text.replaceAll(asHttp.origin, server);
    return new PeerError({
      ...(problem.found === undefined ? told : { ...told, found: said(lastError(details), this.hide) }),
      message: ours(problem.message),
      ...(problem.fix === undefined ? {} : { fix: ours(problem.fix) }),
    });
  }

  /** Waits until there is a connection, an attempt failed (the call then says why) or the time is over. */
  #connected(deadline: number): Promise<void> {
    const channel = this.#client.getChannel();
    return new Promise((resolve) => {
      const look = (): void => {
        const state = channel.getConnectivityState(true);
        if (state === connectivityState.READY || state === connectivityState.TRANSIENT_FAILURE) resolve();
        else channel.watchConnectivityState(state, deadline, (error) => (error === undefined ? look() : resolve()));
      };
      look();
    });
  }

  /** Also a name may lead to a forbidden address. */
  #checkAddress(): Promise<void> {
    const host = bareHost(this.#target.url.hostname);
    if (this.#allowLinkLocal || isIP(host) !== 0) return Promise.resolve();
    this.#addressChecked ??= lookup(host, { all: true }).then(
      (found) => {
        if (found.some(({ address }) => isForbiddenAddress(address))) throw new PeerError(forbidden(host));
      },
      () => {
        // The call says it better; it may resolve the next time.
        this.#addressChecked = undefined;
      },
    );
    return this.#addressChecked;
  }
}

function checkUrl(url: URL): void {
  if (url.protocol !== 'grpc:' && url.protocol !== 'grpcs:') {
    throw new InputError({
      code: 'wrong-scheme',
      message: 'a URL for gRPC is needed',
      found: said(url.protocol, (text) => text),
      expected: 'grpc:// or grpcs://',
      fix: 'Use grpc://HOST:PORT, or the protocol v2 for http:// and https://.',
    });
  }
  if (url.hostname === '' || url.port === '') {
    throw new InputError({
      code: 'no-port',
      message: 'a URL for gRPC needs host and port',
      expected: 'such as grpc://localhost:8001',
      fix: 'Give the port: gRPC has no standard one for models.',
    });
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '') {
    throw new InputError({
      code: 'path-in-grpc-url',
      message: 'a URL for gRPC has no path and no query',
      expected: `${url.protocol}//${url.host}`,
      fix: 'Leave out what follows the port; a token goes into the headers.',
    });
  }
}

function forbidden(host: string): Problem {
  return {
    code: 'forbidden-address',
    message: `${said(host, (text) => text)} is a link-local address, where clouds keep the credentials of the machine`,
    fix: 'Give the address of the model server; if it truly is this one, allow link-local addresses.',
  };
}

function metadataOf({ url, headers }: Target): Metadata {
  checkHeaders(headers);
  const { username, password } = url;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = pair === ':' ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(mergeHeaders(basic, headers))) {
    if (/^grpc-|^(content-type|user-agent|host)$/.test(name)) continue;
    try {
      metadata.set(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
    } catch {
      throw new InputError({
        code: 'bad-header',
        message: `the header ${said(name, (text) => text, 40)} cannot go as gRPC metadata`,
        fix: 'Names have small letters, digits, hyphens, dots and underscores; values have ASCII only.',
      });
    }
  }
  return metadata;
}

/** The system's authorities and the given one, as PEM; null: grpc-js takes the system's. */
function authorities({ ca }: Target): Buffer | null {
  if (ca === undefined) return null;
  try {
    tls.createSecureContext({ ca });
  } catch {
    throw badCertificate();
  }
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw badCertificate();
  // Node 20 has no getCACertificates.
  const system = typeof tls.getCACertificates === 'function' ? tls.getCACertificates('default') : tls.rootCertificates;
  return Buffer.from([...system, ca].join('\n'));
}

function badCertificate(): InputError {
  return new InputError({
    code: 'bad-certificate',
    message: 'the certificate authority is no certificate in PEM',
    expected: 'text that starts with -----BEGIN CERTIFICATE-----',
    fix: 'Give the content of a .pem or .crt file; `openssl x509 -inform der -in ca.der` turns DER into it.',
  });
}

const tooBig = /larger than max|message length/i;

/** A status grpc-js itself gave after the server had begun to answer. */
function isOurs({ code, details }: ServiceError): boolean {
  return (
    (code === status.RESOURCE_EXHAUSTED && tooBig.test(details)) ||
    (code === status.DEADLINE_EXCEEDED && /^Deadline exceeded after/.test(details)) ||
    (code === status.INTERNAL && /Received RST_STREAM|Error parsing response/.test(details)) ||
    (code === status.CANCELLED && details === 'Call cancelled')
  );
}

/** grpc-js keeps the words of the last error of a connection, not its code. */
const codesByWords: readonly (readonly [RegExp, string])[] = [
  [/Name resolution failed|getaddrinfo/i, 'ENOTFOUND'],
  [/self[- ]signed certificate in/i, 'SELF_SIGNED_CERT_IN_CHAIN'],
  [/self[- ]signed certificate/i, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [/unable to verify the first certificate/i, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [/unable to get local issuer/i, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  [/certificate has expired/i, 'CERT_HAS_EXPIRED'],
  [/certificate is not yet valid/i, 'CERT_NOT_YET_VALID'],
  [/does not match certificate|altnames/i, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [/wrong version number|packet length too long/i, 'ERR_SSL_WRONG_VERSION_NUMBER'],
];

function withCode(details: string): Error {
  const code =
    codesByWords.find(([words]) => words.test(details))?.[1] ??
    /\b(E(?:CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|ADDRNOTAVAIL|AI_AGAIN|NOTFOUND|PROTO))\b/.exec(
      details,
    )?.[1];
  return Object.assign(new Error(lastError(details)), code === undefined ? {} : { code });
}

/** `No connection established. Last error: Error: ... (date). Resolution note: ...` without the frame. */
function lastError(details: string): string {
  return (/Last error: (?:Error: )?(.*?)(?: \([^()]*\))?\. ?Resolution note/s.exec(details)?.[1] ?? details).trim();
}
