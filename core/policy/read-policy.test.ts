import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { readPolicy } from './read-policy.ts';

const sound = 'version: 1\ndata: [{ source: a.csv, checks: [{ row_count: { min: 1 } }] }]\n';

describe('readPolicy', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const problemOf = async (file: string) => {
    const error = await readPolicy(file, 'sluice.yaml').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PolicyError);
    return error instanceof PolicyError ? error.problems : [];
  };

  it('reads a file and calls it by the name given', async () => {
    await writeFile(join(directory, 'p.yaml'), sound);
    const { file, text, policy, placeOf } = await readPolicy(join(directory, 'p.yaml'), 'sluice.yaml');
    expect({ file, text }).toEqual({ file: 'sluice.yaml', text: sound });
    expect(policy.data).toHaveLength(1);
    expect(placeOf(['data'])).toMatchObject({ file: 'sluice.yaml', line: 2 });
  });

  it('says that a file is missing', async () => {
    expect(await problemOf(join(directory, 'none.yaml'))).toEqual([
      expect.objectContaining({ code: 'missing-file', place: { file: 'sluice.yaml' } }),
    ]);
    await writeFile(join(directory, 'a'), '');
    expect((await problemOf(join(directory, 'a', 'b.yaml'))).map(({ code }) => code)).toEqual(['missing-file']);
  });

  it('says that a directory is not a file', async () => {
    expect(await problemOf(directory)).toEqual([
      expect.objectContaining({
        code: 'policy-not-a-file',
        message: 'the policy is a directory',
        fix: 'Name the file in it, such as sluice.yaml.',
      }),
    ]);
  });

  it.skipIf(process.platform === 'win32')('does not wait for a device', async () => {
    expect((await problemOf('/dev/zero')).map(({ code }) => code)).toEqual(['policy-not-a-file']);
  });

  it('says that a file is too large', async () => {
    const file = join(directory, 'large.yaml');
    await writeFile(file, sound);
    await truncate(file, 5 * 1024 ** 3);
    expect((await problemOf(file)).map(({ code, found }) => [code, found])).toEqual([
      ['policy-too-large', '5368709120 bytes'],
    ]);
  });

  it('says that a file is not UTF-8', async () => {
    await writeFile(join(directory, 'latin.yaml'), Buffer.from(`name: caf\xe9\n${sound}`, 'latin1'));
    expect((await problemOf(join(directory, 'latin.yaml'))).map(({ code }) => code)).toEqual(['policy-not-utf8']);
  });

  it.skipIf(process.platform === 'win32')('says that a link leads in a circle', async () => {
    await symlink('loop.yaml', join(directory, 'loop.yaml'));
    expect((await problemOf(join(directory, 'loop.yaml'))).map(({ code, message }) => [code, message])).toEqual([
      ['unreadable-file', 'the policy file cannot be read (ELOOP)'],
    ]);
  });
});
