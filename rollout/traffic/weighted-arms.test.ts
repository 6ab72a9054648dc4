import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canaryWeight, finishedList, listBefore, type WeightedList, withCanaryWeight } from './weighted-arms.ts';

interface Entry {
  readonly name: string;
  readonly weight?: number | undefined;
  readonly note?: string;
}

function listOf(entries: readonly Entry[], adds = true): WeightedList<Entry> {
  return {
    entries,
    name: ({ name }) => name,
    isBaseline: ({ name }) => name === 'old',
    isCanary: ({ name }) => name === 'new',
    weight: ({ weight }) => weight ?? (entries.length === 1 ? 100 : 0),
    withWeight: ({ weight: _, ...entry }, weight) => (weight === undefined ? entry : { ...entry, weight }),
    newCanary: adds ? (baseline) => ({ ...baseline, name: 'new' }) : undefined,
  };
}
const asItWas = (list: WeightedList<Entry>) => listBefore(list, ({ weight }) => weight);

const idle = fc.record({ name: fc.constantFrom('a', 'b'), weight: fc.constant(0) });
/** As users write them: the baseline has everything, the canary is there or not, others get nothing. */
const lists = fc
  .record({
    others: fc.array(idle, { maxLength: 2 }),
    baseline: fc.constantFrom<Entry>({ name: 'old', weight: 100, note: 'kept' }, { name: 'old', weight: 1 }),
    canary: fc.boolean(),
  })
  .map(({ others, baseline, canary }) => [...others, baseline, ...(canary ? [{ name: 'new', weight: 0 }] : [])]);
const percents = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 });

describe('a list of weighted arms', () => {
  test('has the weight that it was given, over any course of weights', () => {
    fc.assert(
      fc.property(lists, percents, (entries, course) => {
        const known = asItWas(listOf(entries));
        let now: readonly Entry[] = entries;
        for (const percent of course) {
          now = withCanaryWeight(listOf(now), percent, known);
          expect(canaryWeight(listOf(now))).toBe(percent);
        }
      }),
    );
  });

  test('is as it was after a rollback, from wherever the rollout was, however often it is told', () => {
    fc.assert(
      fc.property(lists, percents, (entries, course) => {
        const known = asItWas(listOf(entries));
        let now: readonly Entry[] = entries;
        for (const percent of course) now = withCanaryWeight(listOf(now), percent, known);
        const once = finishedList(listOf(now), 'rolled-back', known);
        expect(canaryWeight(listOf(once))).toBe(0);
        // Without what was known, as after a crash between the two: the same.
        expect(finishedList(listOf(once), 'rolled-back', undefined)).toEqual(once);
        if (!known.canary) expect(once).toEqual(entries);
        expect(once.filter(({ name }) => name !== 'old')).toEqual(entries.filter(({ name }) => name !== 'old'));
      }),
    );
  });

  test('gives the canary everything after a promotion, however often it is told', () => {
    fc.assert(
      fc.property(lists, percents, (entries, course) => {
        const known = asItWas(listOf(entries));
        let now: readonly Entry[] = entries;
        for (const percent of [...course, 100]) now = withCanaryWeight(listOf(now), percent, known);
        const once = finishedList(listOf(now), 'promoted', known);
        expect(once.some(({ name }) => name === 'old')).toBe(known.canary);
        expect(once.find(({ name }) => name === 'new')?.weight).toBe(known.canary ? 100 : known.weight);
        expect(finishedList(listOf(once), 'promoted', undefined)).toEqual(once);
      }),
    );
  });

  test.each([
    ['neither arm', [{ name: 'a', weight: 100 }], 'no-arms'],
    ['nobody at all', [], 'no-arms'],
    [
      'a third with a share',
      [
        { name: 'old', weight: 90 },
        { name: 'a\n::x', weight: 10 },
      ],
      'third-target',
    ],
  ])('with %s is refused, on one line', (_, entries, code) => {
    let thrown: unknown;
    try {
      canaryWeight(listOf(entries));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ problems: [{ code, fix: expect.stringMatching(/\S/) }] });
    expect(String(thrown)).not.toContain('\n');
  });

  test('without the baseline cannot be shared, and without a way to add the canary says so', () => {
    const onlyNew = listOf([{ name: 'new', weight: 100 }]);
    expect(() => withCanaryWeight(onlyNew, 50, { canary: true })).toThrow('the baseline is not listed');
    const fixed = listOf([{ name: 'old', weight: 100 }], false);
    expect(() => withCanaryWeight(fixed, 5, { canary: true })).toThrow('the canary is not listed');
  });
});
