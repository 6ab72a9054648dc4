import { describe, expect, it } from 'vitest';
import { headOnly, parsePolicy } from '../../core/policy/index.ts';
import { randomOf } from '../../core/statistics/index.ts';
import { latencyChecks } from './latency-gate.ts';
import { measureLatency, type Plan, type Stopwatch } from './latency-measurement.ts';
import { checkOf } from './scene.ts';

interface Machine {
  /** Milliseconds of a call of the candidate's and the baseline's sessions, the n-th opened. */
  readonly candidate: (session: number) => number;
  readonly baseline?: (session: number) => number;
  /** What the machine does to a call at a time: 1 is nothing. */
  readonly slowdown?: (now: number) => number;
  /** Milliseconds to load a model. */
  readonly load?: number;
}

/** A clock that moves only while a model runs: the same measurement on every run of the test. */
function machine({
  candidate,
  baseline,
  slowdown = () => 1,
  load = 0,
}: Machine): Stopwatch & { readonly opened: string[][] } {
  let now = 0;
  const random = randomOf('machine');
  const opened: string[][] = [];
  const sessions = { candidate: 0, baseline: 0 };
  let costs = new Map<string, () => number>();
  return {
    compares: baseline !== undefined,
    async open(sides) {
      opened.push([...sides]);
      costs = new Map();
      for (const side of sides) {
        const name = side === 'candidate' ? 'candidate' : 'baseline';
        const cost = name === 'candidate' ? candidate : (baseline ?? (() => Number.NaN));
        const session = ++sessions[name];
        now += load;
        costs.set(side, () => cost(session));
      }
    },
    async time({ rounds, calls, milliseconds }) {
      const start = now;
      const visits: number[][] = [];
      for (const [round, seats] of rounds.entries()) {
        if (round > 0 && now - start > milliseconds) break;
        for (const seat of seats) {
          visits.push(
            Array.from({ length: calls }, () => {
              const took = (costs.get(seat)?.() ?? Number.NaN) * slowdown(now) * (1 + 0.1 * random.unit());
              now += took;
              return took;
            }),
          );
        }
      }
      return visits;
    },
    now: () => now,
    opened,
  };
}

function judge(gates: string, of: Machine, options: { readonly end?: string; readonly plan?: Partial<Plan> } = {}) {
  const policy = headOnly(
    parsePolicy(
      `version: 1\nmodel: { path: m.onnx }\ngates: { latency: { ${gates} } }\n${options.end ?? ''}`,
      'sluice.yaml',
    ),
  );
  const level = policy.policy.evidence ?? 0.9;
  const noBaseline = { kind: 'absent', why: 'There is no baseline' } as const;
  return latencyChecks(policy, machine(of), {
    noBaseline,
    level,
    seed: 'x',
    ...(options.plan === undefined ? {} : { plan: options.plan }),
  });
}

const regression = 'gate/latency/max_regression';

describe('the comparison with the baseline', () => {
  it('passes a candidate as fast and fails one a quarter slower', async () => {
    const of = async (cost: number) =>
      checkOf(await judge('max_regression: 10%', { candidate: () => cost, baseline: () => 1 }), regression);
    expect(await of(1)).toMatchObject({
      status: 'pass',
      evidence: { against: { kind: 'max', value: 1.1 }, unit: 'ratio' },
    });
    expect(await of(1.25)).toMatchObject({ status: 'fail', unit: 'ms', bound: { relative: true, value: 0.1 } });
  });

  it('is not misled by a machine that slows down while it measures', async () => {
    const of = { candidate: () => 1, baseline: () => 1, slowdown: (now: number) => 1 + now / 200 };
    expect(checkOf(await judge('max_regression: 10%', of), regression).status).toBe('pass');
  });

  it('is not misled by bursts that triple some calls', async () => {
    const of = {
      candidate: () => 1.25,
      baseline: () => 1,
      slowdown: (now: number) => (Math.floor(now / 25) % 4 === 0 ? 3 : 1),
    };
    expect(checkOf(await judge('max_regression: 10%', of), regression).status).toBe('fail');
  });

  it('stays open on a machine where the baseline differs from itself', async () => {
    // The control is the second session of the first pair, the first of the second, and so on.
    const of = { candidate: () => 1.5, baseline: (session: number) => ([2, 3].includes(session % 4) ? 1.3 : 1) };
    const check = checkOf(await judge('max_regression: 10%', of, { plan: { budget: 1e9 } }), regression);
    expect(check.status).toBe('inconclusive');
    expect(check.message).toContain('unfit');
  });

  it('stays open when the time allows too few rounds', async () => {
    const of = { candidate: () => 400, baseline: () => 400 };
    const check = checkOf(await judge('max_regression: 10%', of, { plan: { budget: 10_000 } }), regression);
    expect(check).toMatchObject({
      status: 'inconclusive',
      message: expect.stringContaining('the comparison needs 10'),
    });
  });

  it('is skipped without a baseline', async () => {
    const check = checkOf(await judge('max_regression: 10%', { candidate: () => 1 }), regression);
    expect(check).toMatchObject({ status: 'skipped', message: 'There is no baseline.' });
  });

  it('compares points when evidence is off', async () => {
    const of = { candidate: () => 1.101, baseline: () => 1 };
    const check = checkOf(await judge('max_regression: 10%', of, { end: 'evidence: off' }), regression);
    expect(check.evidence?.lower).toBe(check.evidence?.upper);
    expect(['pass', 'fail']).toContain(check.status);
  });
});

describe('the measurement', () => {
  const plan = { calls: 0, compare: true, settled: () => false, seed: 'x', budget: 60_000 };

  it('loads the sessions anew every ten rounds, in turned order', async () => {
    const clock = machine({ candidate: () => 1, baseline: () => 1 });
    const { rounds, candidate, baseline } = await measureLatency(clock, plan);
    expect(rounds).toBe(90);
    expect([candidate.length, baseline.length]).toEqual([540, 540]);
    expect(clock.opened).toHaveLength(9);
    expect(clock.opened.slice(0, 2)).toEqual([
      ['candidate', 'baseline', 'control'],
      ['control', 'baseline', 'candidate'],
    ]);
  });

  it('stops at the first look that settles it', async () => {
    const clock = machine({ candidate: () => 1, baseline: () => 1 });
    expect((await measureLatency(clock, { ...plan, settled: () => true })).rounds).toBe(30);
  });

  it('keeps to its time', async () => {
    const clock = machine({ candidate: () => 3, baseline: () => 3, load: 100 });
    await measureLatency(clock, { ...plan, calls: 1000, budget: 2000 });
    expect(clock.now()).toBeLessThan(2500);
  });

  it('makes the calls a percentile needs when the rounds made fewer', async () => {
    const { candidate, baseline } = await measureLatency(machine({ candidate: () => 1 }), { ...plan, calls: 662 });
    expect([candidate.length, baseline.length]).toEqual([662, 0]);
  });
});

describe('milliseconds', () => {
  it('only warn where the policy names no hardware, and fail where it does', async () => {
    const of = { candidate: () => 10 };
    expect(checkOf(await judge('p95_ms: 5', of), 'gate/latency/p95_ms').status).toBe('warn');
    expect(checkOf(await judge('p95_ms: 5, hardware: rig-1', of), 'gate/latency/p95_ms').status).toBe('fail');
    expect(checkOf(await judge('p95_ms: 20', of), 'gate/latency/p95_ms').status).toBe('pass');
  });

  it('claim no p99 from fewer than 662 calls, nor a p95 from fewer than 200', async () => {
    const of = { candidate: () => 60 };
    const bounds = 'p50_ms: 100, p95_ms: 100, p99_ms: 100, mean_ms: 100';
    const judgement = await judge(bounds, of, { plan: { budget: 10_000 } });
    const statuses = Object.fromEntries(judgement.checks.map(({ id, status }) => [id.split('/')[2], status]));
    expect(statuses).toEqual({ p50_ms: 'pass', p95_ms: 'inconclusive', p99_ms: 'inconclusive', mean_ms: 'pass' });
  });

  it('are drawn sorted, at most 500 a model', async () => {
    const { figures } = await judge('p99_ms: 100', { candidate: () => 1 });
    const [figure] = figures;
    const ms = figure?.kind === 'latency' ? (figure.series[0]?.ms ?? []) : [];
    expect(ms).toHaveLength(500);
    expect([...ms].sort((left, right) => left - right)).toEqual(ms);
  });
});
