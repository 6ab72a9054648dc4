import { expect, it } from 'vitest';
import { cutByEdges, subsetsOf } from './slices/cut.ts';
import { subsetsByValue } from './subsets.ts';

const numbers = (...values: number[]) =>
  ({ kind: 'number', values: Float64Array.from(values), nulls: 0, integer: false }) as const;

it('makes a subset of every combination of values, empty ones too, in their order', () => {
  const subsets = subsetsByValue([
    ['country', { kind: 'string', values: ['US', 'KR', null, 'US'], nulls: 1 }],
    ['sex', numbers(2, 1, 1, 10)],
  ]);
  expect(subsets.map(({ name, rows }) => [name, ...rows])).toEqual([
    ['country=KR, sex=1', 1],
    ['country=US, sex=2', 0],
    ['country=US, sex=10', 3],
    ['country=empty, sex=1', 2],
  ]);
});

it('cuts a numeric column at its edges, each edge the beginning of a part, and leaves empty parts out', () => {
  const subsets = subsetsOf(cutByEdges('age', numbers(-1, 0, 24, 25, 70, Number.NaN), [25, 0, 65, 90]));
  expect(subsets.map(({ name, rows }) => [name, ...rows])).toEqual([
    ['age<0', 0],
    ['age=[0, 25)', 1, 2],
    ['age=[25, 65)', 3],
    ['age=[65, 90)', 4],
    ['age=empty', 5],
  ]);
});
