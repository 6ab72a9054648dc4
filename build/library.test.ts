import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './source-files.ts';

const run = promisify(execFile);
const tsc = join(root, 'node_modules/typescript/bin/tsc');

const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
};
const entries = Object.entries(manifest.exports)
  .filter(([key, target]) => typeof target === 'object' && !key.includes('*'))
  .map(([key]) => key.replace('.', manifest.name));

describe('the package as a library', () => {
  let project = '';

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'sluice-library-'));
    // A package may import itself by its name, so what is built here is reached as a user reaches it.
    await copyFile(join(root, 'package.json'), join(project, 'package.json'));
    await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
    await run(process.execPath, [tsc, '-p', join(root, 'tsconfig.lib.json'), '--outDir', join(project, 'lib')]);
  }, 300_000);

  afterAll(() => rm(project, { recursive: true, force: true }));

  test.each([...entries, 'sluice/core/policy'])('%s can be imported and offers something', async (entry) => {
    const script = `console.log(Object.keys(await import(${JSON.stringify(entry)})).length)`;
    await writeFile(join(project, 'user.mjs'), script);
    const { stdout } = await run(process.execPath, [join(project, 'user.mjs')]);
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  test("a user's strict TypeScript sees its types", async () => {
    const source = [
      "import { parsePolicy, type Policy } from 'sluice/core/policy';",
      "import { statistics } from 'sluice/core';",
      "const policy: Policy = parsePolicy('version: 1', 'sluice.yaml').policy;",
      '// @ts-expect-error: a policy has no such key',
      'policy.gatez;',
      'export const interval: object = statistics.wilsonInterval(9, 10, 0.9);',
    ].join('\n');
    await writeFile(join(project, 'user.ts'), source);
    const options = '--noEmit --strict --module nodenext --target es2023 --types node --skipLibCheck'.split(' ');
    const { stdout } = await run(process.execPath, [tsc, ...options, 'user.ts'], { cwd: project }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  }, 300_000);

  test('what is published holds the library, the command and the schema', () => {
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'lib', 'core/policy/policy.schema.json']));
  });
});
