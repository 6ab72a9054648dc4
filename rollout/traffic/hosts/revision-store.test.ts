import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RevisionFolder } from '../revision-folder.ts';
import { type HostShell, openLocalShell } from './host-shell.ts';
import { RemoteRevisionFolder } from './revision-store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-store-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (shell: HostShell = openLocalShell()) => new RemoteRevisionFolder(shell, join(directory, 'a', 'b'));

describe('revisions on another machine', () => {
  test('are none at first, then the last that was written, whatever the text', async () => {
    const store = open();
    expect(await store.read()).toBeUndefined();
    expect(await store.write('one\n\n', 0)).toBe(1);
    expect(await store.read()).toEqual({ number: 1, text: 'one\n\n' });
    const text = `${'x'.repeat(200_000)} "ä" \\n $(id) 😀`;
    expect(await store.write(text, 1)).toBe(2);
    expect(await store.read()).toEqual({ number: 2, text });
  });

  test('are written by one of many who follow the same', async () => {
    const store = open();
    for (let after = 0; after < 3; after++) {
      const written = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => store.write(`writer ${writer}`, after)),
      );
      expect(written.filter((number) => number !== undefined)).toEqual([after + 1]);
      expect(await store.read()).toEqual({ number: after + 1, text: `writer ${written.indexOf(after + 1)}` });
    }
    expect(await store.write('late', 1)).toBeUndefined();
    expect(await store.write('early', 7)).toBeUndefined();
  });

  test('are those that a RevisionFolder over there has', async () => {
    const store = open();
    const folder = new RevisionFolder(join(directory, 'a', 'b'));
    expect(await folder.write('by one', 0)).toBe(1);
    expect(await store.write('by the other', 1)).toBe(2);
    expect(await folder.read()).toEqual({ number: 2, text: 'by the other' });
    expect(await folder.write('late', 1)).toBeUndefined();
  });

  test('count only whole: a line that breaks leaves what was there', async () => {
    await open().write('whole', 0);
    const breaking = open({
      title: 'far',
      run: (words, options) =>
        openLocalShell().run(words, options?.input === undefined ? options : { input: { text: 'ha' } }),
    });
    await expect(breaking.write('half', 1)).rejects.toMatchObject({ problems: [{ code: 'unusable-folder' }] });
    expect(await open().read()).toEqual({ number: 1, text: 'whole' });
    expect(await readdir(join(directory, 'a', 'b'))).toEqual(['00000001.json']);
  });

  test('that were written over are kept for a while, then removed', async () => {
    const store = open();
    for (let after = 0; after < 12; after++) await store.write(`text ${after}`, after);
    const folder = join(directory, 'a', 'b');
    expect(await readdir(folder)).toHaveLength(12);
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const name of await readdir(folder)) await utimes(join(folder, name), longAgo, longAgo);
    await writeFile(join(folder, 'aside-12345678'), 'left by the dead');
    await utimes(join(folder, 'aside-12345678'), longAgo, longAgo);
    await store.write('the last', 12);
    expect((await readdir(folder)).toSorted()).toEqual(
      [6, 7, 8, 9, 10, 11, 12, 13].map((number) => `${String(number).padStart(8, '0')}.json`),
    );
    expect(await store.read()).toEqual({ number: 13, text: 'the last' });
  });

  test('cannot be written where there is a file, which is told', async () => {
    await writeFile(join(directory, 'a'), '');
    await expect(open().write('x', 0)).rejects.toMatchObject({
      name: 'PeerError',
      problems: [{ code: 'unusable-folder' }],
    });
  });

  test('come with the clock of that machine', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const now = await open().now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});
