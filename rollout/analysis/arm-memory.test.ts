import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeriesCounts } from '../metrics-source.ts';
import { type ArmMemory, armDifference, noMemory } from './arm-memory.ts';

const about = { arm: 'canary', warmUp: 60_000 };

/** Reads counts look by look, five seconds apart, and gives what the last one added. */
function readAll(looks: readonly (readonly SeriesCounts[])[], warmUp = 0) {
  let memory: ArmMemory = noMemory;
  let last = armDifference(memory, [], { ...about, warmUp, now: 0 });
  looks.forEach((counts, index) => {
    last = armDifference(memory, counts, { ...about, warmUp, now: 1000 + index * 5000 });
    memory = last.memory;
  });
  return last;
}

const pod = (at: number, requests: number, errors = 0, id = 'a', more: Partial<SeriesCounts> = {}): SeriesCounts => ({
  id,
  requests,
  errors,
  at: at * 5000,
  ...more,
});

describe('the counts of an arm between two looks', () => {
  test('begin at what a series shows first', () => {
    expect(readAll([[pod(0, 1_000_000, 500)]]).window).toMatchObject({ requests: 0, errors: 0 });
    expect(readAll([[pod(0, 1_000_000, 500)], [pod(1, 1_000_100, 503)]]).window).toMatchObject({
      requests: 100,
      errors: 3,
    });
  });

  test('count a restarted series from zero', () => {
    const { window, remarks } = readAll([[pod(0, 1000, 10)], [pod(1, 1500, 15)], [pod(2, 200, 7)]]);
    expect(window).toMatchObject({ requests: 200, errors: 7 });
    expect(remarks).toEqual(['canary a: began again from zero']);
  });

  test('see a restart by the errors alone', () => {
    expect(readAll([[pod(0, 10, 5)], [pod(1, 30, 9)], [pod(2, 35, 2)]]).window).toMatchObject({
      requests: 35,
      errors: 2,
    });
  });

  test('take a sum that lost a part for a new beginning, not for a restart', () => {
    const { window, remarks } = readAll([
      [pod(0, 1_000_000, 10_000)],
      [pod(1, 1_000_500, 10_005)],
      [pod(2, 750_000, 7500)],
    ]);
    expect(window).toMatchObject({ requests: 0, errors: 0 });
    expect(remarks).toEqual(['canary a: fell, by less than a restart would; counted from here on']);
  });

  test('learn nothing from counts of the same time, and count both windows at the next one', () => {
    const first = pod(0, 100, 1);
    const second = pod(1, 200, 2);
    const repeated = readAll([[first], [second], [second]]);
    expect([repeated.window.requests, repeated.fresh]).toEqual([0, false]);
    const late = readAll([[first], [second], [first]]);
    expect([late.window.requests, late.remarks]).toEqual([
      0,
      ['canary a: came late: its counts are older than those before'],
    ]);
    expect(readAll([[first], [second], [first], [pod(3, 330, 4)]]).window).toMatchObject({ requests: 130, errors: 2 });
  });

  test('leave out what is no number, and go on from what was known', () => {
    const looks = [[pod(0, 100, 1)], [pod(1, Number.NaN, 1)], [pod(2, 150, 4)]];
    expect(readAll(looks.slice(0, 2))).toMatchObject({
      window: { requests: 0 },
      remarks: ['canary a: its requests or errors are no counts; left out of this look'],
    });
    expect(readAll(looks).window).toMatchObject({ requests: 50, errors: 3 });
  });

  test('count a series that was gone from where it was', () => {
    const looks = [[pod(0, 100, 1), pod(0, 100, 1, 'b')], [pod(1, 110, 1)], [pod(2, 120, 1), pod(2, 140, 3, 'b')]];
    expect(readAll(looks.slice(0, 2)).remarks).toEqual(['canary b: is gone']);
    expect(readAll(looks).window).toMatchObject({ requests: 50, errors: 2 });
  });

  test('wait until a later series is warm, and count it from then on', () => {
    const looks = Array.from({ length: 16 }, (_, look) => [
      pod(look, 100 * (look + 1)),
      ...(look === 0 ? [] : [pod(look, 50 * look, 10 * look, 'b')]),
    ]);
    expect(readAll(looks.slice(0, 12), 60_000).window).toMatchObject({ requests: 100, errors: 0 });
    expect(readAll(looks, 60_000).window).toMatchObject({ requests: 150, errors: 10 });
  });

  test('let errors wait for their requests', () => {
    const looks = [[pod(0, 100, 0)], [pod(1, 101, 3)], [pod(2, 110, 3)]];
    expect(readAll(looks.slice(0, 2)).window).toMatchObject({ requests: 1, errors: 1 });
    expect(readAll(looks).window).toMatchObject({ requests: 9, errors: 2 });
  });

  test('leave out a series that is told twice', () => {
    expect(readAll([[pod(0, 10), pod(0, 20)]])).toMatchObject({
      memory: { series: [] },
      remarks: ['canary a: is there 2 times; left out'],
    });
  });

  test('take latencies, predictions and means apart, each from its own beginning', () => {
    const latency = (fast: number, all: number) => ({
      edges: [0.1, Number.POSITIVE_INFINITY],
      cumulative: [fast, all],
    });
    const looks = [
      [
        pod(0, 100, 0, 'a', {
          latency: latency(90, 100),
          predictions: { yes: 60 },
          means: { agreement: { sum: 9, count: 10 } },
        }),
      ],
      [
        pod(1, 120, 0, 'a', {
          latency: latency(105, 120),
          predictions: { yes: 70, no: 5, maybe: 900 },
          means: { agreement: { sum: 18, count: 20 } },
        }),
      ],
    ];
    expect(readAll(looks).window).toEqual({
      requests: 20,
      errors: 0,
      latency: { edges: [0.1], cumulative: [15], count: 20 },
      // "no" began in this window; "maybe" has a past that is nobody's window.
      predictions: [
        ['no', 5],
        ['yes', 10],
      ],
      means: [['agreement', { sum: 9, count: 10 }]],
    });
  });

  test('say so when a histogram is none', () => {
    const latency = { edges: [0.1, Number.POSITIVE_INFINITY], cumulative: [9, 4] };
    expect(readAll([[pod(0, 10, 0, 'a', { latency })]]).remarks).toEqual([
      'canary a: its latency is no histogram; left out',
    ]);
  });

  test('show the names of series only in a form that can be printed', () => {
    const id = '\u001b[31mred\n::error::';
    expect(readAll([[pod(0, Number.NaN, 0, id)]]).remarks.join('')).not.toMatch(/[\u0000-\u001f]/);
  });
});

/** What pods do in a look: requests and errors, a restart, or not being there. */
const happening = fc.record({
  requests: fc.integer({ min: 0, max: 200 }),
  failing: fc.integer({ min: 0, max: 200 }),
  restarts: fc.boolean(),
  missing: fc.boolean(),
  stale: fc.boolean(),
});
const lives = fc.array(fc.array(happening, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 30 });

describe('whatever pods do', () => {
  test('no request and no error is counted that did not happen, and never more errors than requests', () => {
    fc.assert(
      fc.property(lives, (looks) => {
        const truth = { requests: 0, errors: 0 };
        const counted = { requests: 0, errors: 0 };
        const pods = [0, 1, 2].map(() => ({ requests: 0, errors: 0, told: undefined as SeriesCounts | undefined }));
        let memory = noMemory;
        looks.forEach((events, look) => {
          const shown = events.flatMap((event, index): readonly SeriesCounts[] => {
            const own = pods[index];
            if (own === undefined) return [];
            if (event.restarts) Object.assign(own, { requests: 0, errors: 0 });
            const errors = Math.min(event.failing, event.requests);
            own.requests += event.requests;
            own.errors += errors;
            truth.requests += event.requests;
            truth.errors += errors;
            if (event.missing) return [];
            if (event.stale && own.told !== undefined) return [own.told];
            own.told = pod(look, own.requests, own.errors, `pod ${index}`);
            return [own.told];
          });
          const { window, memory: next } = armDifference(memory, shown, { ...about, warmUp: 0, now: look * 5000 });
          memory = next;
          counted.requests += window.requests;
          counted.errors += window.errors;
          expect(window.errors).toBeLessThanOrEqual(window.requests);
          expect(window.requests).toBeGreaterThanOrEqual(0);
        });
        expect(counted.requests).toBeLessThanOrEqual(truth.requests);
        expect(counted.errors).toBeLessThanOrEqual(truth.errors);
      }),
    );
  });

  test('the order in which series are told changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(500), fc.nat(500)), {
          minLength: 2,
          maxLength: 8,
        }),
        fc.nat(),
        (pods, turn) => {
          const told = (look: number): readonly SeriesCounts[] =>
            pods.map(([score, requests, errors], index) =>
              pod(look, requests * look, Math.min(errors, requests) * look, `pod ${index}`, {
                means: { reward: { sum: score * look, count: look } },
              }),
            );
          const turned = (counts: readonly SeriesCounts[]) => {
            const by = turn % counts.length;
            return [...counts.slice(by), ...counts.slice(0, by)].toReversed();
          };
          expect(readAll([turned(told(1)), turned(told(2))])).toEqual(readAll([told(1), told(2)]));
        },
      ),
    );
  });
});
