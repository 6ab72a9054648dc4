import { expect, test } from 'vitest';
import { DataError } from '../../core/problem/index.ts';
import { phase } from './phase.ts';

const found = {
  checks: [{ id: 'a', title: 'a', section: 'data', status: 'pass', message: '' }],
  sources: [{ path: 'train.csv', sha256: 'x', rows: 1 }],
} as const;

test('gives what the phase found', async () => {
  expect(await phase('data', true, async () => found)).toBe(found);
});

test('does nothing where the policy asks for nothing', async () => {
  const broken = async () => {
    throw new Error('not to be called');
  };
  expect(await phase('gate', false, broken)).toEqual({ checks: [], sources: [] });
});

test('what keeps it from judging becomes an error check for each problem, at its place', async () => {
  const place = { file: 'sluice.yaml', line: 3, column: 5 };
  const missing = { code: 'missing-file', message: 'train.csv does not exist', place, fix: 'Check the path.' };
  const { checks } = await phase('data', true, async () => {
    throw new DataError([missing, { ...missing, message: 'test.csv does not exist' }]);
  });
  expect(checks).toEqual([
    {
      id: 'data/error/missing-file',
      title: 'train.csv does not exist',
      section: 'data',
      status: 'error',
      message: 'sluice.yaml:3:5: train.csv does not exist. Check the path.',
      place,
    },
    expect.objectContaining({ id: 'data/error/missing-file#2', title: 'test.csv does not exist' }),
  ]);
});

test('a bug stays a bug', async () => {
  const bug = new TypeError('x is not a function');
  await expect(
    phase('data', true, async () => {
      throw bug;
    }),
  ).rejects.toBe(bug);
});
