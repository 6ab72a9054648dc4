import { access, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileTrouble } from './file-trouble.ts';

test('the trouble with a file is told without its path', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice, trouble-'));
  const missing = join(directory, 'missing');
  const toldOf = (work: Promise<unknown>) => work.then(() => expect.fail('it is there'), fileTrouble);
  expect(await toldOf(access(missing))).toBe('ENOENT: no such file or directory');
  expect(await toldOf(rename(missing, `${missing}-2`))).toBe('ENOENT: no such file or directory');
  expect(await toldOf(readFile(directory))).toBe('EISDIR: illegal operation on a directory');
  await rm(directory, { recursive: true });
});

test('any other trouble is told as it is, without control characters', () => {
  expect(fileTrouble(new Error('it is short, by 3 bytes'))).toBe('it is short, by 3 bytes');
  expect(fileTrouble('\u001b[2Jgone')).not.toContain('\u001b');
});
