import { expect, test } from 'vitest';
import { InputError } from '../core/problem/index.ts';
import { isCommitSha, revisionOf } from './git-name.ts';

test.each(['main', 'origin/main', 'v1.2.0', 'HEAD~2', 'v1^{commit}', '@{upstream}', 'feature/größe', 'a'.repeat(40)])(
  'takes %s for a revision',
  (name) => expect(revisionOf(name)).toBe(name),
);

test.each([
  '-x',
  '--upload-pack=sh',
  '',
  'main..evil',
  'main:secret',
  'a b',
  'a;b',
  'a$(id)',
  'a\nb',
  'a\0b',
  '*',
  '^main',
  '/etc',
  'x'.repeat(256),
])('refuses %j', (name) => expect(() => revisionOf(name)).toThrow(InputError));

test('a commit id is complete, lower-case and nothing else', () => {
  expect(isCommitSha('a'.repeat(40))).toBe(true);
  expect(isCommitSha('a'.repeat(64))).toBe(true);
  for (const text of ['a'.repeat(39), 'A'.repeat(40), `${'a'.repeat(40)}\n`, `-${'a'.repeat(39)}`, '']) {
    expect(isCommitSha(text), text).toBe(false);
  }
});
