import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import type { Answer } from '../protocol.ts';
import type { Clock } from './clock.ts';
import { latencyChecks, latencyFigure, requestsFor } from './latency-check.ts';
import { type Load, loadCalls } from './load-generator.ts';

const shape = { mode: 'closed', concurrency: 4, durationMs: 10_000 } as const;
const loadOf = (latenciesMs: readonly number[], failures: Load['failures'] = []): Load => ({
  latenciesMs,
  failures,
  sent: latenciesMs.length + failures.reduce((sum, { count }) => sum + count, 0),
});
const statusesOf = (
  load: Load,
  policy: Parameters<typeof latencyChecks>[2],
  level: number | 'off' = 0.9,
  maxErrorShare = 0,
) =>
  Object.fromEntries(
    latencyChecks(load, shape, policy, { level, maxErrorShare, placeOf: (key) => ({ key }) }).map(({ id, status }) => [
      id.slice('smoke/latency/'.length),
      status,
    ]),
  );
const rising = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('latency under load', () => {
  test('is decided by its interval', () => {
    const load = loadOf(rising(1000));
    expect(statusesOf(load, { p50_ms: 600 })).toEqual({ errors: 'pass', p50_ms: 'pass' });
    expect(statusesOf(load, { p50_ms: 400 })).toEqual({ errors: 'pass', p50_ms: 'fail' });
    expect(statusesOf(load, { p50_ms: 501 })).toEqual({ errors: 'pass', p50_ms: 'inconclusive' });
    expect(statusesOf(load, { p50_ms: 501 }, 'off')).toEqual({ errors: 'pass', p50_ms: 'pass' });
  });

  test.each([
    ['p50_ms', 11],
    ['p95_ms', 200],
    ['p99_ms', 662],
  ] as const)('%s is claimed from %d requests on', (key, least) => {
    expect(requestsFor({ [key]: 1 })).toBe(least);
    expect(statusesOf(loadOf(rising(least - 1)), { [key]: 1e6 })).toMatchObject({ [key]: 'inconclusive' });
    expect(statusesOf(loadOf(Array<number>(least).fill(1)), { [key]: 2 }, 'off')).toMatchObject({ [key]: 'pass' });
  });

  test('one request that failed breaks the bound of none', () => {
    const load = loadOf(rising(1000), [{ said: '500 oops', count: 1 }]);
    expect(statusesOf(load, { p50_ms: 600 })).toMatchObject({ errors: 'fail' });
    expect(statusesOf(load, { p50_ms: 600 }, 0.9, 0.01)).toMatchObject({ errors: 'pass' });
    expect(statusesOf(load, { p50_ms: 600 }, 0.9, 0.001)).toMatchObject({ errors: 'inconclusive' });
  });

  test('a load that sent nothing judges nothing', () => {
    expect(statusesOf(loadOf([]), { p50_ms: 1 })).toEqual({ errors: 'error', p50_ms: 'inconclusive' });
    expect(latencyFigure(loadOf([]))).toEqual([]);
  });

  test('a slower server is never judged better', () => {
    const order = ['fail', 'inconclusive', 'pass'];
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 100, noNaN: true }), { minLength: 11, maxLength: 60 }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (times, slower, bound) => {
          const one = statusesOf(loadOf(times), { p50_ms: bound })['p50_ms'] ?? '';
          const other = statusesOf(loadOf(times.map((time) => time + slower)), { p50_ms: bound })['p50_ms'] ?? '';
          expect(order.indexOf(other)).toBeLessThanOrEqual(order.indexOf(one));
        },
      ),
    );
  });
});

/** Time that passes only in answers and waits, one after the other. */
function fakeClock(): Clock & { pass(milliseconds: number): void } {
  let now = 0;
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { now: () => now, random: () => 0, pass, sleep: async (milliseconds) => pass(milliseconds) };
}

describe('load over a protocol of its own', () => {
  test('in a closed loop every caller sends until the time is over', async () => {
    const clock = fakeClock();
    const send = async (): Promise<Answer<unknown>> => {
      clock.pass(10);
      return { status: 200, milliseconds: 10 };
    };
    const load = await loadCalls(send, { mode: 'closed', concurrency: 2, durationMs: 100 }, clock);
    expect(load.latenciesMs).toEqual(Array(load.sent).fill(10));
    expect(load.sent).toBeGreaterThanOrEqual(10);
    expect(load.sent).toBeLessThanOrEqual(11);
  });

  test('in an open loop a time counts from when the request was due, so a stall is not hidden', async () => {
    const clock = fakeClock();
    let sent = 0;
    const send = async (): Promise<Answer<unknown>> => {
      // The first one stalls the whole server for a second.
      clock.pass(sent++ === 0 ? 1000 : 1);
      return { status: 200, milliseconds: 1 };
    };
    const { latenciesMs } = await loadCalls(send, { mode: 'open', rate: 10, durationMs: 500 }, clock);
    expect(latenciesMs).toHaveLength(5);
    // Due at 0, 100, ... 400 ms, and none could leave before 1000 ms.
    expect(Math.min(...latenciesMs)).toBeGreaterThanOrEqual(600);
  });

  test('refusals and losses are counted by what came back', async () => {
    const clock = fakeClock();
    const send = async (index: number): Promise<Answer<unknown>> => {
      clock.pass(10);
      if (index % 2 === 0) return { status: 503, refusal: 'busy', milliseconds: 1 };
      throw new PeerError({ code: 'timeout', message: 'no answer in time', fix: 'Wait.' });
    };
    const load = await loadCalls(send, { mode: 'closed', concurrency: 1, durationMs: 40 }, clock);
    expect(load.latenciesMs).toEqual([]);
    expect(load.failures).toEqual([
      { said: '503 busy', count: 2 },
      { said: 'no answer in time. Wait.', count: 2 },
    ]);
  });
});
