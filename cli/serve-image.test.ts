import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

// What of the image can be held without building it.

const root = join(import.meta.dirname, '..');
const dockerfile = readFileSync(join(root, 'server/Dockerfile'), 'utf8');
const bundler = readFileSync(join(root, 'build/bundle.ts'), 'utf8');

/** The words of an instruction in its JSON form. */
function wordsOf(instruction: string): readonly string[] {
  return JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? 'null') as string[];
}

test('everything that is copied into the image is in dist or is made by the bundler', () => {
  const copied = [...dockerfile.matchAll(/^COPY (dist\S*(?: dist\S*)*) /gm)].flatMap((match) =>
    (match[1] ?? '').split(' '),
  );
  expect(copied).toContain('dist/cli');
  const missing = copied.filter((path) => {
    const name = path.replace(/^dist\/?/, '');
    return !existsSync(join(root, path)) && !bundler.includes(`'${name}/`);
  });
  expect(missing).toEqual([]);
});

test('the entries that the command starts as processes and threads are copied too', () => {
  for (const [, folder] of bundler.matchAll(/^ {2}'(onnx|server)\/[a-z-]+':/gm)) {
    expect(dockerfile).toContain(`COPY dist/${folder} /sluice/${folder}`);
  }
});

test('the entry point is a command that sluice takes', async () => {
  const [node, script, ...argv] = [...wordsOf('ENTRYPOINT'), ...wordsOf('CMD')];
  expect([node, script]).toEqual(['/nodejs/bin/node', '/sluice/cli/index.js']);
  const folder = join(tmpdir(), 'sluice-no-such-folder');
  const { exitCode, stderr } = await record(
    folder,
    argv.map((word) => (word === '/models' ? folder : word)),
  );
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/no such file or folder/);
});

test('it runs without root, and only dist goes to the builder', () => {
  expect(dockerfile).toMatch(/^USER 65532:65532$/m);
  expect(readFileSync(join(root, 'server/Dockerfile.dockerignore'), 'utf8')).toBe('*\n!dist\n');
});
