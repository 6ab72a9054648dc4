import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutByEdges, cutByValue, intersectionOf, subsetsOf } from './cut.ts';

const values = fc.array(fc.constantFrom<(string | null)[]>('KR', 'US', 'a=b', null), { minLength: 1, maxLength: 60 });
const numbers = fc.array(fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constant(Number.NaN)), {
  minLength: 60,
  maxLength: 60,
});

it('puts every row into exactly one part of an intersection, and its name says why', () => {
  fc.assert(
    fc.property(values, numbers, (texts, ages) => {
      const cut = intersectionOf([
        cutByValue('country', { values: texts }),
        cutByEdges('age', { values: Float64Array.from(ages.slice(0, texts.length)) }, [0, 5]),
      ]);
      const subsets = subsetsOf(cut);
      expect(subsets.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).toEqual(texts.map((_, row) => row));
      for (const { name, rows } of subsets) {
        for (const row of rows) {
          const age = ages[row] ?? 0;
          const band = Number.isNaN(age) ? 'age=empty' : age < 0 ? 'age<0' : age < 5 ? 'age=[0, 5)' : 'age≥5';
          expect(name).toBe(`country=${texts[row] ?? 'empty'}, ${band}`);
        }
      }
    }),
  );
});

it('keeps the order of the values, numbers by size', () => {
  const { names } = cutByValue('n', { values: Float64Array.of(10, 9, 100, Number.NaN) });
  expect(names).toEqual(['n=9', 'n=10', 'n=100', 'n=empty']);
});
