import { expect, test } from 'vitest';
import type { Check, Status } from './check.ts';
import { foldPasses } from './folded-passes.ts';

const check = (id: string, line: number, status: Status = 'pass'): Check => ({
  id,
  title: id,
  section: 'data',
  status,
  message: '',
  place: { file: 'sluice.yaml', line, column: 3 },
});

test('many passes of one policy line become three and a count; failures among them stay', () => {
  const many = Array.from({ length: 9 }, (_, i) => check(`a${i}`, 5, i === 7 ? 'fail' : 'pass'));
  const few = Array.from({ length: 6 }, (_, i) => check(`b${i}`, 6));
  const { shown, folded } = foldPasses([...many, ...few]);
  expect(shown.map(({ id }) => id)).toEqual(['a0', 'a1', 'a2', 'a7', 'b0', 'b1', 'b2', 'b3', 'b4', 'b5']);
  expect(folded.map(({ after, checks, place }) => [after.id, checks.length, place])).toEqual([
    ['a2', 5, 'sluice.yaml:5'],
  ]);
});

test('checks without a line are never folded', () => {
  const loose = Array.from(
    { length: 20 },
    (_, i): Check => ({ id: `${i}`, title: '', section: 'data', status: 'pass', message: '' }),
  );
  expect(foldPasses(loose)).toEqual({ shown: loose, folded: [] });
});
