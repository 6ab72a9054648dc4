import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import type { ControlPlane } from './control-plane.ts';

/** A request on its way to the API server. */
export interface Passing {
  /** Counts all requests, from 1. */
  readonly number: number;
  /** Counts those that change something, from 1; 0: it only reads. */
  readonly write: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** The API server's answer to it. */
export interface Passed {
  readonly status: number;
  readonly body: string;
}

/**
 * What becomes of a request. `cut`: the connection breaks before the server hears of it; `cut-after`: once it has done it; `cut-within`: in
 * the middle of its answer; `hang`: there never is an answer. An answer of the proxy's own is never heard of by the server.
 */
export type Fate =
  | 'pass'
  | 'cut'
  | 'cut-after'
  | 'cut-within'
  | 'hang'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown };

export interface ApiProxyOptions {
  /** Asked before the server is. @default everything passes */
  readonly before?: (passing: Passing) => Fate | Promise<Fate>;
  /** Told once the server has answered and before the client hears of it; `cut`: it never does. */
  readonly after?: (passing: Passing, passed: Passed) => 'pass' | 'cut' | Promise<'pass' | 'cut'>;
}

/** A reverse proxy on loopback in front of an API server, which breaks what it is told to break. Plain HTTP: tokens pass as they are. */
export interface ApiProxy extends AsyncDisposable {
  readonly url: string;
  /** How many requests passed, and how many of them were to change something. */
  readonly counts: { readonly requests: number; readonly writes: number };
}

export async function startApiProxy(cluster: ControlPlane, options: ApiProxyOptions = {}): Promise<ApiProxy> {
  const agent = new Agent({ connect: { ca: cluster.ca }, keepAliveTimeout: 1000 });
  let requests = 0;
  let writes = 0;
  const pass = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const number = ++requests;
    const method = asked.method ?? 'GET';
    const write = method === 'GET' ? 0 : ++writes;
    const body = await textOf(asked);
    const passing: Passing = { number, write, method, path: asked.url ?? '/', body };
    const fate = (await options.before?.(passing)) ?? 'pass';
    if (fate === 'hang') return;
    if (fate === 'cut') return void answer.destroy();
    if (typeof fate === 'object') {
      answer.writeHead(fate.status, { 'content-type': 'application/json', ...fate.headers });
      return void answer.end(fate.body === undefined ? '' : JSON.stringify(fate.body));
    }
    const { authorization, accept, 'content-type': contentType } = asked.headers;
    const real = await request(`${cluster.url}${passing.path}`, {
      method: method as 'GET',
      dispatcher: agent,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(accept === undefined ? {} : { accept }),
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      body: body === '' ? null : body,
    });
    const text = await real.body.text();
    const then = (await options.after?.(passing, { status: real.statusCode, body: text })) ?? 'pass';
    if (fate === 'cut-after' || then === 'cut') return void answer.destroy();
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(typeof real.headers['date'] === 'string' ? { date: real.headers['date'] } : {}),
      ...(typeof real.headers['retry-after'] === 'string' ? { 'retry-after': real.headers['retry-after'] } : {}),
    };
    answer.writeHead(real.statusCode, headers);
    if (fate === 'cut-within') {
      answer.write(text.slice(0, text.length / 2), () => answer.destroy());
      return;
    }
    answer.end(text);
  };
  const server = createServer((asked, answer) => {
    // The API server is gone: so is the connection.
    pass(asked, answer).catch(() => answer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get counts() {
      return { requests, writes };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await agent.destroy();
    },
  };
}

async function textOf(asked: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of asked) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
