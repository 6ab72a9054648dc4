import { expect, test } from 'vitest';
import { missingColumn, nearestColumns } from './nearest-columns.ts';
import type { Column } from './table.ts';

const columns = ['label', 'cable', 'age_1', 'age_2', 'age_3', 'age_4', 'Petal.Width'].map(
  (name): Column => ({ name, type: 'number', sqlType: 'DOUBLE' }),
);

test.each([
  ['lable', ['label', 'cable']],
  ['age_5', ['age_1', 'age_2', 'age_3']],
  ['petal width', ['Petal.Width']],
  ['width', ['Petal.Width']],
  ['income', []],
])('for %s the nearest columns are %j', (name, nearest) => {
  expect(nearestColumns(name, columns)).toEqual(nearest);
});

test('a missing column is told with the nearest ones, else with what there is', () => {
  expect(missingColumn('lable', 'a.csv', columns).fix).toBe('Did you mean "label" or "cable"?');
  expect(missingColumn('income', 'a.csv', columns.slice(0, 2)).fix).toBe('The file has "label", "cable".');
});
