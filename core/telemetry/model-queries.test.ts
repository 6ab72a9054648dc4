import { describe, expect, test } from 'vitest';
import {
  cacheHitRatio,
  classShare,
  cpuThrottling,
  errorRate,
  gpuMemoryShare,
  isNoQuery,
  kullbackLeibler,
  modelGauge,
  modelMissing,
  outputQuantile,
  populationStability,
  predictionShares,
  qualityMetrics,
  recordedSeries,
  resourceSeries,
  resourceUsed,
  servingMetrics,
  servingProfiles,
  slowRates,
  versionSkew,
  versionsInUse,
} from './index.ts';

const { sluice, triton, vllm, kserve } = servingProfiles;
const churn = { selector: { model: 'churn', version: '3' }, window: '5m' };

function text(query: object): string {
  if (isNoQuery(query)) throw new Error(`${query.reason} ${query.fix}`);
  return 'expr' in query ? String(query.expr) : '';
}

describe('the vocabulary', () => {
  test('has no name twice, and each with a sentence', () => {
    const definitions = [...Object.values(servingMetrics), ...Object.values(qualityMetrics)];
    const names = [
      ...definitions.map(({ name }) => name),
      ...Object.values(resourceSeries).map(({ series }) => series),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const { help, kind, name } of definitions) {
      expect(help).toMatch(/^[A-Z1].*\.$/);
      expect(kind === 'counter').toBe(name.endsWith('_total'));
    }
  });

  test('names recorded series by level, metric and operation', () => {
    expect(recordedSeries('errorRatio', '1h')).toBe('model:request_errors:ratio_rate1h');
    expect(recordedSeries('predictionPsi', '30m')).toMatch(/^[a-z_]+:[a-z_]+:[a-z_]+30m$/);
  });
});

describe('questions about models and what they run on', () => {
  test('select by model and version', () => {
    for (const query of [
      cacheHitRatio(churn),
      classShare(churn),
      outputQuantile(0.5, churn),
      modelGauge('ready', 'min', churn),
    ])
      expect(text(query)).toContain('{model_name="churn",model_version="3"');
  });

  test('ask of a counter how fast it grows and of a gauge where it stands, in plain units', () => {
    expect(text(resourceUsed('cpuUsed', { window: '5m' }))).toBe(
      'sum(rate(container_cpu_usage_seconds_total{container!="",container!="POD"}[5m]))',
    );
    expect(text(resourceUsed('gpuUtilization', { window: '5m', by: ['pod'] }))).toBe(
      'avg by (pod) (DCGM_FI_DEV_GPU_UTIL) * 0.01',
    );
    expect(gpuMemoryShare({ window: '5m' })).toMatchObject({ unit: 'ratio' });
    expect(cpuThrottling({ window: '5m' })).toMatchObject({ unit: 'ratio' });
  });

  test('cannot ask by model what is only counted by pod', () => {
    expect(resourceUsed('memoryUsed', churn)).toMatchObject({
      reason: "The cluster's series have no label for the model",
    });
  });
});

describe('what recording rules ask', () => {
  test('are the parts of the error ratio and of the share within a threshold', () => {
    expect(text(errorRate(sluice, churn))).toContain(' or ');
    expect(isNoQuery(errorRate(kserve, churn))).toBe(true);
    const slow = slowRates(sluice, 0.3, churn);
    if (isNoQuery(slow)) throw new Error(slow.reason);
    expect(slow.threshold).toBe(0.25);
    expect(slow.slow.expr).toContain('le="0.25"');
    expect(slow.timed.expr).not.toContain('le=');
    expect(slowRates(triton, 0.01, churn)).toMatchObject({ reason: expect.stringContaining('lowest bucket') });
  });

  test('find the share of every bin: one term a bucket, none with a bound twice', () => {
    const shares = predictionShares({ window: '1h', by: ['model', 'version'] });
    if (isNoQuery(shares)) throw new Error(shares.reason);
    const bins = [...shares.share.matchAll(/"bin", "(<=[^"]+)"/g)].map(([, bin]) => bin);
    expect(bins.length).toBe(servingMetrics.predictionValue.buckets.length + 1);
    expect(new Set(bins).size).toBe(bins.length);
    expect(shares.labels).toEqual(['model_name', 'model_version', 'output']);
  });

  test('divergences answer nothing where either side is missing', () => {
    const pair = { now: 'p', reference: 'q', by: ['output'] };
    for (const expr of [populationStability(pair), kullbackLeibler(pair)])
      expect(expr).toMatch(/and on\(output\) sum by \(output\) \(p\) and on\(output\) sum by \(output\) \(q\)$/);
  });
});

describe('what is there and what is not', () => {
  test('a model of ours is missing when it shows no readiness, any other when its targets are down', () => {
    expect(text(modelMissing(sluice, { model: 'churn' }))).toBe('absent(model_ready{model_name="churn"})');
    expect(text(modelMissing(vllm, { model: 'llama', namespace: 'shop' }))).toBe('absent(up{namespace="shop"} == 1)');
    expect(modelMissing(vllm, { model: 'llama' })).toMatchObject({ fix: expect.stringContaining('namespace') });
  });

  test('versions are compared where the server names them', () => {
    expect(text(versionSkew(triton, { by: ['model'] }))).toContain('group_left()');
    expect(versionSkew(vllm, { by: ['model'] })).toMatchObject({ reason: expect.stringContaining('version') });
    expect(text(versionsInUse(triton, { by: ['model'], window: '1h' }))).toContain(' > 0 or ');
  });
});
