import { describe, expect, test } from 'vitest';
import type { CanaryMetrics, CanaryTraffic } from '../core/policy/index.ts';
import { type OpenMetricsOptions, openMetrics } from './open-metrics.ts';

const istio: CanaryTraffic = {
  provider: 'istio',
  namespace: 'shop',
  virtual_service: 'churn',
  baseline: 'v1',
  canary: 'v2',
};
const local: CanaryTraffic = { provider: 'local', state: 'proxy' };
const prometheus: CanaryMetrics = { source: 'prometheus', url: 'http://prometheus:9090', server: 'triton' };
const scrape: CanaryMetrics = {
  source: 'scrape',
  server: 'sluice',
  canary: { targets: ['http://10.0.0.2:8000/metrics'] },
  baseline: { targets: ['http://10.0.0.1:8000/metrics'] },
};

const open = (metrics: CanaryMetrics, more: Partial<OpenMetricsOptions> = {}) =>
  openMetrics(metrics, { traffic: istio, directory: '/repository', ...more });

describe('openMetrics', () => {
  test('opens Prometheus where the policy says it is', async () => {
    await using source = open(prometheus);
    expect([source.name, source.title]).toEqual(['prometheus', 'Prometheus at http://prometheus:9090']);
  });

  test('lets the address of the caller win, who alone may send a token', async () => {
    await using source = open(prometheus, { url: 'https://metrics.example.com', token: 'secret' });
    expect(source.title).toBe('Prometheus at https://metrics.example.com');
  });

  test.each([
    ['Prometheus', prometheus],
    ['a server', scrape],
  ])('sends no token to %s that only the policy names', (_, metrics) => {
    expect(() => open(metrics, { token: 'secret' })).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ code: 'token-for-policy-url' })] }),
    );
    expect(() => open(metrics, { token: 'secret' })).not.toThrow(/secret/);
  });

  test.each([
    [undefined, 'no-metrics-url'],
    ['prometheus', 'bad-metrics-url'],
    ['file:///etc/passwd', 'bad-metrics-url'],
  ])('refuses the address %s', (url, code) => {
    const { url: _, ...nowhere } = prometheus as Extract<CanaryMetrics, { source: 'prometheus' }>;
    expect(() => open(nowhere, url === undefined ? {} : { url })).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ code })] }),
    );
  });

  test('hands on the means that the policy names', () => {
    const named = (canary: Readonly<Record<string, string>>): CanaryMetrics => ({
      ...prometheus,
      means: [{ name: 'agreement', sum: 'agreed', count: 'compared', canary }],
    });
    expect(() => open(named({ version: 'v2' }))).not.toThrow();
    expect(() => open(named({ 'no label': 'v2' }))).toThrow(/no name of a label/);
  });

  test('takes an arm by what the traffic calls it, and asks where that says nothing', async () => {
    await using byTraffic = open(prometheus);
    expect(byTraffic.name).toBe('prometheus');
    const kserve: CanaryTraffic = {
      provider: 'kserve',
      namespace: 'shop',
      inference_service: 'churn',
      mode: 'knative',
    };
    expect(() => open(prometheus, { traffic: kserve })).toThrow(
      /nothing says which series are the canary's.*pod_prefix/,
    );
    await using named = open(
      { ...prometheus, canary: { pod_prefix: 'churn-v2' }, baseline: { labels: { pod: 'churn-v1' } } } as CanaryMetrics,
      { traffic: kserve },
    );
    expect(named.name).toBe('prometheus');
  });

  test('opens /metrics of every process', async () => {
    await using source = open(scrape);
    expect(source.name).toBe('scrape');
  });

  test('opens the counts of the proxy beside its state, and of no other provider', async () => {
    await using source = open({ source: 'proxy' }, { traffic: local });
    expect(source.title).toBe('counts of the proxy of proxy');
    await expect(source.read()).rejects.toMatchObject({ problems: [{ code: 'no-proxy' }] });
    expect(() => open({ source: 'proxy' })).toThrow(TypeError);
  });
});
