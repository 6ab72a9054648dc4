import { describe, expect, test } from 'vitest';
import { type AnalysisPolicy, analysisSettings, openAnalysis } from '../analysis/index.ts';
import type { MetricsSource, Reading } from '../metrics-source.ts';
import { simulateRollout, trafficShapes } from '../simulation/index.ts';
import { type PlannedTraffic, type PlanOptions, planCanary } from './canary-plan.ts';
import { measureTraffic } from './measure-traffic.ts';

const usual: PlannedTraffic = { requestsPerSecond: 100, errorRate: 0.01, slowShare: 0.01, noise: 0 };

function planned(
  traffic: Partial<PlannedTraffic> = {},
  policy: AnalysisPolicy = {},
  options: Partial<PlanOptions> = {},
) {
  return planCanary({
    analysis: analysisSettings(policy),
    strategy: { kind: 'steps', weights: [1, 5, 10, 25, 50] },
    lookEvery: 5000,
    warmUp: 60_000,
    minStage: 120_000,
    deadline: 6 * 3_600_000,
    history: 3_600_000,
    traffic: { ...usual, ...traffic },
    ...options,
  });
}

describe('the plan of a canary', () => {
  test('has every step, one after the other, and finds ever smaller faults', () => {
    const { stages, seconds, requests } = planned();
    expect(stages.map(({ weight }) => weight)).toEqual([1, 5, 10, 25, 50]);
    stages.forEach((stage, index) => {
      const before = stages[index - 1];
      expect(stage.startsAt).toBe(before === undefined ? 0 : before.startsAt + (before.lasts ?? Number.NaN));
      expect(stage.power).toBeGreaterThanOrEqual(before?.power ?? 0);
      expect(stage.detects ?? 1000).toBeLessThanOrEqual(before?.detects ?? 1000);
      expect(stage.excludes).toBeLessThanOrEqual(before?.excludes ?? 1);
      expect(stage.lasts).toBeGreaterThanOrEqual(120);
    });
    expect(seconds).toBe(stages.reduce((sum, { lasts = 0 }) => sum + lasts, 0));
    expect(requests).toBe(stages.reduce((sum, stage) => sum + stage.requests, 0));
  });

  test('comes near to what rollouts take, healthy ones and those that go back', () => {
    const { seconds = 0, faults } = planned();
    const policy = {
      analyst: openAnalysis(analysisSettings()),
      strategy: { kind: 'steps', weights: [1, 5, 10, 25, 50] },
      lookEvery: 5000,
      warmUp: 60_000,
      minStage: 120_000,
      deadline: 6 * 3_600_000,
      history: 3_600_000,
    } as const;
    const medianOf = (name: string, of: 'seconds' | 'harmed'): number => {
      const shape = trafficShapes.find((each) => each.name === name);
      if (shape === undefined) throw new Error(`there is no shape ${name}`);
      const values = Array.from({ length: 15 }, (_, seed) => simulateRollout(policy, shape, `plan ${seed}`)[of]);
      return values.toSorted((one, other) => one - other)[7] ?? Number.NaN;
    };
    expect(medianOf('healthy', 'seconds') / seconds).toBeGreaterThan(0.6);
    expect(medianOf('healthy', 'seconds') / seconds).toBeLessThan(1.6);
    const five = faults.find(({ ratio }) => ratio === 5);
    expect(medianOf('errors-5', 'seconds') / (five?.foundAfter ?? 0)).toBeGreaterThan(0.5);
    expect(medianOf('errors-5', 'seconds') / (five?.foundAfter ?? 0)).toBeLessThan(2);
  });

  test('takes longer with fewer requests, and says when it never passes', () => {
    expect(planned({ requestsPerSecond: 10 }).seconds).toBeGreaterThan(planned().seconds ?? Number.POSITIVE_INFINITY);
    const starved = planned({ requestsPerSecond: 0.5 });
    expect(starved.seconds).toBeUndefined();
    expect(starved.stages.at(-1)?.lasts).toBeUndefined();
    expect(starved.remarks.join(' ')).toMatch(/does not pass before its deadline/);
  });

  test('costs no more requests for a fault the larger it is', () => {
    const { faults } = planned();
    expect(faults.map(({ ratio }) => ratio)).toEqual([1.5, 2, 5, 10]);
    const requests = faults.map((fault) => fault.requests);
    expect(requests).toEqual(requests.toSorted((one, other) => other - one));
  });

  test('finds less where errors come in clusters', () => {
    const power = (noise: number) => planned({ noise }).stages.at(-1)?.power ?? 0;
    expect(power(0.5)).toBeLessThan(power(0));
  });

  test('of a baseline without errors still ends', () => {
    expect(planned({ errorRate: 0 }).seconds).toBeGreaterThan(0);
  });

  test('of every metric and of adaptive weights ends, too', () => {
    const policy: AnalysisPolicy = {
      latency: { sloMs: 100 },
      predictions: {},
      agreement: {},
      rewards: [{ name: 'value', maxLoss: 0.05 }],
    };
    const { seconds, remarks } = planned({}, policy);
    expect(seconds).toBeGreaterThan(0);
    expect(remarks).toHaveLength(4);
    const strategy = { kind: 'adaptive', risk: 100, startWeight: 1, maxWeight: 50, growth: 2 } as const;
    expect(planned({}, {}, { strategy }).stages.at(-1)?.weight).toBe(50);
  });
});

describe('traffic that is measured', () => {
  const sourceOf = (...readings: Reading[]): MetricsSource => ({
    name: 'test',
    title: 'two readings',
    read: async () => readings.shift() ?? { canary: [], baseline: [], remarks: [] },
    [Symbol.asyncDispose]: async () => {},
  });
  const counts = (at: number, requests: number, errors: number) => ({
    id: 'a',
    at,
    requests,
    errors,
    latency: { edges: [0.1, Number.POSITIVE_INFINITY], cumulative: [requests * 0.9, requests] },
  });

  test('is what both arms counted between two readings', async () => {
    const source = sourceOf(
      { canary: [], baseline: [counts(0, 1000, 10)], remarks: [] },
      { canary: [], baseline: [counts(1, 2000, 40)], remarks: [] },
    );
    const traffic = await measureTraffic(source, { milliseconds: 0, sloMs: 100, sleep: async () => {} });
    expect(traffic).toMatchObject({ errorRate: 0.03, noise: 0 });
    expect(traffic.slowShare).toBeCloseTo(0.1, 12);
    expect(traffic.requestsPerSecond).toBeGreaterThan(0);
  });

  test('cannot be told without requests', async () => {
    await expect(measureTraffic(sourceOf(), { milliseconds: 0, sleep: async () => {} })).rejects.toThrow(/no requests/);
  });
});
