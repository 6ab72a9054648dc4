import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Minute, MinuteCounts, minute } from './minute-counts.ts';

const noon = Date.parse('2026-01-02T12:00:00Z');
const at = (minutes: number): number => noon + minutes * minute;
const begun = (edges: readonly number[] = []) => {
  const counts = new MinuteCounts('green', edges);
  counts.span(at(0) + 30_000);
  return counts;
};

describe('counts by the minute, added up', () => {
  test('are asked for in whole minutes that are over, and again while they may grow', () => {
    const counts = new MinuteCounts('green', []);
    expect(counts.span(at(0) + 59_999)).toEqual({ from: at(-10), to: at(0) });
    expect(counts.span(at(1))).toEqual({ from: at(-9), to: at(1) });
    expect(counts.span(at(30))).toEqual({ from: at(20), to: at(30) });
  });

  test('are none until a request was seen, and from then on a minute without data is one without requests', () => {
    const counts = begun();
    counts.add(new Map([[at(-1), { requests: 0, errors: 0 }]]));
    expect(counts.counts(at(0))).toBeUndefined();
    counts.add(new Map([[at(0), { requests: 5, errors: 1 }]]));
    expect(counts.counts(at(1))).toEqual({ id: 'green since 2026-01-02T11:50Z', requests: 5, errors: 1, at: at(1) });
    counts.add(new Map());
    expect(counts.counts(at(2))).toMatchObject({ requests: 5, errors: 1, at: at(2) });
  });

  test('grow by what comes late', () => {
    const counts = begun([0.1]);
    counts.add(new Map([[at(0), { requests: 5, errors: 0, timed: 5, within: [4] }]]));
    counts.add(new Map([[at(0), { requests: 9, errors: 2, timed: 9, within: [6] }]]));
    expect(counts.counts(at(1))).toMatchObject({ requests: 9, errors: 2, latency: { cumulative: [6, 9] } });
  });

  test('never fall, never count a minute twice, and have histograms that rise, whatever is answered', () => {
    const anyMinute: fc.Arbitrary<Minute> = fc.record({
      requests: fc.oneof(fc.nat(100), fc.constant(Number.NaN), fc.constant(-3)),
      errors: fc.nat(100),
      timed: fc.nat(100),
      within: fc.array(fc.nat(100), { minLength: 0, maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.integer({ min: -15, max: 3 }), anyMinute), { maxLength: 8 }), { maxLength: 40 }),
        (looks) => {
          const counts = begun([0.1, 0.2]);
          const most = new Map<number, number>();
          let before = { requests: 0, errors: 0, timed: 0 };
          for (const [look, found] of looks.entries()) {
            const minutes = new Map(found.map(([offset, each]) => [at(look + offset), each] as const));
            counts.span(at(look));
            counts.add(minutes);
            // As a source asks it: never for minutes that are long past.
            for (const [when, { requests }] of minutes) {
              if (when >= at(-10)) most.set(when, Math.max(most.get(when) ?? 0, requests > 0 ? requests : 0));
            }
            const seen = counts.counts(at(look));
            if (seen === undefined) continue;
            const { requests, errors, latency } = seen;
            const cumulative = latency?.cumulative ?? [];
            expect(cumulative.toSorted((one, other) => one - other)).toEqual(cumulative);
            expect(errors).toBeLessThanOrEqual(requests);
            expect(requests).toBeGreaterThanOrEqual(before.requests);
            expect(cumulative.at(-1) ?? 0).toBeGreaterThanOrEqual(before.timed);
            before = { requests, errors, timed: cumulative.at(-1) ?? 0 };
          }
          const all = [...most.values()].reduce((sum, each) => sum + each, 0);
          expect(counts.counts(at(99))?.requests ?? 0).toBe(all);
        },
      ),
      { numRuns: 200 },
    );
  });
});
