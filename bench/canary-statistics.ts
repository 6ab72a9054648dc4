import {
  estimateNoise,
  type NoiseRecord,
  noNoiseRecord,
  type Random,
  randomOf,
  recordNoise,
  startErrorTest,
  updateErrorTest,
} from '../core/statistics/index.ts';
import { oracleGain } from './canary/oracle-test.ts';
import { historyOf, type RateNoise, type Traffic, windowsOf } from './canary/traffic.ts';
import type { Figures, Measurement, Table } from './measurement.ts';

/** The default: the chance of a false rollback over a whole rollout, and so the evidence that rolls back. */
const alpha = 0.01;
const threshold = -Math.log(alpha);
const looksAnHour = 720;

const independent: RateNoise = { kind: 'none' };
const gamma = (variance: number): RateNoise => ({ kind: 'gamma', variance });
const autoregressive = (variance: number): RateNoise => ({ kind: 'autoregressive', variance, correlation: 0.8 });

/** 100 requests a second, a look each 5 s, 1 % errors. */
const usual: Traffic = {
  requestsPerSecond: 100,
  secondsALook: 5,
  weightAt: () => 0.05,
  baselineRate: 0.01,
  canaryRateAt: () => 0.01,
  noise: independent,
};

/** Twelve minutes each at 5, 10, 25, 50 and 90 %. */
const steps = (look: number): number => [0.05, 0.1, 0.25, 0.5, 0.9][Math.min(4, Math.floor(look / 144))] ?? 0.9;

interface Healthy {
  readonly name: string;
  readonly traffic: Traffic;
  readonly historyWindows: number;
  readonly rollouts: number;
}

interface Faulty {
  readonly name: string;
  readonly traffic: Traffic;
  /** The look at which the fault begins. */
  readonly from: number;
}

/**
 * The evidence on errors of `core/statistics` over simulated rollouts: false rollbacks of healthy canaries, and what a fault costs
 * beside the sequential test that is told both rates and the noise. Seeded. All numbers are of the test alone, at alpha 0.01.
 */
export async function canaryStatistics(): Promise<Measurement> {
  const healthy = healthyRollouts().map((scenario) => ({ scenario, share: falseRollbacks(scenario) }));
  const faulty = faultyRollouts().map((scenario) => ({ scenario, found: costOf(scenario, 500) }));
  const worstOf = (kind: RateNoise['kind'] | 'any', history: boolean): number =>
    Math.max(
      ...healthy
        .filter(
          ({ scenario: { traffic, historyWindows } }) =>
            historyWindows > 0 === history && (kind === 'any' || traffic.noise.kind === kind),
        )
        .map(({ share }) => share),
    );
  const ratioOf = (kind: RateNoise['kind']): number =>
    Math.max(
      ...faulty
        .filter(({ scenario: { traffic, from } }) => traffic.noise.kind === kind && from === 0)
        .map(({ found }) => found.requests / found.oracle),
    );
  const json = {
    falseRollback: worstOf('none', true),
    falseRollbackOverdispersed: worstOf('gamma', true),
    falseRollbackAutocorrelated: worstOf('autoregressive', true),
    falseRollbackWithoutHistory: worstOf('any', false),
    ratioToOracle: ratioOf('none'),
    ratioToOracleOverdispersed: ratioOf('gamma'),
  } satisfies Figures;
  return {
    json,
    tables: [healthyTable(healthy), faultyTable(faulty)],
    bounds: [
      {
        text: `false rollback ${percent(json.falseRollback)} <= 1 %, independent requests`,
        holds: json.falseRollback <= alpha,
      },
      {
        text: `false rollback ${percent(json.falseRollbackOverdispersed)} <= 1 %, over-dispersed`,
        holds: json.falseRollbackOverdispersed <= alpha,
      },
      {
        text: `false rollback ${percent(json.falseRollbackAutocorrelated)} <= 1 %, autocorrelated`,
        holds: json.falseRollbackAutocorrelated <= alpha,
      },
      {
        text: `${json.ratioToOracle.toFixed(2)} <= 1.5 x the oracle's canary requests`,
        holds: json.ratioToOracle <= 1.5,
      },
      {
        text: `${json.ratioToOracleOverdispersed.toFixed(2)} <= 2 x an oracle that knows the noise`,
        holds: json.ratioToOracleOverdispersed <= 2,
      },
    ],
  };
}

function healthyRollouts(): Healthy[] {
  const noises: [string, RateNoise][] = [
    ['independent', independent],
    ['gamma 0.2', gamma(0.2)],
    ['gamma 0.5', gamma(0.5)],
    ['AR(1) 0.8, variance 0.2', autoregressive(0.2)],
    ['AR(1) 0.8, variance 0.5', autoregressive(0.5)],
  ];
  const weights: [string, Traffic['weightAt']][] = [
    ['5 %', () => 0.05],
    ['10 %', () => 0.1],
    ['50 %', () => 0.5],
    ['5 to 90 %', steps],
  ];
  const scenarios: Healthy[] = [];
  for (const [noiseName, noise] of noises) {
    for (const [weightName, weightAt] of weights) {
      scenarios.push({
        name: `1 % errors, ${noiseName}, weight ${weightName}`,
        traffic: { ...usual, weightAt, noise },
        historyWindows: looksAnHour,
        rollouts: 2000,
      });
    }
  }
  for (const [noiseName, noise] of [noises[0], noises[2], noises[4]].filter((entry) => entry !== undefined)) {
    for (const [rateName, rate, rollouts] of [
      ['0.1 %', 0.001, 2000],
      ['20 %', 0.2, 300],
    ] as const) {
      scenarios.push({
        name: `${rateName} errors, ${noiseName}, weight 10 %`,
        traffic: { ...usual, weightAt: () => 0.1, baselineRate: rate, canaryRateAt: () => rate, noise },
        historyWindows: looksAnHour,
        rollouts,
      });
    }
    for (const [weightName, weightAt] of [weights[0], weights[2]].filter((entry) => entry !== undefined)) {
      scenarios.push({
        name: `1 % errors, ${noiseName}, weight ${weightName}, no history`,
        traffic: { ...usual, weightAt, noise },
        historyWindows: 0,
        rollouts: 2000,
      });
    }
  }
  return scenarios;
}

function faultyRollouts(): Faulty[] {
  const scenarios: Faulty[] = [];
  for (const [noiseName, noise] of [
    ['independent', independent],
    ['gamma 0.2', gamma(0.2)],
    ['gamma 0.5', gamma(0.5)],
  ] as const) {
    for (const weight of [0.05, 0.1]) {
      for (const rate of [0.015, 0.02, 0.05]) {
        scenarios.push({
          name: `${noiseName}, weight ${percent(weight)}, 1 -> ${percent(rate)}`,
          traffic: { ...usual, weightAt: () => weight, canaryRateAt: () => rate, noise },
          from: 0,
        });
      }
    }
  }
  for (const weight of [0.05, 0.5]) {
    scenarios.push({
      name: `independent, weight ${percent(weight)}, 1 -> 2 % after half an hour`,
      traffic: { ...usual, weightAt: () => weight, canaryRateAt: (look) => (look < looksAnHour / 2 ? 0.01 : 0.02) },
      from: looksAnHour / 2,
    });
  }
  return scenarios;
}

function recordedHistory(traffic: Traffic, random: Random, windows: number): NoiseRecord {
  let record = noNoiseRecord;
  for (const window of historyOf(traffic, random, windows)) record = recordNoise(record, window);
  return record;
}

/** The share of rollouts of an hour in which the evidence ever crossed the threshold. */
function falseRollbacks({ name, traffic, historyWindows, rollouts }: Healthy): number {
  let rolledBack = 0;
  for (let rollout = 0; rollout < rollouts; rollout++) {
    const random = randomOf(`${name} ${rollout}`);
    let record = recordedHistory(traffic, random, historyWindows);
    let test = startErrorTest();
    for (const window of windowsOf(traffic, random)) {
      test = updateErrorTest(test, window, estimateNoise(record));
      record = recordNoise(record, window.baseline);
      if (test.windows >= looksAnHour || test.logE >= threshold) break;
    }
    if (test.logE >= threshold) rolledBack++;
  }
  return rolledBack / rollouts;
}

interface Cost {
  readonly requests: number;
  readonly oracle: number;
  readonly withinAnHour: number;
}

/** The canary's mean requests from the fault to the rollback, to the end however long it takes, and the oracle's on the same windows. */
function costOf({ name, traffic, from }: Faulty, rollouts: number): Cost {
  const variance = traffic.noise.kind === 'none' ? 0 : traffic.noise.variance;
  let [requests, oracle, withinAnHour] = [0, 0, 0];
  for (let rollout = 0; rollout < rollouts; rollout++) {
    const random = randomOf(`${name} ${rollout}`);
    let record = recordedHistory(traffic, random, looksAnHour);
    let test = startErrorTest();
    let [look, known, ours, theirs] = [0, 0, 0, 0];
    for (const window of windowsOf(traffic, random)) {
      const waiting = { ours: test.logE < threshold, theirs: known < threshold };
      if (!waiting.ours && !waiting.theirs) break;
      if (waiting.ours) {
        test = updateErrorTest(test, window, estimateNoise(record));
        record = recordNoise(record, window.baseline);
        if (look >= from) ours += window.canary.requests;
        if (test.logE >= threshold && look < looksAnHour) withinAnHour++;
      }
      if (waiting.theirs && look >= from) {
        known += oracleGain(window.canary, traffic.baselineRate, traffic.canaryRateAt(look), variance);
        theirs += window.canary.requests;
      }
      look++;
    }
    requests += ours;
    oracle += theirs;
  }
  return { requests: requests / rollouts, oracle: oracle / rollouts, withinAnHour: withinAnHour / rollouts };
}

function healthyTable(results: readonly { readonly scenario: Healthy; readonly share: number }[]): Table {
  return {
    title: 'Healthy canaries, an hour with a look each 5 s: false rollbacks at alpha 0.01',
    rows: results.map(({ scenario, share }) => ({
      scenario: scenario.name,
      rollouts: scenario.rollouts,
      'rolled back': percent(share),
    })),
  };
}

function faultyTable(results: readonly { readonly scenario: Faulty; readonly found: Cost }[]): Table {
  return {
    title: "Faulty canaries: the canary's requests from the fault to the rollback, mean of 500 rollouts",
    rows: results.map(({ scenario, found }) => ({
      scenario: scenario.name,
      'rolled back within the hour': percent(found.withinAnHour),
      'canary requests': Math.round(found.requests),
      oracle: Math.round(found.oracle),
      ratio: (found.requests / found.oracle).toFixed(2),
    })),
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
