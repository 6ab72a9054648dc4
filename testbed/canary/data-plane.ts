import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { randomOf } from '../../core/statistics/index.ts';
import { answersAgree, type WholeAnswer } from '../../rollout/proxy/answer-agreement.ts';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import type { Destination, MeshTelemetry } from './mesh-telemetry.ts';
import { chosenBackend, type RoutedKind, type RouteTable, routesOf } from './route-table.ts';

/** A server that an object's routes name, and what telemetry calls it. */
export interface Backend {
  readonly url: URL;
  readonly destination: Destination;
}

export interface DataPlaneOptions {
  readonly cluster: ControlPlane;
  readonly kind: RoutedKind;
  /** Path of the object whose routes are followed. */
  readonly path: string;
  /** By the names that the object's routes have. */
  readonly backends: Readonly<Record<string, Backend>>;
  readonly telemetry: MeshTelemetry;
  /** What the object's controller does when its spec has changed: writes the status. */
  readonly follow?: () => Promise<void>;
}

/** Milliseconds between two looks at the object: proxies follow within a second, not at once. */
const followMs = 200;
/** The same outputs, but for the last digits. */
const tolerance = { absolute: 1e-6, relative: 1e-4 };

/**
 * What Envoy, a Gateway or Knative is in a cluster, on loopback: takes users' requests and shares them out as the object at the API server
 * asks, copies them to the mirror, and compares what came back of both. Reads the object again and again; while the API server does not
 * answer, the last routes stay. A request that is on its way when the routes change ends where it was sent. An answer says who gave it
 * (`x-served-by`).
 */
export class DataPlane implements AsyncDisposable {
  /** Requests that no server answered: the fault of this proxy, of nobody else. */
  lost = 0;
  /** Copies that were sent. */
  mirrored = 0;
  /** Who is to get what from when on, by `performance.now()`: the weights of the first route. */
  readonly moves: { readonly at: number; readonly weights: Readonly<Record<string, number>> }[] = [];
  /** Answers by who gave them and their status: `churn-1-v2 500`. */
  readonly answers = new Map<string, number>();
  readonly #options: DataPlaneOptions;
  readonly #random = randomOf('data plane');
  readonly #upstream = new Agent({ connections: 64, keepAliveTimeout: 2000 });
  readonly #server: Server;
  readonly #copies = new Set<Promise<void>>();
  #routes: RouteTable = [];
  #generation = -1;
  #over = false;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#server = createServer(
      { keepAliveTimeout: 75_000 },
      (request, response) => void this.#serve(request, response),
    );
  }

  /** Starts with the object's routes of now. */
  static async start(options: DataPlaneOptions): Promise<DataPlane> {
    const plane = new DataPlane(options);
    for (const { destination } of Object.values(options.backends)) options.telemetry.expect(destination);
    await plane.#followOnce();
    plane.#following = plane.#follow();
    await new Promise<void>((listening) => plane.#server.listen(0, '127.0.0.1', listening));
    return plane;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** How many answers a backend gave, of all statuses or of one. */
  answeredBy(name: string, status?: number): number {
    const wanted = status === undefined ? `${name} ` : `${name} ${status}`;
    return [...this.answers].reduce((sum, [key, count]) => sum + (key.startsWith(wanted) ? count : 0), 0);
  }

  /** Waits for what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#following;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    await closed;
    await Promise.all(this.#copies);
    await this.#upstream.close();
  }

  async #follow(): Promise<void> {
    while (!this.#over) {
      await this.#followOnce().catch(() => undefined);
      await sleep(followMs);
    }
  }

  async #followOnce(): Promise<void> {
    const { cluster, kind, path, follow } = this.#options;
    const read = async () =>
      (await cluster.must('GET', path)) as { readonly metadata: { readonly generation: number } };
    let object = await read();
    if (follow !== undefined && object.metadata.generation !== this.#generation) {
      const { generation } = object.metadata;
      await follow();
      this.#generation = generation;
      object = await read();
    }
    this.#routes = routesOf(kind, object);
    const [route] = this.#routes;
    const weights = Object.fromEntries((route?.backends ?? []).map(({ name, weight }) => [name, weight]));
    if (JSON.stringify(weights) !== JSON.stringify(this.moves.at(-1)?.weights)) {
      this.moves.push({ at: performance.now(), weights });
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wholeOf(request).catch(() => undefined);
    // The user went away while asking.
    if (body === undefined) return;
    const path = request.url ?? '/';
    const { headers } = request;
    const route = this.#routes.find((each) => each.matches({ path: path.split('?')[0] ?? path, headers }));
    const name = route === undefined ? undefined : chosenBackend(route, this.#random.unit());
    const backend = name === undefined ? undefined : this.#options.backends[name];
    if (route === undefined || name === undefined || backend === undefined) {
      this.lost++;
      response.writeHead(503, { 'content-type': 'text/plain' }).end(`no route for ${path}: ${name ?? 'none matches'}`);
      return;
    }
    const asked = { method: request.method ?? 'GET', path, headers, body };
    const answer = this.#ask(backend, asked);
    const { mirror } = route;
    if (mirror !== undefined && this.#random.unit() * 100 < mirror.percent) {
      const copy: Promise<void> = this.#copy(mirror.name, asked, answer).finally(() => this.#copies.delete(copy));
      this.#copies.add(copy);
    }
    try {
      const { status, headers: theirs, body: bytes } = await answer;
      this.answers.set(`${name} ${status}`, (this.answers.get(`${name} ${status}`) ?? 0) + 1);
      response.writeHead(status, { ...onward(theirs), 'x-served-by': name, 'content-length': bytes.length }).end(bytes);
    } catch (cause) {
      this.lost++;
      response.writeHead(502, { 'content-type': 'text/plain' }).end(`${name} did not answer: ${String(cause)}`);
    }
  }

  /** Asks a server; once more where a kept connection turned out to be closed. */
  async #ask({ url, destination }: Backend, request: AskedRequest, again = true): Promise<WholeAnswer> {
    const began = performance.now();
    try {
      const answer = await this.#upstream.request({
        origin: url.origin,
        method: request.method as Dispatcher.HttpMethod,
        path: request.path,
        headers: { ...onward(request.headers), host: url.host },
        body: request.body,
      });
      const body = Buffer.from(await answer.body.arrayBuffer());
      this.#options.telemetry.count(destination, answer.statusCode, performance.now() - began);
      return { status: answer.statusCode, headers: answer.headers, body };
    } catch (cause) {
      if (again) return this.#ask({ url, destination }, request, false);
      this.#options.telemetry.count(destination, 503, performance.now() - began);
      throw cause;
    }
  }

  /** Nobody waits for the copy, and nothing of it reaches the user. */
  async #copy(name: string, request: AskedRequest, theirs: Promise<WholeAnswer>): Promise<void> {
    const shadow = this.#options.backends[name];
    if (shadow === undefined) return;
    this.mirrored++;
    const refused: WholeAnswer = { status: 502, headers: {}, body: Buffer.alloc(0) };
    const answer = await this.#ask(shadow, request).catch(() => refused);
    const baseline = await theirs.catch(() => refused);
    const agreed = answersAgree(baseline, answer, tolerance);
    if (agreed !== undefined) this.#options.telemetry.compare(shadow.destination, agreed);
  }
}

interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function wholeOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Headers that speak of one connection are not handed on; the length is the body's. */
function onward(headers: WholeAnswer['headers']): Record<string, string | string[]> {
  const own = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect', 'upgrade']);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || own.has(name) ? [] : [[name, typeof value === 'string' ? value : [...value]]],
    ),
  );
}
