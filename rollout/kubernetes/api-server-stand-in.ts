import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { applyPatch, type Operation } from 'rfc6902';
import { KubernetesClient as Client, type KubernetesClient, type Patience } from '../kubernetes-client.ts';

// For unit tests: the few answers of a Kubernetes API server that a rollout needs, over HTTP on loopback. testbed/kubernetes has a real one.

interface Stored {
  readonly apiVersion?: string;
  readonly kind?: string;
  metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  spec?: unknown;
  status?: unknown;
  readonly [field: string]: unknown;
}

export interface AskedOfServer {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What is answered instead of what the server would. */
export type Instead =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | 'cut'
  | 'hang';

interface Answer {
  readonly status: number;
  readonly answer: unknown;
}

export class ApiServerStandIn implements AsyncDisposable {
  readonly url: string;
  readonly asked: AskedOfServer[] = [];
  /** Asked first; `undefined`: the server answers. */
  instead: ((asked: AskedOfServer) => Instead | undefined) | undefined;
  readonly #objects = new Map<string, Stored>();
  readonly #server: ReturnType<typeof createServer>;
  #version = 0;

  static async start(): Promise<ApiServerStandIn> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ApiServerStandIn(server);
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts).toString('utf8');
      const asked = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      this.asked.push(asked);
      const instead = this.instead?.(asked);
      if (instead === 'hang') return;
      if (instead === 'cut') return void response.destroy();
      if (instead !== undefined) {
        response.writeHead(instead.status, { 'content-type': 'application/json', ...instead.headers });
        return void response.end(instead.body ?? '');
      }
      const { status, answer } = this.#answer(asked);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  }

  client(patience: Patience = {}): KubernetesClient {
    return new Client(
      { server: new URL(this.url), origin: 'a test', credentials: { kind: 'token', token: 'secret-token' } },
      patience,
    );
  }

  /** Stores an object as it is, under its path: `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME`. */
  put(path: string, object: Omit<Stored, 'metadata'> & { readonly metadata?: Partial<Stored['metadata']> }): void {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const metadata = { uid: `uid-${++this.#version}`, generation: 1, ...object.metadata, name };
    this.#objects.set(path, { ...object, metadata: { ...metadata, resourceVersion: `${++this.#version}` } });
  }

  /** Changes an object as others do. */
  change(path: string, change: (object: Stored) => Partial<Stored>): void {
    const old = this.at(path);
    const now = { ...old, ...change(old) };
    const generation = Number(old.metadata['generation']) + (isDeepStrictEqual(old.spec, now.spec) ? 0 : 1);
    this.#objects.set(path, {
      ...now,
      metadata: { ...now.metadata, generation, resourceVersion: `${++this.#version}` },
    });
  }

  at(path: string): Stored {
    const found = this.#objects.get(path);
    if (found === undefined) throw new Error(`nothing is at ${path}`);
    return structuredClone(found);
  }

  has(path: string): boolean {
    return this.#objects.has(path);
  }

  #answer({ method, path: asked, body }: AskedOfServer): Answer {
    const { pathname: path, searchParams } = new URL(asked, this.url);
    const send = (status: number, answer: unknown): Answer => ({ status, answer });
    const refuse = (code: number, reason: string, message: string): Answer => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      return send(code, { kind: 'Status', status: 'Failure', code, reason, message, details: { name } });
    };
    if (method === 'POST') {
      const object = JSON.parse(body) as Stored;
      const at = `${path}/${object.metadata.name}`;
      if (this.#objects.has(at)) return refuse(409, 'AlreadyExists', 'it already exists');
      this.put(at, object);
      return send(201, this.at(at));
    }
    const labels = searchParams.get('labelSelector');
    if (labels !== null) {
      const wanted = labels.split(',').map((label) => label.split('='));
      const items = [...this.#objects]
        .filter(([at]) => at.startsWith(`${path}/`))
        .map(([, object]) => object)
        .filter(({ metadata }) => wanted.every(([name = '', value]) => metadata.labels?.[name] === value));
      return send(200, { kind: 'List', items });
    }
    const found = this.#objects.get(path);
    if (found === undefined) return refuse(404, 'NotFound', 'not found');
    if (method === 'DELETE') {
      this.#objects.delete(path);
      return send(200, { kind: 'Status', status: 'Success' });
    }
    if (method === 'GET') return send(200, found);
    const now = structuredClone(found);
    for (const operation of JSON.parse(body) as Operation[]) {
      if (operation.op === 'test') {
        // As the API server: what is not there is null.
        if (isDeepStrictEqual(valueAt(now, operation.path) ?? null, operation.value)) continue;
        return refuse(422, 'Invalid', `testing value ${operation.path} failed: test failed`);
      }
      if (operation.path === '/metadata/resourceVersion' && 'value' in operation) {
        if (operation.value === found.metadata['resourceVersion']) continue;
        return refuse(409, 'Conflict', 'the object has been modified');
      }
      const [failed] = applyPatch(now, [operation]);
      if (failed) return refuse(422, 'Invalid', failed.message);
    }
    this.change(path, () => now);
    return send(200, this.at(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function valueAt(object: unknown, pointer: string): unknown {
  let at: unknown = object;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at;
}
