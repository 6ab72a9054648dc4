import { createHash, createHmac } from 'node:crypto';
import type { AwsCredentials } from './credentials.ts';

/** What is signed. */
export interface SignableRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /** Beside `host`, which is always signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** For which service, where, by whom and when: a signature is good for minutes around that. */
export interface SigningScope {
  readonly credentials: AwsCredentials;
  readonly region: string;
  /** As its endpoints are signed: `sagemaker`, `monitoring`, `aps`. */
  readonly service: string;
  readonly at: Date;
  /** Whether the body's digest is sent as a header, too. @default true */
  readonly bodyDigest?: boolean;
}

/**
 * The headers by which AWS knows who asks (Signature Version 4), those given among them, by AWS's own library. Throws nothing of its own.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function signedHeaders(
  { method, url, headers = {}, body }: SignableRequest,
  { credentials, region, service, at, bodyDigest = true }: SigningScope,
): Promise<Readonly<Record<string, string>>> {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
    },
    region,
    service,
    applyChecksum: bodyDigest,
    sha256: Sha256,
  });
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryOf(url),
      headers: { ...headers, host: url.host },
      body,
    },
    { signingDate: at },
  );
  const { host: _, ...sent } = signed.headers;
  return sent;
}

/** The library encodes what it signs: it wants names and values as they are meant. */
function queryOf(url: URL): Record<string, string | string[]> {
  const query: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) query[name] = [...(query[name] ?? []), value];
  return query;
}

type Bytes = string | ArrayBuffer | ArrayBufferView;

/** Node's SHA-256, or its HMAC with a secret, in the shape the library asks for. */
class Sha256 {
  readonly #secret: Bytes | undefined;
  #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: Bytes) {
    this.#secret = secret;
    this.#hash = begun(secret);
  }

  update(data: Bytes): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = begun(this.#secret);
  }
}

function begun(secret: Bytes | undefined) {
  return secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
}

function bytesOf(data: Bytes): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
