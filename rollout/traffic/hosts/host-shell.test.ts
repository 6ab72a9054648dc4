import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError, PeerError } from '../../../core/problem/index.ts';
import { openLocalShell, openSshShell, quotedWord } from './host-shell.ts';

let directory: string;
const path = process.env['PATH'];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-shell-'));
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(directory, { recursive: true, force: true });
});

/** A program named ssh that does what a far login shell does: it hands its last argument to `sh -c`. It writes down what it was given. */
async function fakeSsh(script = 'for last; do :; done\nexec sh -c "$last"'): Promise<() => Promise<readonly string[]>> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const given = join(directory, 'given');
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nprintf '%s\\0' "$@" > ${quotedWord(given)}\n${script}\n`);
  await chmod(join(bin, 'ssh'), 0o755);
  process.env['PATH'] = `${bin}:${path}`;
  return async () => (await readFile(given, 'utf8')).split('\0').slice(0, -1);
}

const nasty = [
  "it's",
  '$(touch x)',
  '`id`',
  '"; rm -rf / #',
  '-rf',
  '',
  '\\',
  '\n',
  '*',
  '~',
  '!!',
  '$' + '{HOME}',
  'ä 日本 😀',
  "'\\''",
];

describe('a word on its way to another shell', () => {
  test('arrives as it is', async () => {
    await fakeSsh();
    const { output } = await openSshShell({ at: 'web-1' }).run(['printf', '%s|', ...nasty]);
    expect(output).toBe(nasty.map((word) => `${word}|`).join(''));
  });

  test('arrives as it is, whatever it holds', async () => {
    // Many at once: a word a process would take minutes.
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'binary', maxLength: 30 }).filter((word) => !word.includes('\0') && !/\p{Cs}/u.test(word)),
          {
            minLength: 50,
            maxLength: 100,
          },
        ),
        async (words) => {
          const line = ['printf', '%s\\0', ...words].map(quotedWord).join(' ');
          const { output } = await openLocalShell().run(['sh', '-c', line]);
          expect(output).toBe(words.map((word) => `${word}\0`).join(''));
        },
      ),
      { numRuns: 20 },
    );
  });

  test('cannot hold a zero byte', () => {
    expect(() => quotedWord('a\0b')).toThrow(InputError);
  });
});

describe('an address', () => {
  test.each([
    '-oProxyCommand=touch x',
    'web-1 -l root',
    'a@-b',
    '@web',
    'web;id',
    'user@host:99999',
    'user@host:',
    '$(id)@web',
    '',
    'a'.repeat(300),
  ])('"%s" is none', (at) => {
    expect(() => openSshShell({ at })).toThrow(InputError);
  });

  test('is given to ssh behind its options, with the port and the configuration apart', async () => {
    const given = await fakeSsh();
    await openSshShell({ at: 'deploy@web-1.internal:2222', config: '/etc/my ssh' }).run(['true']);
    const words = await given();
    expect(words.slice(-3)).toEqual(['--', 'deploy@web-1.internal', "'true'"]);
    expect(words.slice(0, 5)).toEqual(['-T', '-F', '/etc/my ssh', '-p', '2222']);
    expect(words).toContain('BatchMode=yes');
    expect(words).toContain('StrictHostKeyChecking=yes');
  });
});

describe('a command', () => {
  test('gives its exit code, what it wrote, and reads what it is given', async () => {
    const shell = openLocalShell();
    const ended = await shell.run(['sh', '-c', 'cat; echo no >&2; exit 3'], { input: { text: 'yes' } });
    expect(ended).toEqual({ code: 3, output: 'yes', errors: 'no\n' });
    const file = join(directory, 'file');
    await writeFile(file, 'x'.repeat(300_000));
    expect((await shell.run(['wc', '-c'], { input: { file } })).output.trim()).toBe('300000');
    // One that does not want it all is no error of ours.
    expect((await shell.run(['true'], { input: { file } })).code).toBe(0);
    await expect(shell.run(['cat'], { input: { file: join(directory, 'gone') } })).rejects.toBeInstanceOf(InputError);
    expect((await shell.run(['sh', '-c', 'kill -9 $$'])).code).toBe(137);
  });

  test('that takes too long is given up, though what it started goes on', async () => {
    const error = await openLocalShell()
      .run(['sh', '-c', 'trap "" TERM; sleep 30 & wait; wait'], { timeoutMs: 50 })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PeerError);
    expect((error as PeerError).problems[0].code).toBe('command-timeout');
  });

  test('that is not there is told with what to install', async () => {
    await expect(openLocalShell().run(['sluice-no-such-program'])).rejects.toMatchObject({
      problems: [{ code: 'no-program', fix: expect.stringContaining('sluice-no-such-program') }],
    });
  });

  test('sees no token of the environment', async () => {
    process.env['SLUICE_TEST_TOKEN'] = 'secret';
    try {
      const { output } = await openLocalShell().run(['env']);
      expect(output).toContain('PATH=');
      expect(output).not.toContain('secret');
    } finally {
      delete process.env['SLUICE_TEST_TOKEN'];
    }
  });

  test('over a connection that fails is told in the words of ssh', async () => {
    await fakeSsh('echo "Host key verification failed." >&2; exit 255');
    await expect(openSshShell({ at: 'deploy@web-1' }).run(['true'])).rejects.toMatchObject({
      name: 'PeerError',
      problems: [{ code: 'host-unreachable', found: 'Host key verification failed.' }],
    });
  });
});
