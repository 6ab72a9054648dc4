import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from './bundle.ts';
import { bundledPackages } from './third-party-licences.ts';

const root = resolve(import.meta.dirname, '..');
let dist = '';
let files: readonly string[] = [];
let metafile: Metafile;
beforeAll(async () => {
  dist = join(await mkdtemp(join(tmpdir(), 'sluice-bundle-')), 'dist');
  metafile = await bundle(root, dist);
  const entries = await readdir(dist, { recursive: true, withFileTypes: true });
  files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  // Seconds, and minutes on a machine that does much else.
}, 300_000);
afterAll(() => rm(dirname(dist), { recursive: true, force: true }));

/** What Node reads before the first statement of `file` runs: the file and all it imports statically. */
async function readAtStart(file: string, seen = new Set<string>()): Promise<number> {
  if (seen.has(file)) return 0;
  seen.add(file);
  const text = await readFile(file, 'utf8');
  let bytes = Buffer.byteLength(text);
  for (const [, specifier = ''] of text.matchAll(/\b(?:from|import)\s*"(\.[^"]+)"/g)) {
    bytes += await readAtStart(join(dirname(file), specifier), seen);
  }
  return bytes;
}

describe('the bundle', () => {
  test('gives what is imported when it is reached every name that is asked of it, CommonJS packages too', async () => {
    const asked: { readonly from: string; readonly chunk: string; readonly name: string }[] = [];
    for (const from of files.filter((file) => file.endsWith('.js'))) {
      const text = await readFile(from, 'utf8');
      const found = [
        ...[...text.matchAll(/\{([^{}]*)\}=await import\("(\.[^"]+)"\)/g)].map(([, names, to]) => [names, to]),
        ...[...text.matchAll(/import\("(\.[^"]+)"\)\.then\(\(\{([^{}]*)\}\)/g)].map(([, to, names]) => [names, to]),
      ];
      for (const [names = '', to = ''] of found) {
        const chunk = join(dirname(from), to);
        for (const name of names.split(',')) asked.push({ from, chunk, name: name.split(':')[0]?.trim() ?? '' });
      }
    }
    expect(asked.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['S3Client', 'fromBufferPromise', 'ProxyAgent']),
    );
    const lacking = [];
    for (const { from, chunk, name } of asked) {
      const { [name]: given } = (await import(chunk)) as Readonly<Record<string, unknown>>;
      if (given === undefined) lacking.push(`${name} of ${basename(chunk)}, in ${basename(from)}`);
    }
    expect(lacking).toEqual([]);
  }, 180_000);

  test.each(['pull-request-gate', 'validate-data', 'quality-gate', 'detect-drift'])(
    '%s says what runs before it loads anything heavy',
    async (action) => {
      const entry = join(dist, action, 'index.js');
      expect(await readAtStart(entry)).toBeLessThan(10_000);
      expect(await readFile(entry, 'utf8')).toMatch(/process\.stdout\.write\(.*await import\(/s);
    },
  );

  test('is pure JavaScript, and an ES module', async () => {
    const kinds = new Set(files.map((file) => file.slice(file.lastIndexOf('.'))));
    expect(kinds).toEqual(new Set(['.js', '.json', '.txt']));
    expect(await readFile(join(dist, 'package.json'), 'utf8')).toBe('{"type":"module"}\n');
  });

  test('holds no path of the machine it was built on', async () => {
    for (const file of files) expect((await readFile(file, 'utf8')).includes(root), file).toBe(false);
  });

  test('calls errors by their names, although it is minified', async () => {
    const texts = await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
    const holders = texts.filter(
      ({ file, text }) => file.endsWith('.js') && /class extends Error\b[\s\S]*"PolicyError"/.test(text),
    );
    expect(holders).toHaveLength(1);
    const room: Readonly<Record<string, unknown>> = await import(holders[0]?.file ?? '');
    const names = Object.values(room).flatMap((value) => {
      if (typeof value !== 'function' || !(value.prototype instanceof Error)) return [];
      const error: unknown = Reflect.construct(value, [{ code: 'c', message: 'm' }]);
      return [error instanceof Error ? error.name : 'no error'];
    });
    expect(names.toSorted()).toEqual([
      'DataError',
      'InputError',
      'ModelError',
      'NativeError',
      'PeerError',
      'PolicyError',
      'SluiceError',
    ]);
  });

  test('tells the licence of every package in it, with its text, and what single files say of their own origin', async () => {
    const [, ...parts] = (await readFile(join(dist, 'licenses.txt'), 'utf8')).split(`\n${'-'.repeat(80)}\n\n`);
    const divider = parts.findIndex((part) => part.startsWith('Single files'));
    const texts = new Map(
      parts.slice(0, divider).flatMap((part) => {
        const [titles = '', ...text] = part.split('\n\n');
        return titles.split('\n').map((title) => [title, text.join('\n\n')] as const);
      }),
    );
    const titles = bundledPackages(metafile).map(({ folder }) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      return `${manifest.name} ${manifest.version} (${manifest.license})`;
    });
    expect([...texts.keys()].toSorted()).toEqual([...new Set(titles)].toSorted());
    expect(titles.filter((title) => /^(@aws-sdk\/core|undici|zod) /.test(title))).toHaveLength(3);
    expect([...texts].filter(([, text]) => text.length < 400).map(([title]) => title)).toEqual([]);
    // Of those that bring no file: who claims it, and the terms.
    const of = (name: string) => [...texts].find(([title]) => title.startsWith(`${name} `))?.[1];
    expect(of('rfc6902')).toMatch(/Copyright 2014-2021 Christopher Brown[\s\S]*Permission is hereby granted/);
    expect(of('abstract-logging')).toMatch(/Copyright \(c\) James Sumners[\s\S]*Permission is hereby granted/);
    expect(of('@aws-sdk/nested-clients')).toContain('Apache License');
    const notices = parts.slice(divider).join('\n');
    expect(notices).toMatch(/^@bufbuild\/protobuf .*\n\nCopyright 2008 Google Inc\.[\s\S]*Redistribution and use/m);
    expect(notices).toContain('Copyright (C) 2004 by Sun Microsystems');
  });

  test('holds nothing whose licence asks for more than its text', () => {
    const allowed = /^\(?(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|BSL-1\.0)\)?$/;
    const licences = bundledPackages(metafile).map(({ folder }) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      return `${manifest.license}`;
    });
    expect(licences.filter((licence) => licence.split(' AND ').some((each) => !allowed.test(each)))).toEqual([]);
  });

  test('has a command that starts by itself', async () => {
    const command = join(dist, 'cli', 'index.js');
    expect(await readFile(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect((await stat(command)).mode & 0o111).toBe(0o111);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(execFileSync(process.execPath, [command, '--version']).toString().trim()).toBe(version);
  });

  test('runs a model in a process of its own', () => {
    const env = { PATH: process.env['PATH'], SLUICE_NATIVE_DIR: root };
    const command = [join(dist, 'cli', 'index.js'), 'quality-gate', '--policy', 'sluice.yaml', '--quiet'];
    const said = execFileSync(process.execPath, command, { env, cwd: join(root, 'examples', 'diabetes') });
    expect(said.toString()).toMatch(/^passed /);
  });

  test('an action tells a wrong event in one annotation and exits with 1', () => {
    const env = { PATH: process.env['PATH'], GITHUB_EVENT_NAME: 'pull_request_target' };
    let output = '';
    let code = 0;
    try {
      execFileSync(process.execPath, [join(dist, 'pull-request-gate', 'index.js')], { env, stdio: 'pipe' });
    } catch (error) {
      const failed = error as { readonly stdout: Buffer; readonly status: number };
      output = failed.stdout.toString();
      code = failed.status;
    }
    expect(code).toBe(1);
    expect(output.split('\n')[0]).toMatch(/^Sluice \d+\.\d+\.\d+ · pull-request gate$/);
    expect(output.split('\n').filter((line) => line.startsWith('::error'))).toEqual([
      expect.stringMatching(/^::error::a gate does not run under pull_request_target/),
    ]);
  });
});
