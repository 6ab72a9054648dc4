import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestFile } from './digest.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-digest-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test.each([0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 * (1 << 20) + 17])(
  'the digest of %i bytes is that of all of them, and all are shown in order',
  async (length) => {
    // No two megabytes alike, so that one hashed twice or out of turn shows.
    const bytes = Buffer.from(
      Uint32Array.from({ length: Math.ceil(length / 4) }, (_, at) => at * 2_654_435_761).buffer,
    );
    const written = bytes.subarray(0, length);
    const file = join(await folder(), 'data.bin');
    await writeFile(file, written);
    const seen: Buffer[] = [];
    const digest = await digestFile(file, (chunk) => seen.push(Buffer.from(chunk)));
    expect(digest).toBe(createHash('sha256').update(written).digest('hex'));
    expect(Buffer.concat(seen).equals(written)).toBe(true);
  },
);

test('what cannot be read is an error, also in the eyes of who watches', async () => {
  const place = await folder();
  await expect(digestFile(place)).rejects.toThrow('EISDIR');
  await expect(digestFile(join(place, 'none'))).rejects.toThrow('ENOENT');
  const file = join(place, 'data.bin');
  await writeFile(file, 'x');
  await expect(
    digestFile(file, () => {
      throw new Error('seen enough');
    }),
  ).rejects.toThrow('seen enough');
});
