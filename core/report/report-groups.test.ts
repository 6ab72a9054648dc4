import { expect, test } from 'vitest';
import type { Check } from './check.ts';
import { groupsOf } from './report-groups.ts';

const check = (id: string, section: Check['section']): Check => ({
  id,
  title: id,
  section,
  status: 'pass',
  message: '',
});
const source = (path: string) => ({ path, sha256: '', rows: 1 });

test('data checks stand under their file, the longest path that fits; gates stand together', () => {
  const groups = groupsOf({
    sources: [source('data/a'), source('data/a/b.csv')],
    checks: [
      check('data/a/b.csv/unique[x]', 'data'),
      check('data/a/row_count', 'data'),
      check('gate/f1/min', 'gate'),
      check('data/data/a/schema', 'data'),
      check('elsewhere', 'data'),
    ],
  });
  expect(groups.map((group) => [group.title, group.source, group.checks.map(({ id }) => id)])).toEqual([
    ['Data', 'data/a/b.csv', ['data/a/b.csv/unique[x]']],
    ['Data', 'data/a', ['data/a/row_count', 'data/data/a/schema']],
    ['Data', '', ['elsewhere']],
    ['Model', '', ['gate/f1/min']],
  ]);
});

test('every further set of evaluation rows stands by itself, the base commit’s rows too', () => {
  const ids = [
    'gate/f1/min',
    'gate[edge]/f1/min[a=]]',
    'gate[@base]/f1/min',
    'gate[edge@base]/f1/min',
    'gate/size/max_mb',
  ];
  const groups = groupsOf({ sources: [], checks: ids.map((id) => check(id, 'gate')) });
  expect(groups.map(({ source: of, checks }) => [of, checks.length])).toEqual([
    ['', 2],
    ['edge', 1],
    ['rows at the base commit', 1],
    ['edge, rows at the base commit', 1],
  ]);
});
