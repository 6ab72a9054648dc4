import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryPath, repositoryRoot } from './repository-root.ts';

let place = '';
beforeAll(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'sluice-root-')));
  await mkdir(join(place, 'clone', '.git'), { recursive: true });
  await mkdir(join(place, 'clone', 'ml', 'models'), { recursive: true });
  await mkdir(join(place, 'plain', 'ml'), { recursive: true });
  await symlink(join(place, 'clone'), join(place, 'link'));
});
afterAll(() => rm(place, { recursive: true, force: true }));

test('the top is the nearest folder with a .git, also through a link', () => {
  expect(repositoryRoot(join(place, 'clone', 'ml'), '')).toBe(join(place, 'clone'));
  expect(repositoryRoot(join(place, 'link', 'ml'), '')).toBe(join(place, 'clone'));
});

test('without a .git it is the workspace that the folder is in, else the folder', () => {
  expect(repositoryRoot(join(place, 'plain', 'ml'), join(place, 'plain'))).toBe(join(place, 'plain'));
  expect(repositoryRoot(join(place, 'plain', 'ml'), join(place, 'clone'))).toBe(join(place, 'plain', 'ml'));
});

test('a path is as git names it, wherever it is relative to', () => {
  const directory = join(place, 'clone', 'ml');
  expect(repositoryPath('sluice.yaml', directory)).toBe('ml/sluice.yaml');
  expect(repositoryPath('../data/./x.csv', directory)).toBe('data/x.csv');
  expect(repositoryPath(join(directory, 'x.csv'), directory)).toBe('ml/x.csv');
  expect(repositoryPath('sluice.yaml', join(place, 'link', 'ml'))).toBe('ml/sluice.yaml');
});

test.each(['..', '../..', '../../plain/x', '/etc/passwd'])('%s is outside', (path) => {
  expect(repositoryPath(path, join(place, 'clone', 'ml'))).toBeUndefined();
});
