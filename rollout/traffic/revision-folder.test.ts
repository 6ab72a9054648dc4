import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RevisionFolder } from './revision-folder.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-revisions-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A process that adds one to the number in the folder over and over, and says each number it wrote. */
const counter = `
import { RevisionFolder } from ${JSON.stringify(join(import.meta.dirname, 'revision-folder.ts'))};
const folder = new RevisionFolder(process.argv[1]);
for (;;) {
  const found = await folder.read();
  const next = Number(found?.text ?? 0) + 1;
  if ((await folder.write(String(next), found?.number ?? 0)) !== undefined) process.stdout.write(next + '\\n');
}`;

test('a text that was never written is none', async () => {
  const folder = new RevisionFolder(join(directory, 'new'));
  expect(await folder.read()).toBeUndefined();
  expect(await folder.write('one', 0)).toBe(1);
  expect(await folder.read()).toEqual({ number: 1, text: 'one' });
  expect(await folder.write('again', 0)).toBeUndefined();
  expect(await folder.write('three', 2)).toBeUndefined();
  expect(await folder.write('two', 1)).toBe(2);
  expect(await folder.read()).toEqual({ number: 2, text: 'two' });
});

test('several processes, killed and started again, never write over one another', async () => {
  const path = join(directory, 'shared');
  const written: number[] = [];
  const start = () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', counter, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let unread = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (unread + chunk.toString()).split('\n');
      unread = lines.pop() ?? '';
      written.push(...lines.map(Number));
    });
    return child;
  };
  for (let round = 0; round < 3; round++) {
    const children = [start(), start(), start()];
    const until = written.length + 60;
    while (written.length < until) await sleep(5);
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => once(child, 'close')));
  }
  const { text = '0', number = 0 } = (await new RevisionFolder(path).read()) ?? {};
  // Each write counted once: what was written is as many as the revisions, but for those whose writers died before they could say so.
  expect(Number(text)).toBe(number);
  expect(new Set(written).size).toBe(written.length);
  expect(number - written.length).toBeGreaterThanOrEqual(0);
  expect(number - written.length).toBeLessThanOrEqual(9);
});

test('old revisions and what dead writers left go away, the newest stay', async () => {
  const folder = new RevisionFolder(directory);
  for (let number = 0; number < 20; number++) await folder.write(`${number}`, number);
  await writeFile(join(directory, '1-2.tmp'), 'half');
  const long = new Date(Date.now() - 3_600_000);
  for (const name of await readdir(directory)) await utimes(join(directory, name), long, long);
  await folder.write('last', 20);
  expect((await readdir(directory)).toSorted()).toEqual(
    Array.from({ length: 8 }, (_, index) => `${String(14 + index).padStart(8, '0')}.json`),
  );
  expect(await folder.read()).toEqual({ number: 21, text: 'last' });
});

test('a folder that is none is said', async () => {
  const path = join(directory, 'file');
  await writeFile(path, '');
  const folder = new RevisionFolder(path);
  await expect(folder.read()).rejects.toMatchObject({ problems: [{ code: 'unusable-folder', place: { file: path } }] });
  await expect(folder.write('x', 0)).rejects.toMatchObject({ name: 'PeerError' });
});
