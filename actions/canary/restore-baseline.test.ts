import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Host, silentHost } from '../../core/host/index.ts';
import {
  openLocalTraffic,
  parseRecord,
  type RolloutRecord,
  type RunningProxy,
  recordText,
  startProxy,
} from '../../rollout/index.ts';
import { restoreBaseline } from './restore-baseline.ts';
import { parseSavedRun, type SavedRun } from './saved-run.ts';

const holder = 'https://github.com/acme/churn/actions/runs/17 attempt 1 (0a1b2c3d)';

let directory: string;
let proxy: RunningProxy;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-post-'));
  const none = 'http://127.0.0.1:9';
  proxy = await startProxy({ state: join(directory, 'proxy'), baseline: `${none}/old`, canary: `${none}/new` });
  await writeFile(join(directory, 'event.json'), '{}');
  vi.stubEnv('GITHUB_EVENT_NAME', 'workflow_dispatch');
  vi.stubEnv('GITHUB_EVENT_PATH', join(directory, 'event.json'));
  vi.stubEnv('GITHUB_REPOSITORY', 'acme/churn');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await proxy.close();
  await rm(directory, { recursive: true, force: true });
});

const saved = (): SavedRun => ({ id: 'v2', holder, directory, traffic: { provider: 'local', state: 'proxy' } });

/** The rollout as a run left it when it died. */
async function left(more: Partial<RolloutRecord> = {}, canaryWeight = 25): Promise<void> {
  await using provider = openLocalTraffic({ state: join(directory, 'proxy') });
  const traffic = { canaryWeight, mirrorPercent: 0 };
  const now = Date.now();
  const record: RolloutRecord = {
    ...{ v: 1, id: 'v2', holder, leaseUntil: now + 600_000, phase: 'step', traffic, stage: 0, passed: 0 },
    ...{ startedAt: now, stageAt: now, plan: 'p', looks: 3, drifts: 0 },
    ...more,
  };
  await provider.move({ record: recordText(record), traffic, after: undefined });
}

async function standing() {
  await using provider = openLocalTraffic({ state: join(directory, 'proxy') });
  const stored = await provider.record();
  const record = stored === undefined ? undefined : parseRecord(stored.text);
  return { phase: record?.phase, reason: record?.reason, weight: (await provider.read()).desired.canaryWeight };
}

function writing(): Host & { readonly summaries: string[] } {
  const summaries: string[] = [];
  return {
    ...silentHost,
    summaries,
    summary: async (text) => {
      summaries.push(text);
    },
  };
}

describe('after a run, its post', () => {
  test('gives the baseline everything back where the run was killed, and says so', async () => {
    await left();
    const host = writing();
    const record = await restoreBaseline(saved(), host);
    expect(record?.phase).toBe('rolled-back');
    expect(await standing()).toEqual({
      phase: 'rolled-back',
      weight: 0,
      reason: expect.stringContaining('the job ended before'),
    });
    expect(host.summaries).toEqual([expect.stringContaining('## Canary rolled back')]);
  });

  test('goes forward where the canary already was becoming the baseline', async () => {
    await left({ phase: 'finishing' }, 100);
    expect((await restoreBaseline(saved(), silentHost))?.phase).toBe('promoted');
  });

  test.each<[string, Partial<RolloutRecord>]>([
    ['belongs to another run', { holder: 'another run' }],
    ['holds for the next run', { phase: 'holding', back: 'step' }],
    ['was promoted', { phase: 'promoted', endedAt: 1 }],
    ['was rolled back', { phase: 'rolled-back', endedAt: 1 }],
  ])('leaves a rollout alone that %s', async (_, more) => {
    await left(more);
    const before = await standing();
    const host = writing();
    expect(await restoreBaseline(saved(), host)).toBeUndefined();
    expect([await standing(), host.summaries]).toEqual([before, []]);
  });

  test('finds nothing to do where nothing was recorded yet', async () => {
    expect(await restoreBaseline(saved(), silentHost)).toBeUndefined();
  });

  test('does it once: a second finds it over', async () => {
    await left();
    await restoreBaseline(saved(), silentHost);
    expect(await restoreBaseline(saved(), silentHost)).toBeUndefined();
  });
});

describe('what a run leaves for its post', () => {
  test('comes back as it was', () => {
    const run: SavedRun = {
      ...saved(),
      traffic: { provider: 'istio', namespace: 'shop', virtual_service: 'churn', baseline: 'v1', canary: 'v2' },
      guard: { image: 'sluice', service_account: 'guard' },
      context: 'shop',
      kubeconfig: '/home/runner/.kube/config',
    };
    expect(parseSavedRun(JSON.stringify(run))).toEqual(run);
  });

  test.each(['', 'null', '{"id":"v2"}'])('is refused where it is %j', (text) => {
    expect(() => parseSavedRun(text)).toThrow();
  });
});
