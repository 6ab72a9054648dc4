import { expect, test } from 'vitest';
import { mostClasses } from '../../core/telemetry/index.ts';
import { PredictionDistribution } from './prediction-distribution.ts';

const numbers = (values: readonly number[], dims: readonly number[]) =>
  ({ type: 'float32', data: Float32Array.from(values), dims }) as const;

test('each column of a narrow output has its own histogram, a wide output one for all', () => {
  const seen = new PredictionDistribution();
  seen.record({
    p: numbers([0.2, 0.8, 0.4, 0.6], [2, 2]),
    wide: numbers(Array<number>(64).fill(1), [2, 32]),
    y: numbers([7], [1]),
  });
  expect([...seen.values.keys()]).toEqual(['p[0]', 'p[1]', 'wide', 'y']);
  expect(seen.values.get('p[1]')?.sum).toBeCloseTo(1.4);
  expect(seen.values.get('wide')?.count).toBe(32);
  expect(seen.values.get('y')?.sum).toBe(7);
});

test('of an answer with many rows eight are looked at, evenly spread', () => {
  const seen = new PredictionDistribution();
  seen.record({
    y: numbers(
      Array.from({ length: 800 }, (_, row) => row),
      [800, 1],
    ),
  });
  expect(seen.values.get('y')).toMatchObject({ count: 8, sum: 2800 });
});

test('labels are counted by class; what is neither number nor label is not', () => {
  const seen = new PredictionDistribution();
  seen.record({
    label: { type: 'int64', data: BigInt64Array.of(1n, 0n, 1n), dims: [3] },
    name: { type: 'string', data: ['yes', 'no\u001b[31m'], dims: [2, 1] },
    flag: { type: 'bool', data: Uint8Array.of(1, 0), dims: [2] },
    tokens: { type: 'int64', data: BigInt64Array.of(5n, 6n, 7n, 8n), dims: [2, 2] },
    none: numbers([], [0, 2]),
  });
  expect(
    Object.fromEntries([...seen.classes].map(([output, classes]) => [output, Object.fromEntries(classes)])),
  ).toEqual({
    label: { '1': 2, '0': 1 },
    name: { yes: 1, 'no\\u{1b}[31m': 1 },
    flag: { true: 1, false: 1 },
  });
});

test('NaN and Infinity are seen as classes and spoil no sum', () => {
  const seen = new PredictionDistribution();
  seen.record({ y: numbers([1, Number.NaN, Number.POSITIVE_INFINITY], [3, 1]) });
  expect(seen.values.get('y')).toMatchObject({ count: 1, sum: 1 });
  expect(Object.fromEntries(seen.classes.get('y') ?? [])).toEqual({ NaN: 1, Infinity: 1 });
});

test('classes beyond the limit are one: callers must not make series without end', () => {
  const seen = new PredictionDistribution();
  for (let turn = 0; turn < 3 * mostClasses; turn++)
    seen.record({ name: { type: 'string', data: [`class ${turn}`], dims: [1] } });
  expect(seen.classes.get('name')?.size).toBe(mostClasses + 1);
  expect(seen.classes.get('name')?.get('other')).toBe(2 * mostClasses);
});
