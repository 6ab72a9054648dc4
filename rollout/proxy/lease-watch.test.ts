import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { firstRecord } from '../state/claim.ts';
import { type Phase, parseRecord, phases, type RolloutRecord, recordText } from '../state/record.ts';
import { RevisionFolder } from '../traffic/revision-folder.ts';
import { isExpired, isFinishing, LeaseWatch } from './lease-watch.ts';
import { changeState, type ProxyState, readState } from './proxy-state.ts';

let directory: string;
let folder: RevisionFolder;
let told: string[];
let watch: LeaseWatch;
/** Says what a proxy says that follows the state. */
const control = createServer(async (_, response) => {
  const { changes, traffic } = (await readState(folder)) ?? state;
  response.end(JSON.stringify({ changes, traffic }));
});
beforeAll(async () => {
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
});
afterAll(() => control.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-lease-'));
  folder = new RevisionFolder(join(directory, 'state'));
  told = [];
  watch = new LeaseWatch(folder, 'proxy', (message) => told.push(message));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = { canaryWeight: 50, mirrorPercent: 0 };
const none = { canaryWeight: 0, mirrorPercent: 0 };
const state: ProxyState = {
  version: 1,
  baseline: 'http://127.0.0.1:9',
  canary: 'http://127.0.0.1:10',
  traffic: open,
  changes: 3,
};
const record = (changes: Partial<RolloutRecord> = {}): RolloutRecord => ({
  ...firstRecord({ id: 'r-1', holder: 'run', plan: 'p', now: 1000, lease: 1000 }),
  phase: 'step',
  traffic: open,
  ...changes,
});
const withRecord = (changes: Partial<RolloutRecord> = {}, lease = { expires: 0, rolloutId: 'r-1' }): ProxyState => ({
  ...state,
  lease,
  record: recordText(record(changes)),
});

async function seen(state: ProxyState): Promise<ProxyState | undefined> {
  const put = { ...state, control: `http://127.0.0.1:${(control.address() as AddressInfo).port}` };
  await changeState(folder, () => put);
  watch.check(put);
  await watch.settled();
  return readState(folder);
}

describe('a lease', () => {
  test('is over when its time is, and never where there is none', () => {
    expect(isExpired(state, Number.MAX_VALUE)).toBe(false);
    const bare: ProxyState = { ...state, lease: { expires: 5000, rolloutId: 'r-1' } };
    expect([isExpired(bare, 5000), isExpired(bare, 5001)]).toEqual([false, true]);
  });

  test('is the one in the record of its rollout, which is renewed at every look', () => {
    const late = withRecord({ leaseUntil: 9000 });
    expect([isExpired(late, 9000), isExpired(late, 9001)]).toEqual([false, true]);
    // A lease of another rollout, or beside a record that nobody can read, is its own.
    expect(isExpired(withRecord({ leaseUntil: 9000 }, { expires: 0, rolloutId: 'r-0' }), 1)).toBe(true);
    expect(isExpired({ ...late, record: 'no record' }, 1)).toBe(true);
  });

  test('is over in every phase but those in which the rollout is', () => {
    const expired = (phase: Phase): boolean => isExpired(withRecord({ phase, leaseUntil: 1 }), 2);
    expect(phases.filter((phase) => !expired(phase))).toEqual(['promoted', 'rolled-back']);
    expect(phases.filter((phase) => isFinishing(withRecord({ phase })))).toEqual(['finishing']);
    expect(isFinishing(state)).toBe(false);
  });
});

describe('whoever watches a lease', () => {
  test('closes the traffic when no record says more', async () => {
    const after = await seen({ ...state, lease: { expires: 0, rolloutId: 'r-1' } });
    expect(after).toMatchObject({ traffic: none, changes: 4, restored: { rolloutId: 'r-1' } });
    expect(after?.lease).toBeUndefined();
    expect(told).toEqual(['The lease of r-1 ran out: all traffic is back at the baseline.']);
  });

  test('ends the rollout that the record is of', async () => {
    const after = await seen(withRecord({ leaseUntil: 1 }));
    expect(after).toMatchObject({ traffic: none });
    expect(parseRecord(after?.record ?? '')).toMatchObject({
      phase: 'rolled-back',
      holder: 'proxy',
      reason: expect.stringContaining('the lease ran out'),
    });
    expect(after?.lease).toBeUndefined();
  });

  test('goes forward with what is on its way to be the baseline', async () => {
    const after = await seen(
      withRecord({ phase: 'finishing', leaseUntil: 1, traffic: { ...open, canaryWeight: 100 } }),
    );
    expect(after).toMatchObject({ baseline: 'http://127.0.0.1:10', traffic: none });
    expect(parseRecord(after?.record ?? '').phase).toBe('promoted');
    expect(told).toEqual(['The lease of r-1 ran out; the canary was the new baseline already.']);
  });

  test('leaves alone what was renewed since it looked', async () => {
    const stale = withRecord({ leaseUntil: 1 });
    const renewed = withRecord({ leaseUntil: Date.now() + 600_000 });
    await changeState(folder, () => renewed);
    watch.check(stale);
    await watch.settled();
    expect(await readState(folder)).toEqual(renewed);
    expect(told).toEqual([]);
    const bare: ProxyState = { ...state, lease: { expires: Date.now() + 600_000, rolloutId: 'r-1' } };
    await changeState(folder, () => bare);
    const other = new LeaseWatch(folder, 'proxy', (message) => told.push(message));
    other.check({ ...bare, lease: { expires: 0, rolloutId: 'r-1' } });
    await other.settled();
    expect(await readState(folder)).toEqual(bare);
    expect(told).toEqual([]);
  });

  test('does one thing at a time, and tells what failed', async () => {
    const expired = {
      ...withRecord({ leaseUntil: 1 }),
      control: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
    };
    await changeState(folder, () => expired);
    for (let look = 0; look < 5; look++) watch.check(expired);
    await watch.settled();
    expect(told).toHaveLength(1);
    const nowhere = new LeaseWatch(new RevisionFolder(join(directory, 'none')), 'proxy', (message) =>
      told.push(message),
    );
    nowhere.check(expired);
    await nowhere.settled();
    expect(told[1]).toMatch(/^The lease of r-1 ran out: .*no proxy has begun here/);
  });
});
