import { mergeHeaders } from '../../core/http/index.ts';
import type { WireRequest } from '../protocol.ts';

/** A request as it goes over the wire in HTTP/1.1 (RFC 9112), head and body in one piece so that one write sends it. */
export function requestBytes({ method, path, headers, body }: WireRequest, host: string): Buffer {
  const list = mergeHeaders({ host, 'accept-encoding': 'identity' }, headers, {
    ...(method === 'POST' || body.length > 0 ? { 'content-length': String(body.length) } : {}),
  });
  const lines = Object.entries(list).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body]);
}
