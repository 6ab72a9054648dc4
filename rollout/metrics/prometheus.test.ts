import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { servingMetrics, servingProfiles } from '../../core/telemetry/index.ts';
import { openPrometheus, type PrometheusOptions } from './prometheus.ts';

// What only a stand-in shows: refusals, odd answers, the questions themselves. The real Prometheus is in testbed/prometheus.

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

const now = 1_800_000_000;
let undo: () => void = () => {};
afterEach(() => undo());

/** `answers` gives a vector for a question, or a whole answer. */
async function standIn(
  answers: (query: string) => readonly object[] | { readonly status: number; readonly body: string },
): Promise<{ readonly url: URL; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(body));
      asked.push({ path: request.url ?? '', authorization: request.headers.authorization, form });
      const answer = answers(form['query'] ?? '');
      const success = (data: object): void => void response.end(JSON.stringify({ status: 'success', data }));
      if ('status' in answer) response.writeHead(answer.status).end(answer.body);
      else if (form['query'] === 'time()') success({ resultType: 'scalar', result: [now, String(now)] });
      else success({ resultType: 'vector', result: answer });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prometheus`), asked };
}

const options = (url: URL, more: Partial<PrometheusOptions> = {}): PrometheusOptions => ({
  url,
  profile: servingProfiles.sluice,
  model: 'churn',
  canary: { version: '2' },
  baseline: { version: '1' },
  ...more,
});

/** Series of a pod, and when they were scraped. */
function podAnswers(at: number, labels: Readonly<Record<string, string>>, value = '7') {
  const name = servingMetrics.predictions.name;
  return (query: string): readonly object[] =>
    query.startsWith('timestamp')
      ? [{ metric: { ...labels, status: 'ok' }, value: [now, String(at)] }]
      : [{ metric: { __name__: name, ...labels, status: 'ok' }, value: [now, value] }];
}

describe('asking Prometheus', () => {
  test('asks for raw counters, all at one time by its own clock, and sends its credentials', async () => {
    const { url, asked } = await standIn(podAnswers(now - 2, { pod: 'a', namespace: 'shop' }));
    await using source = openPrometheus(options(url, { headers: { authorization: 'Bearer t' } }));
    const { canary, remarks } = await source.read();
    expect(canary).toMatchObject([{ id: 'shop/a', requests: 7, errors: 0, at: (now - 2) * 1000 }]);
    expect(remarks).toEqual([]);
    expect(asked.map(({ form }) => form['query']).filter((query) => /rate|increase/.test(query ?? ''))).toEqual([]);
    expect(new Set(asked.slice(1).map(({ form }) => form['time']))).toEqual(new Set([`${now}.000`]));
    expect(new Set(asked.map(({ path, authorization }) => `${path} ${authorization}`))).toEqual(
      new Set(['/prometheus/api/v1/query Bearer t']),
    );
    expect(asked.map(({ form }) => form['query'])).toContain(
      `timestamp({__name__=~"${servingMetrics.predictions.name}",model_name="churn",model_version="2"})`,
    );
  });

  test('quotes every value of a label, whatever is in it', async () => {
    const { url, asked } = await standIn(() => []);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), async (model, podPrefix) => {
        await using source = openPrometheus(options(url, { model, canary: { podPrefix } }));
        await source.read();
        const query = asked.at(-1)?.form['query'] ?? '';
        // Without its strings nothing of the values is left.
        expect(query.replace(/"(?:[^"\\]|\\.)*"/g, '""')).toMatch(
          /^(?:timestamp\()?\{__name__=~"",model_name="",(?:pod=~""|model_version="")\}\)?$/,
        );
      }),
      { numRuns: 30 },
    );
  });

  test('says of a scrape that it is late, and of a number that it is none', async () => {
    const { url } = await standIn(podAnswers(now - 200, { instance: 'host:1' }, 'NaN'));
    await using source = openPrometheus(options(url));
    const { canary, remarks } = await source.read();
    expect(canary).toEqual([]);
    expect(remarks.join('\n')).toContain('is not a number (NaN)');
    const late = await standIn(podAnswers(now - 200, { instance: 'host:1' }));
    await using other = openPrometheus(options(late.url));
    expect((await other.read()).remarks).toContain('host:1 of the canary was last scraped 200 s ago.');
  });

  test('counts a pod once that two jobs scrape', async () => {
    const [one, two] = [podAnswers(now, { pod: 'a', job: 'one' }), podAnswers(now, { pod: 'a', job: 'two' })];
    const { url } = await standIn((query) => [...one(query), ...two(query)]);
    await using source = openPrometheus(options(url));
    const { canary, remarks } = await source.read();
    expect(canary).toMatchObject([{ id: 'a', requests: 7 }]);
    expect(remarks).toContain('a of the canary is scraped by two jobs (one, two): the first one counts.');
  });

  test.each([
    [401, 'Unauthorized', 'prometheus-closed'],
    [302, '', 'prometheus-redirects'],
    [404, '404 page not found', 'no-prometheus'],
    [429, '', 'prometheus-busy'],
    [503, '{"status":"error","errorType":"timeout","error":"query timed out"}', 'prometheus-slow'],
    [400, '{"status":"error","errorType":"bad_data","error":"no org id"}', 'no-tenant'],
    [422, '{"status":"error","errorType":"execution","error":"\u001b[2Jtoo many samples"}', 'prometheus-refused'],
    [200, '<html>', 'no-prometheus'],
    [200, '{"status":"success","data":{"resultType":"matrix","result":[]}}', 'no-prometheus'],
  ])('explains HTTP %i with %j', async (status, body, code) => {
    const { url } = await standIn(() => ({ status, body }));
    await using source = openPrometheus(options(url, { headers: { authorization: 'Bearer secret' } }));
    const thrown = await source.read().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'PeerError', problems: [{ code, fix: expect.stringMatching(/\S/) }] });
    expect(String(thrown)).not.toMatch(/secret|\u001b/);
  });

  test('refuses more series than a rollout can have', async () => {
    const series = podAnswers(now, { pod: 'a' })('');
    const { url } = await standIn(() => Array.from({ length: 20_001 }, () => series[0] ?? {}));
    await using source = openPrometheus(options(url));
    await expect(source.read()).rejects.toMatchObject({ problems: [{ code: 'too-many-series' }] });
  });

  test('refuses two arms that are the same, and a label that is none', () => {
    const url = new URL('http://prometheus:9090');
    expect(() => openPrometheus(options(url, { canary: { version: '1' } }))).toThrow(/the same/);
    expect(() => openPrometheus(options(url, { canary: { labels: { 'a="b",c': 'd' } } }))).toThrow(
      /no name of a label/,
    );
  });

  describe('for a mean that somebody else exports', () => {
    const shadow = { __name__: 'shadow_compared_total', instance: 'mesh:1', path: 'a' };
    const means = [{ name: 'agreement', sum: 'agreed', count: 'compared', canary: { version: 'v"2' } }] as const;
    const answers = (query: string): readonly object[] => {
      if (query.startsWith('timestamp({__name__="')) return [{ metric: shadow, value: [now, String(now - 3)] }];
      if (query.startsWith('{__name__="'))
        return [{ metric: shadow, value: [now, query.includes('agreed') ? '9' : '10'] }];
      return podAnswers(now, { pod: 'a' })(query);
    };

    test('counts it as a series of its own, which has no requests, of the arm that is named', async () => {
      const { url, asked } = await standIn(answers);
      await using source = openPrometheus(options(url, { means }));
      const { canary, baseline } = await source.read();
      expect(canary).toMatchObject([
        { id: 'a', requests: 7 },
        { requests: 0, errors: 0, means: { agreement: { sum: 9, count: 10 } }, at: (now - 3) * 1000 },
      ]);
      expect(baseline).toMatchObject([{ id: 'a', requests: 7 }]);
      expect(asked.map(({ form }) => form['query'])).toContain('{__name__="compared",version="v\\"2"}');
    });

    test('does not take it for the arm, which is not there', async () => {
      const { url } = await standIn((query) => (query.startsWith('{__name__="') ? answers(query) : []));
      await using source = openPrometheus(options(url, { means }));
      expect((await source.read()).canary).toEqual([]);
    });
  });

  test('remembers the baseline: each question is asked once, for all times', async () => {
    const name = servingMetrics.predictions.name;
    const labels = { pod: 'a', status: 'ok' };
    const { url, asked } = await standIn((query) => {
      if (query === 'time()') return [];
      const metric = query.startsWith('timestamp') ? labels : { __name__: name, ...labels };
      const valueAt = (index: number): string =>
        query.startsWith('timestamp') ? `${now - 15 + index * 5}` : `${index}0`;
      // The pod was not there at the first time.
      const values = [1, 2, 3].map((index) => [now - 15 + index * 5, valueAt(index)]);
      return {
        status: 200,
        body: JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ metric, values }] } }),
      };
    });
    await using source = openPrometheus(options(url));
    const readings = await source.history?.(5000, 4);
    expect(readings?.map(({ canary, baseline }) => [canary.length, baseline[0]?.requests, baseline[0]?.at])).toEqual([
      [0, 10, (now - 10) * 1000],
      [0, 20, (now - 5) * 1000],
      [0, 30, now * 1000],
    ]);
    const ranges = asked.filter(({ path }) => path === '/prometheus/api/v1/query_range');
    expect(ranges).toHaveLength(2);
    expect(ranges[0]?.form).toMatchObject({ start: `${now - 15}.000`, end: `${now}.000`, step: '5.000' });
    expect(ranges[0]?.form['query']).toContain('model_version="1"');
  });

  test('has each request signed that a service wants signed', async () => {
    const { url, asked } = await standIn(() => []);
    await using source = openPrometheus(
      options(url, { sign: async ({ body }) => ({ authorization: `Signed ${body.length}` }) }),
    );
    await source.read();
    expect(asked.map(({ authorization }) => authorization)).toEqual(
      asked.map(({ form }) => `Signed ${new URLSearchParams(form).toString().length}`),
    );
  });
});
