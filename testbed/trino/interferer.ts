import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a gateway does instead of handing a request on. */
export type Interference = (asked: {
  readonly method: string;
  readonly path: string;
  readonly nth: number;
}) =>
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | undefined;

/** A gateway in front of a server, which answers some requests by itself. */
export class Interferer implements AsyncDisposable {
  readonly asked: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, unknown>>;
  }[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(behind: URL, interfere: Interference): Promise<Interferer> {
    const server = createServer((incoming, outgoing) => {
      const { method = '', url: path = '', headers } = incoming;
      const answer = interfere({ method, path, nth: interferer.asked.length });
      interferer.asked.push({ method, path, headers });
      if (answer !== undefined) {
        incoming.resume();
        outgoing.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? '');
        return;
      }
      const onward = request({ host: behind.hostname, port: behind.port, method, path, headers }, (came) => {
        outgoing.writeHead(came.statusCode ?? 500, came.headers);
        came.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    const interferer = new Interferer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return interferer;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
