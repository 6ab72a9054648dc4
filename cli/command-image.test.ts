import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

// What of the image can be held without building it.

const dockerfile = readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8');
const wordsOf = (instruction: string): readonly string[] =>
  JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? 'null') as string[];

test('the entry point is the command, and alone it explains itself', async () => {
  const [node, script, ...argv] = [...wordsOf('ENTRYPOINT'), ...wordsOf('CMD')];
  expect([node, script]).toEqual(['/nodejs/bin/node', '/sluice/cli/index.js']);
  const { exitCode, stdout } = await record(tmpdir(), argv);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('detect-drift')]);
});

test('it runs without root, as the user that the pods of DriftCheckJob have, and only dist goes to the builder', () => {
  expect(dockerfile).toMatch(/^USER 65532:65532$/m);
  expect(readFileSync(join(import.meta.dirname, 'Dockerfile.dockerignore'), 'utf8')).toBe('*\n!dist\n');
});
