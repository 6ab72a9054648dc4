/** What the fast lane reads from the head of an inference request. */
export interface RequestHead {
  readonly model: string;
  readonly version: string | undefined;
  readonly contentLength: number;
  /** `Inference-Header-Content-Length`: where the JSON of a request with binary tensors ends. */
  readonly jsonLength: string | undefined;
  readonly authorization: string | undefined;
  /** The client will close, or asks us to. */
  readonly close: boolean;
}

const requestLine =
  /^POST \/v2\/models\/([A-Za-z0-9._-]{1,200})(?:\/versions\/([A-Za-z0-9._-]{1,200}))?\/infer HTTP\/1\.1$/;
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e]*?)[ \t]*$/;
/** They change how a message is framed or answered. */
const notPlain = new Set([
  'transfer-encoding',
  'content-encoding',
  'expect',
  'upgrade',
  'trailer',
  'te',
  'proxy-connection',
  'http2-settings',
]);

/**
 * Reads the head of the plainest form of an inference request: HTTP/1.1, a host, one Content-Length, a path without escapes or query,
 * nothing that changes the framing. `head` is everything before the empty line. Undefined means that the request is of another form,
 * good or bad: then Node's own HTTP server reads it from its first byte. Whatever two parsers could read differently is never plain.
 */
export function parseRequestHead(head: string): RequestHead | undefined {
  const lines = head.split('\r\n');
  const [, model, version] = requestLine.exec(lines[0] ?? '') ?? [];
  if (model === undefined) return undefined;
  let contentLength: number | undefined;
  let jsonLength: string | undefined;
  let authorization: string | undefined;
  let host = false;
  let close = false;
  for (let index = 1; index < lines.length; index++) {
    const found = headerLine.exec(lines[index] ?? '');
    if (found === null) return undefined;
    const name = (found[1] ?? '').toLowerCase();
    const value = found[2] ?? '';
    switch (name) {
      case 'content-length':
        if (contentLength !== undefined || !/^\d{1,15}$/.test(value)) return undefined;
        contentLength = Number(value);
        break;
      case 'inference-header-content-length':
        if (jsonLength !== undefined || !/^\d{1,15}$/.test(value)) return undefined;
        jsonLength = value;
        break;
      case 'host':
        if (host || value === '') return undefined;
        host = true;
        break;
      case 'authorization':
        if (authorization !== undefined) return undefined;
        authorization = value;
        break;
      case 'connection': {
        const option = value.toLowerCase();
        if (option === 'close') close = true;
        else if (option !== 'keep-alive') return undefined;
        break;
      }
      default:
        if (notPlain.has(name)) return undefined;
    }
  }
  if (contentLength === undefined || !host) return undefined;
  return { model, version, contentLength, jsonLength, authorization, close };
}
