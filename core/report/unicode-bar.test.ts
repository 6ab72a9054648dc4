import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from '../statistics/index.ts';
import type { Check } from './check.ts';
import { unicodeBar } from './unicode-bar.ts';

function check(lower: number, estimate: number, upper: number, bound: Check['bound']): Check {
  return {
    id: 'x',
    title: 'x',
    section: 'gate',
    status: 'pass',
    message: '',
    ...(bound === undefined ? {} : { bound }),
    evidence: { estimate, lower, upper, level: 0.9, method: 'Wilson', n: 10 },
  };
}

test.each([
  [check(0.85, 0.87, 0.89, { kind: 'min', value: 0.9 }), '   ├────●─────┤ ┃'],
  [check(0.91, 0.93, 0.95, { kind: 'min', value: 0.9 }), '   ┃ ├─────●────┤'],
  [check(0.88, 0.9, 0.92, { kind: 'min', value: 0.9 }), '   ├──────◆─────┤'],
  [check(0.88, 0.9, 0.92, undefined), '   ├──────●─────┤'],
  [check(1, 1, Infinity, { kind: 'max', value: 5 }), '   ●────────────╂─►'],
  [check(0.9, 0.9, 0.9, { kind: 'min', value: 0.9 }), ''],
])('draws %j as %s', (found, bar) => {
  expect(unicodeBar(found)).toBe(bar);
});

test('the bound stands inside the brackets exactly when the decision is inconclusive', () => {
  const value = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.tuple(value, value, value),
      value,
      fc.constantFrom('min' as const, 'max' as const),
      (three, bound, kind) => {
        const [lower = 0, estimate = 0, upper = 0] = [...three].sort((a, b) => a - b);
        fc.pre(lower < upper);
        const bar = unicodeBar(check(lower, estimate, upper, { kind, value: bound }));
        const decision = decide({ kind, value: bound }, { lower, estimate, upper, level: 0.9, method: '', n: 1 });
        expect(bar.includes('┃')).toBe(decision !== 'inconclusive');
        expect(Array.from(bar).length).toBeLessThanOrEqual(20);
        // Left of the bracket means below the interval: a pass at `min`, a failure at `max`.
        if (bar.includes('┃'))
          expect(bar.indexOf('┃') < bar.search(/[├●◆]/)).toBe((decision === 'pass') === (kind === 'min'));
      },
    ),
    { numRuns: 2000 },
  );
});
