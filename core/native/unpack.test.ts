import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tarballOf } from './registry-stand-in.ts';
import { unpack } from './unpack.ts';

const platform = { os: 'linux', cpu: 'arm64', libc: 'glibc' } as const;

async function unpacked(tarball: Uint8Array): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'sluice-unpack-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'inside');
  await unpack(
    (async function* () {
      yield tarball;
    })(),
    folder,
    platform,
  ).catch((cause: unknown) => {
    expect(readdirSync(parent).filter((name) => name !== 'inside')).toEqual([]);
    throw cause;
  });
  return folder;
}

test.each(['/package/../../evil.js', '/package//etc/evil.js', '/package/a/../../../evil.js', '/package/C:\\evil.js'])(
  'an entry that leaves its folder stops the unpacking: %s',
  async (path) => {
    await expect(unpacked(await tarballOf({ [path]: 'x' }))).rejects.toThrow('leaves its folder');
  },
);

test('libraries with a version in their name are kept, other machines left out', async () => {
  const folder = await unpacked(
    await tarballOf({
      'bin/napi-v6/linux/arm64/libonnxruntime.so.1': 'mine',
      'bin/napi-v6/linux/x64/libonnxruntime.so.1': 'not mine',
      LICENSE: 'MIT',
      'README.md': '#',
    }),
  );
  expect(existsSync(join(folder, 'bin/napi-v6/linux/arm64/libonnxruntime.so.1'))).toBe(true);
  expect(existsSync(join(folder, 'LICENSE'))).toBe(true);
  expect(existsSync(join(folder, 'bin/napi-v6/linux/x64'))).toBe(false);
  expect(existsSync(join(folder, 'README.md'))).toBe(false);
});

test('what is not a tarball is an error', async () => {
  await expect(unpacked(Buffer.from('<html>captive portal</html>'))).rejects.toThrow();
});
