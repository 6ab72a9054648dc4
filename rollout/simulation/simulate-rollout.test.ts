import { describe, expect, test } from 'vitest';
import { analysisSettings, openAnalysis } from '../analysis/index.ts';
import { simulateRollout, summarised } from './simulate-rollout.ts';
import { SimulatedTraffic } from './simulated-traffic.ts';
import { trafficShapes } from './traffic-shape.ts';

const policy = {
  analyst: openAnalysis(analysisSettings()),
  strategy: { kind: 'steps', weights: [5, 25, 50] },
  lookEvery: 5000,
  warmUp: 60_000,
  minStage: 60_000,
  deadline: 3_600_000,
  history: 1_200_000,
} as const;

function shapeOf(name: string) {
  const found = trafficShapes.find((shape) => shape.name === name);
  if (found === undefined) throw new Error(`there is no shape ${name}`);
  return found;
}

describe('a simulated rollout', () => {
  test('is the same for the same seed, and another for another', () => {
    const shape = shapeOf('errors-2');
    expect(simulateRollout(policy, shape, 'a')).toEqual(simulateRollout(policy, shape, 'a'));
    expect(simulateRollout(policy, shape, 'a')).not.toEqual(simulateRollout(policy, shape, 'b'));
  });

  test.each(['healthy', 'incident', 'cold-start', 'counter-reset', 'missing-series', 'over-dispersed'])(
    'of the healthy shape %s is promoted',
    (name) => {
      const rollouts = [0, 1, 2].map((seed) => simulateRollout(policy, shapeOf(name), `${seed}`));
      expect(rollouts.map(({ outcome, weight }) => [outcome, weight])).toEqual(rollouts.map(() => ['promoted', 50]));
    },
  );

  test.each(['errors-2', 'errors-5', 'over-dispersed-errors-2'])('of the shape %s is rolled back', (name) => {
    const rollouts = [0, 1, 2].map((seed) => simulateRollout(policy, shapeOf(name), `${seed}`));
    for (const { outcome, harmed, requests } of rollouts) {
      expect(outcome).toBe('rolled-back');
      expect(harmed).toBeGreaterThan(0);
      expect(harmed).toBeLessThan(requests);
    }
  });

  test('of slower answers is rolled back by latency', () => {
    const latency = { ...policy, analyst: openAnalysis(analysisSettings({ errors: false, latency: { sloMs: 100 } })) };
    expect(simulateRollout(latency, shapeOf('latency-20'), 'a').outcome).toBe('rolled-back');
    expect(simulateRollout(latency, shapeOf('latency-healthy'), 'a').outcome).toBe('promoted');
  });

  test('without traffic neither passes nor goes back', () => {
    expect(simulateRollout(policy, shapeOf('no-traffic'), 'a')).toMatchObject({
      outcome: 'expired',
      requests: 0,
      harmed: 0,
      weight: 5,
    });
  });

  test('goes faster to larger weights when the risk may be larger', () => {
    const adaptive = (risk: number) =>
      simulateRollout(
        { ...policy, strategy: { kind: 'adaptive', risk, startWeight: 1, maxWeight: 50, growth: 2 } },
        shapeOf('healthy'),
        'a',
      );
    expect(adaptive(500).outcome).toBe('promoted');
    expect(adaptive(500).seconds).toBeLessThanOrEqual(adaptive(20).seconds);
  });
});

describe('simulated traffic', () => {
  test('shares requests out by weight and counts them up', () => {
    const traffic = new SimulatedTraffic(shapeOf('healthy'), 'a');
    const windows = Array.from({ length: 100 }, (_, look) => traffic.advance(5, look * 5, 10));
    const reading = traffic.read(0);
    const counted = (series: readonly { readonly requests: number }[]): number =>
      series.reduce((sum, { requests }) => sum + requests, 0);
    expect(counted(reading.canary)).toBe(5000);
    expect(counted(reading.baseline)).toBe(45_000);
    const errors = windows.reduce((sum, { baseline }) => sum + baseline.errors, 0);
    expect(errors / 45_000).toBeCloseTo(0.01, 2);
  });

  test('of every shape has a name of its own and words for people', () => {
    expect(new Set(trafficShapes.map(({ name }) => name)).size).toBe(trafficShapes.length);
    expect(trafficShapes.every(({ says }) => says.length > 10)).toBe(true);
  });

  test("takes a fifth of the baseline's 95th percentile longer where the shape says so", () => {
    const traffic = new SimulatedTraffic(shapeOf('latency-20'), 'a');
    for (let look = 0; look < 200; look++) traffic.advance(5, look * 5, 50);
    const slow = (arm: 'canary' | 'baseline'): number => {
      const histograms = traffic.read(0)[arm].flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
      const at = (edge: number) =>
        histograms.reduce((sum, { edges, cumulative }) => sum + (cumulative[edges.indexOf(edge)] ?? 0), 0);
      return 1 - at(0.1) / at(Number.POSITIVE_INFINITY);
    };
    // Of a log-normal with spread 0.5 whose p95 is 100 ms; a fifth longer: 1 - Phi(1.645 - ln(1.2) / 0.5) = 10.0 %.
    expect(slow('baseline')).toBeCloseTo(0.05, 2);
    expect(slow('canary')).toBeCloseTo(0.1, 2);
  });
});

test('rollouts in short are medians of those that ended so, and means of all', () => {
  const rollout = { seconds: 100, requests: 10, harmed: 1, looks: 20, weight: 5 };
  expect(
    summarised('healthy', [
      { ...rollout, outcome: 'promoted' },
      { ...rollout, outcome: 'rolled-back', seconds: 30, harmed: 2 },
      { ...rollout, outcome: 'rolled-back', seconds: 50, harmed: 3 },
      { ...rollout, outcome: 'rolled-back', seconds: 900, harmed: 6 },
    ]),
  ).toEqual({
    shape: 'healthy',
    rollouts: 4,
    rolledBack: 3,
    promoted: 1,
    expired: 0,
    secondsToRollback: 50,
    requestsToRollback: 10,
    secondsToPromote: 100,
    harmed: 3,
    requests: 10,
  });
});
