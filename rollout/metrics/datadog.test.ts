import { describe, expect, test } from 'vitest';
import { metricsConformance } from '../conformance.ts';
import { type DatadogOptions, openDatadog } from './datadog.ts';
import { DatadogStandIn } from './datadog-stand-in.ts';

const options = {
  site: 'datadoghq.eu',
  apiKey: 'api-key',
  applicationKey: 'application-key',
  requests: 'trace.http.request.hits',
  errors: 'trace.http.request.errors',
  latency: 'trace.http.request',
  canary: { service: 'churn', version: 'v2' },
  baseline: { service: 'churn', version: 'v1' },
} as const;

async function begin(more: Partial<DatadogOptions> = {}) {
  const datadog = new DatadogStandIn();
  const url = await datadog.start();
  const source = openDatadog({ ...options, url, patienceMs: 300, ...more });
  return {
    datadog,
    source,
    send: async (arm: 'canary' | 'baseline', requests: number, failing?: number) => {
      datadog.count(arm === 'canary' ? 'v2' : 'v1', requests, failing);
    },
    fail: (how: 'is-gone' | 'fails' | 'babbles' | 'hangs') => datadog.fail(how),
    // The deadline of an answer is fifteen seconds, and a look has its own.
    without: ['hangs'] as const,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await datadog[Symbol.asyncDispose]();
      expect(datadog.faults).toEqual([]);
    },
  };
}

metricsConformance('datadog', begin);

describe('Datadog’s counts', () => {
  test('are asked for as counts and never as rates, with a histogram of counts', async () => {
    await using stage = await begin({ edgesMs: [10, 100] });
    stage.datadog.count('v2', 6, 1, [0.005, 0.01, 0.05, 0.1, 0.2, 3]);
    const { canary } = await stage.source.read();
    expect(canary[0]).toMatchObject({
      requests: 6,
      errors: 1,
      latency: { edges: [0.01, 0.1, Number.POSITIVE_INFINITY], cumulative: [2, 4, 6] },
    });
    expect(stage.datadog.queries).toContain(
      'sum:trace.http.request.hits{service:churn,version:v2}.as_count().rollup(sum, 60)',
    );
    expect(stage.datadog.queries).toContain(
      'count(v: v<=0.01):trace.http.request{service:churn,version:v2}.as_count().rollup(sum, 60)',
    );
    expect(stage.datadog.queries.filter((query) => /as_rate|p\d\d:|avg:/.test(query))).toEqual([]);
  });

  test('have no latency where none is named, or where the metric has no percentiles', async () => {
    await using plain = await begin({ latency: undefined });
    await plain.send('canary', 3);
    expect((await plain.source.read()).canary[0]?.latency).toBeUndefined();
    expect(plain.datadog.queries.filter((query) => query.startsWith('count'))).toEqual([]);
    await using stage = await begin();
    stage.datadog.withoutPercentiles = true;
    await stage.send('canary', 3);
    const { canary, remarks } = await stage.source.read();
    expect(canary[0]?.latency).toBeUndefined();
    expect(remarks.join()).toContain('Are percentiles enabled');
  });

  test('are asked for by Datadog’s clock, and of minutes that are over', async () => {
    for (const hours of [-2, 2]) {
      await using stage = await begin();
      stage.datadog.now = Date.now() + hours * 3_600_000;
      await stage.send('canary', 3);
      const { canary } = await stage.source.read();
      expect(canary[0]).toMatchObject({ requests: 3, at: Math.floor(stage.datadog.now / 60_000) * 60_000 });
    }
  });

  test('are asked for again when Datadog limits or fails', async () => {
    await using stage = await begin({ patienceMs: 5000 });
    await stage.send('canary', 3);
    stage.datadog.refusals = [
      { status: 429, body: '{"errors":["Rate limit"]}', headers: { 'x-ratelimit-reset': '1' } },
      { status: 503, body: '', headers: {} },
    ];
    expect((await stage.source.read()).canary[0]?.requests).toBe(3);
  });

  test.each([
    [401, '{"errors":["Unauthorized"]}', 'datadog-closed'],
    [403, '{"errors":["Forbidden"]}', 'datadog-closed'],
    [429, '{"errors":["Rate limit"]}', 'datadog-busy'],
    [404, '', 'no-datadog'],
    [400, '{"errors":"unknown metric \u001b[2J"}', 'datadog-refused'],
    [200, '{"errors":"query failed","data":{"attributes":{}}}', 'broken-answer'],
  ])('explain HTTP %i with %j, and show no key', async (status, body, code) => {
    await using stage = await begin({ patienceMs: 0 });
    stage.datadog.refusals = [{ status, body, headers: { 'x-ratelimit-limit': '100', 'x-ratelimit-period': '60' } }];
    const thrown = await stage.source.read().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'PeerError', problems: [{ code, fix: expect.stringMatching(/\S/) }] });
    expect(String(thrown)).not.toMatch(/api-key|application-key|\u001b/);
  });

  test.each([
    [{ requests: 'a{*} by {host}' }, 'bad-metric'],
    [{ canary: { version: 'v2} by {host' } }, 'bad-tag'],
    [{ canary: { 'a b': 'v2' } }, 'bad-tag'],
    [{ canary: { version: '*' } }, 'bad-tag'],
    [{ canary: options.baseline }, 'same-arms'],
    [{ apiKey: '' }, 'no-datadog-key'],
    [{ applicationKey: 'a\nb' }, 'no-datadog-key'],
  ])('are not asked for with %j', (more, code) => {
    expect(() => openDatadog({ ...options, ...more })).toThrow(
      expect.objectContaining({ name: 'InputError', problems: [expect.objectContaining({ code })] }),
    );
  });
});
