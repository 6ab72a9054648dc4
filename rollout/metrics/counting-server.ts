import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { servingMetrics } from '../../core/telemetry/index.ts';

/** For tests: shows the metrics of a version of our server that counted what it was told to. */
export class CountingServer {
  readonly #labels: string;
  readonly #server: Server;
  /** How often its metrics were asked for. */
  shown = 0;
  #requests = 0;
  #failed = 0;
  #failure: 'is-gone' | 'fails' | 'babbles' | 'hangs' | undefined;

  constructor(model: string, version: string) {
    this.#labels = `model_name="${model}",model_version="${version}"`;
    this.#server = createServer((request, response) => {
      request.resume();
      this.shown++;
      if (this.#failure === 'fails') response.writeHead(500).end(this.text());
      else if (this.#failure === 'babbles') response.end('<!doctype html>\n<p>Welcome to nginx!\n');
      else if (this.#failure !== 'hangs') response.setHeader('content-type', 'text/plain').end(this.text());
    });
  }

  count(requests: number, failing = 0): void {
    this.#requests += requests;
    this.#failed += failing;
  }

  /** As a process does that begins again. */
  reset(): void {
    this.#requests = 0;
    this.#failed = 0;
  }

  text(): string {
    const { predictions, latency } = servingMetrics;
    const ok = this.#requests - this.#failed;
    const line = (name: string, labels: string, value: number): string =>
      `${name}{${this.#labels}${labels}} ${value}\n`;
    return [
      line(predictions.name, ',status="ok"', ok),
      // Servers have no series for what never happened.
      ...(this.#failed === 0 ? [] : [line(predictions.name, ',status="error"', this.#failed)]),
      ...[...latency.buckets, '+Inf'].map((le, index) =>
        line(`${latency.name}_bucket`, `,le="${le}"`, index < 5 ? 0 : this.#requests),
      ),
      line(`${latency.name}_sum`, '', this.#requests * 0.02),
      line(`${latency.name}_count`, '', this.#requests),
    ].join('');
  }

  /** Listens on loopback. @returns the URL of its metrics */
  async listen(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/metrics`);
  }

  async fail(how: 'is-gone' | 'fails' | 'babbles' | 'hangs'): Promise<void> {
    this.#failure = how;
    if (how === 'is-gone') this.close();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
