import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/**
 * What `POST /api/v2/query/timeseries` takes, by the models of Datadog's own client (`TimeseriesFormulaQueryRequest` and what is in it, of
 * DataDog/datadog-api-client-ruby at 9008496b), and nothing else.
 */
const asked = z.strictObject({
  data: z.strictObject({
    type: z.literal('timeseries_request'),
    attributes: z.strictObject({
      from: z.int(),
      to: z.int(),
      interval: z.int().optional(),
      formulas: z.array(z.strictObject({ formula: z.string() })).optional(),
      queries: z.array(
        z.strictObject({
          data_source: z.enum(['metrics', 'cloud_cost']),
          name: z.string().optional(),
          query: z.string(),
        }),
      ),
    }),
  }),
});

/** For tests: Datadog, with the metrics of a service in two versions. Time passes when something is sent. */
export class DatadogStandIn implements AsyncDisposable {
  readonly #events: {
    readonly version: string;
    readonly at: number;
    readonly failed: boolean;
    readonly seconds: number;
  }[] = [];
  readonly faults: string[] = [];
  readonly queries: string[] = [];
  now = Date.now() - 400_000;
  failure: 'is-gone' | 'fails' | 'babbles' | 'hangs' | undefined;
  /** Refuses so many times first. */
  refusals: { status: number; body: string; headers: Readonly<Record<string, string>> }[] = [];
  withoutPercentiles = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        if (this.failure === 'hangs') return;
        response.sendDate = false;
        response.setHeader('date', new Date(this.now).toUTCString());
        const refusal = this.refusals.shift();
        if (refusal !== undefined) return void response.writeHead(refusal.status, refusal.headers).end(refusal.body);
        if (this.failure === 'fails') return void response.writeHead(500).end('{"errors":"Internal error"}');
        if (this.failure === 'babbles') return void response.end('<!doctype html><p>Welcome to nginx!');
        const { 'dd-api-key': key, 'dd-application-key': application } = request.headers;
        if (key !== 'api-key' || application !== 'application-key') {
          return void response.writeHead(403).end('{"errors":["Forbidden"]}');
        }
        if (request.method !== 'POST' || request.url !== '/api/v2/query/timeseries') {
          return void response.writeHead(404).end('{"errors":["Not found"]}');
        }
        const parsed = asked.safeParse(JSON.parse(body));
        if (!parsed.success) {
          this.faults.push(parsed.error.message);
          return void response.writeHead(400).end('{"errors":"bad request"}');
        }
        response.end(JSON.stringify(this.#answer(parsed.data.data.attributes)));
      });
    });
  }

  async start(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** Afterwards the minute is over. */
  count(version: string, requests: number, failing = 0, seconds: readonly number[] = [0.02]): void {
    for (let index = 0; index < requests; index++) {
      this.#events.push({
        version,
        at: this.now,
        failed: index < failing,
        seconds: seconds[index % seconds.length] ?? 0,
      });
    }
    this.now = (Math.floor(this.now / 60_000) + 1) * 60_000 + 1000;
  }

  async fail(how: NonNullable<DatadogStandIn['failure']>): Promise<void> {
    this.failure = how;
    if (how === 'is-gone') await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer({ from, to, formulas, queries }: z.infer<typeof asked>['data']['attributes']): unknown {
    this.queries.push(...queries.map(({ query }) => query));
    const first = Math.floor(from / 60_000) * 60_000;
    const times = Array.from({ length: Math.floor((to - first) / 60_000) + 1 }, (_, index) => first + index * 60_000);
    const all = (formulas ?? []).map(({ formula }, index) => {
      const { query } = queries.find(({ name }) => name === formula) ?? { query: '' };
      return { index, values: times.map((at) => this.#value(query, at)) };
    });
    // A query that finds nothing has no series.
    const found = all.filter(({ values }) => values.some((value) => value !== null));
    return {
      data: {
        id: '0',
        type: 'timeseries_response',
        attributes: {
          series: found.map(({ index }) => ({ group_tags: [], query_index: index, unit: null })),
          times,
          values: found.map(({ values }) => values),
        },
      },
    };
  }

  #value(query: string, minute: number): number | null {
    const [, aggregator = '', threshold, metric = '', scope = ''] =
      /^(sum|count)(?:\(v: v<=([\d.]+)\))?:([\w.]+)\{([^{}]+)\}\.as_count\(\)\.rollup\(sum, 60\)$/.exec(query) ?? [];
    const tags = new Map(scope.split(',').map((tag) => tag.split(':', 2) as [string, string]));
    if (aggregator === '' || tags.get('service') !== 'churn') {
      this.faults.push(`no query of Datadog's: ${query}`);
      return null;
    }
    const events = this.#events.filter(
      ({ version, at }) => version === tags.get('version') && Math.floor(at / 60_000) * 60_000 === minute,
    );
    if (events.length === 0 || (threshold !== undefined && this.withoutPercentiles)) return null;
    switch (metric) {
      case 'trace.http.request.hits':
        return events.length;
      case 'trace.http.request.errors':
        // Counts have no point where nothing was counted.
        return events.filter(({ failed }) => failed).length || null;
      case 'trace.http.request':
        return events.filter(({ seconds }) => threshold === undefined || seconds <= Number(threshold)).length;
      default:
        return null;
    }
  }
}
