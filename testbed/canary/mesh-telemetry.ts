import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Milliseconds; Envoy's default for Prometheus, as far as anything here takes. */
const edges: readonly number[] = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

/** Whose requests are counted, by the labels that Istio's proxies give. */
export interface Destination {
  readonly service: string;
  readonly version: string;
  readonly namespace: string;
}

interface Counts {
  readonly buckets: number[];
  count: number;
  sum: number;
}

/** What the data planes tell of their requests, as Istio's proxies do; and what Istio has no words for, of copies and of shadows' answers. */
export class MeshTelemetry {
  readonly #requests = new Map<string, Counts>();
  readonly #compared = new Map<string, { compared: number; agreed: number }>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Serves `/metrics` on a free port of loopback. */
  static async start(): Promise<MeshTelemetry> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(telemetry.#exposition());
    });
    const telemetry = new MeshTelemetry(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return telemetry;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** Shows a destination before its first request: a counter that appears with a number in it says nothing of when that came about. */
  expect(destination: Destination): void {
    this.#countsOf(destination, 200);
    this.#comparedOf(destination);
  }

  count(destination: Destination, status: number, milliseconds: number): void {
    const counts = this.#countsOf(destination, status);
    const bucket = edges.findIndex((edge) => milliseconds <= edge);
    if (bucket !== -1) counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
    counts.count++;
    counts.sum += milliseconds;
  }

  compare(destination: Destination, agreed: boolean): void {
    const counts = this.#comparedOf(destination);
    counts.compared++;
    if (agreed) counts.agreed++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #countsOf(destination: Destination, status: number): Counts {
    const labels = `reporter="destination",${labelsOf(destination)},response_code="${status}"`;
    let counts = this.#requests.get(labels);
    if (counts === undefined) {
      counts = { buckets: edges.map(() => 0), count: 0, sum: 0 };
      this.#requests.set(labels, counts);
    }
    return counts;
  }

  #comparedOf(destination: Destination): { compared: number; agreed: number } {
    const labels = labelsOf(destination);
    let counts = this.#compared.get(labels);
    if (counts === undefined) {
      counts = { compared: 0, agreed: 0 };
      this.#compared.set(labels, counts);
    }
    return counts;
  }

  #exposition(): string {
    const duration = 'istio_request_duration_milliseconds';
    const requests = [...this.#requests];
    const lines = [
      '# TYPE istio_requests_total counter',
      ...requests.map(([labels, { count }]) => `istio_requests_total{${labels}} ${count}`),
      `# TYPE ${duration} histogram`,
      ...requests.flatMap(([labels, { buckets, count, sum }]) => {
        let below = 0;
        return [
          ...buckets.map((each, index) => {
            below += each;
            return `${duration}_bucket{${labels},le="${edges[index]}"} ${below}`;
          }),
          `${duration}_bucket{${labels},le="+Inf"} ${count}`,
          `${duration}_sum{${labels}} ${sum}`,
          `${duration}_count{${labels}} ${count}`,
        ];
      }),
      '# TYPE shadow_compared_total counter',
      ...[...this.#compared].map(([labels, { compared }]) => `shadow_compared_total{${labels}} ${compared}`),
      '# TYPE shadow_agreed_total counter',
      ...[...this.#compared].map(([labels, { agreed }]) => `shadow_agreed_total{${labels}} ${agreed}`),
    ];
    return `${lines.join('\n')}\n`;
  }
}

function labelsOf({ service, version, namespace }: Destination): string {
  return `destination_service_name="${service}",destination_version="${version}",destination_workload_namespace="${namespace}"`;
}
