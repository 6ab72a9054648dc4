import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RevisionFolder } from '../traffic/revision-folder.ts';
import { changeState, isOpen, type ProxyState, readState } from './proxy-state.ts';

let directory: string;
let folder: RevisionFolder;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-proxy-state-'));
  folder = new RevisionFolder(join(directory, 'state'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const state: ProxyState = {
  version: 1,
  baseline: 'http://127.0.0.1:1',
  traffic: { canaryWeight: 0, mirrorPercent: 0 },
  changes: 1,
};

describe('the state that the proxy and its rollout share', () => {
  test('is none at first, and then what was written', async () => {
    expect(await readState(folder)).toBeUndefined();
    const whole: ProxyState = {
      ...state,
      canary: 'https://canary.internal/base',
      traffic: { canaryWeight: 5, mirrorPercent: 10, header: { name: 'x-canary', value: 'yes' } },
      record: 'any "text"\n',
      lease: { expires: 1.5, rolloutId: 'r' },
      restored: { at: 2, rolloutId: 'q' },
      control: 'http://127.0.0.1:2',
    };
    expect(await changeState(folder, () => whole)).toEqual(whole);
    expect(await readState(folder)).toEqual(whole);
  });

  test('is not written when nothing changes, nor when the change is refused', async () => {
    await changeState(folder, () => state);
    await changeState(folder, (found) => found ?? state);
    await expect(
      changeState(folder, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect((await folder.read())?.number).toBe(1);
  });

  test('loses no change of many that are made at once', async () => {
    await changeState(folder, () => state);
    await Promise.all(
      Array.from({ length: 20 }, () =>
        changeState(new RevisionFolder(folder.path), (found) => ({
          ...(found ?? state),
          changes: (found?.changes ?? 0) + 1,
        })),
      ),
    );
    expect((await readState(folder))?.changes).toBe(21);
  });

  test('is the one before while another is half written', async () => {
    await changeState(folder, () => state);
    await writeFile(join(folder.path, '99-1234.tmp'), '{"version":1,"base');
    await writeFile(join(folder.path, '0000002.json'), '{"ver');
    expect(await readState(folder)).toEqual(state);
  });

  test.each([
    ['half of one', '{"version":1,"baseline":"http://a', ''],
    ['nothing', '', ''],
    ['another version', JSON.stringify({ ...state, version: 2 }), 'version'],
    [
      'a weight beyond all',
      JSON.stringify({ ...state, traffic: { canaryWeight: 101, mirrorPercent: 0 } }),
      'traffic.canaryWeight',
    ],
    ['an address that is none', JSON.stringify({ ...state, canary: 'file:///etc/passwd' }), 'canary'],
    ['a key that nobody knows', JSON.stringify({ ...state, more: 1 }), ''],
  ])('says so when it is %s, and is not written over', async (_what, text, key) => {
    await mkdir(folder.path);
    await writeFile(join(folder.path, '00000001.json'), text);
    await expect(readState(folder)).rejects.toMatchObject({
      name: 'PeerError',
      problems: [{ code: 'unreadable-state', place: { key }, fix: expect.stringContaining('newest file') }],
    });
    await expect(changeState(folder, () => state)).rejects.toMatchObject({ problems: [{ code: 'unreadable-state' }] });
    expect(await folder.read()).toEqual({ number: 1, text });
  });
});

test('traffic is open when anything may reach the canary', () => {
  const none = { canaryWeight: 0, mirrorPercent: 0 };
  expect(isOpen(none)).toBe(false);
  expect(isOpen({ ...none, canaryWeight: 1 })).toBe(true);
  expect(isOpen({ ...none, mirrorPercent: 1 })).toBe(true);
  expect(isOpen({ ...none, header: { name: 'a', value: 'b' } })).toBe(true);
});
