import { expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import { guessTarget } from './target-guess.ts';

const wide = (width: number) => [{ name: 'features', type: 'float32' as const, shape: ['N', width] }];
const perColumn = (...names: string[]) => names.map((name) => ({ name, type: 'float32' as const, shape: ['N', 1] }));

test('with one input a column, the column that is no input is the target', () => {
  expect(guessTarget(['age', 'progression', 'bmi'], perColumn('age', 'bmi'), 'x.csv')).toBe('progression');
});

test('a usual name is found whatever its capitals, also beside an identifier', () => {
  expect(guessTarget(['id', 'age', 'Label'], perColumn('age'), 'x.csv')).toBe('Label');
  expect(guessTarget(['a', 'diagnosis', 'b'], wide(2), 'x.csv')).toBe('diagnosis');
});

test('an input of a usual name is not the target', () => {
  expect(guessTarget(['class', 'price'], perColumn('class'), 'x.csv')).toBe('price');
});

test('with one wide input, the last column is the target when it is the one too many', () => {
  expect(guessTarget(['a', 'b', 'price'], wide(2), 'x.csv')).toBe('price');
});

test('when nothing tells, it asks', () => {
  expect(() => guessTarget(['a', 'b', 'c', 'd'], wide(2), 'x.csv')).toThrow(InputError);
  expect(() => guessTarget(['a', 'b', 'c', 'd'], wide(2), 'x.csv')).toThrow(/--target/);
});
