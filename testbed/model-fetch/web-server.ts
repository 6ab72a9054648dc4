import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What a server answers a request, the `nth` (from 0) for its path. */
export type Answer = (response: ServerResponse, request: IncomingMessage, nth: number) => void;

/** A request that came. */
export interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** A server of files on loopback. */
export interface WebServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly asked: readonly Asked[];
  /** What it answers for a path as it stands in the request; everything else is 404. */
  answer(path: string, answer: Answer): void;
}

/** Starts one, with TLS when there is a certificate. */
export async function webServer(tls?: { readonly key: string; readonly certificate: string }): Promise<WebServer> {
  const asked: Asked[] = [];
  const answers = new Map<string, { readonly answer: Answer; count: number }>();
  const listener: RequestListener = (request, response) => {
    const { url = '', headers } = request;
    asked.push({ url, authorization: headers.authorization, range: headers.range });
    const found = answers.get(url);
    if (found === undefined) response.writeHead(404).end('no such file\n');
    else found.answer(response, request, found.count++);
  };
  const server: Server =
    tls === undefined ? createServer(listener) : createSecureServer({ key: tls.key, cert: tls.certificate }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://localhost:${port}`,
    asked,
    answer: (path, answer) => void answers.set(path, { answer, count: 0 }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The whole file. */
export function whole(content: Buffer): Answer {
  return (response) => void response.writeHead(200, { 'content-length': content.length }).end(content);
}

/** The file, but the first so many times the line breaks in the middle of what was asked for. `ranges`: it can go on from anywhere. */
export function breaking(content: Buffer, times: number, { ranges }: { readonly ranges: boolean }): Answer {
  return (response, request, nth) => {
    const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    const part = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': part.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    });
    if (nth >= times) response.end(part);
    else response.write(part.subarray(0, Math.floor(part.length / 2)), () => response.destroy());
  };
}
