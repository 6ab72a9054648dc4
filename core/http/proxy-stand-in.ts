import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';

/** For tests: a proxy behind which every host of https is this process, with a certificate of its own. */
export class ProxyStandIn implements AsyncDisposable {
  /** `host:port` of every tunnel, in turn. */
  readonly asked: string[] = [];
  /** The certificate to trust, in PEM. */
  readonly ca: string;
  readonly #proxy: Server;
  readonly #hosts: Server;

  private constructor(listener: RequestListener, { cert, key }: { readonly cert: string; readonly key: string }) {
    this.ca = cert;
    this.#hosts = createTlsServer({ cert, key }, listener);
    this.#proxy = createServer((_, response) => response.writeHead(403).end('this proxy tunnels only'));
    this.#proxy.on('connect', ({ url = '' }, socket) => {
      this.asked.push(url);
      socket.on('error', () => socket.destroy());
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      this.#hosts.emit('connection', socket);
    });
  }

  /** `hosts`: the names in the certificate, such as `*.eu-north-1.amazonaws.com`. */
  static async start(hosts: readonly string[], listener: RequestListener): Promise<ProxyStandIn> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'proxy stand-in' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2 as const, value })) },
      ],
    });
    const standIn = new ProxyStandIn(listener, { cert, key });
    standIn.#proxy.listen(0, '127.0.0.1');
    await once(standIn.#proxy, 'listening');
    return standIn;
  }

  /** For HTTPS_PROXY. */
  get url(): string {
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#proxy.closeAllConnections();
    this.#hosts.closeAllConnections();
    this.#proxy.close();
  }
}
