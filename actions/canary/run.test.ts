import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Host, silentHost } from '../../core/host/index.ts';
import { openLocalTraffic, parseRecord, type RunningProxy, startProxy } from '../../rollout/index.ts';
import { type CanaryInputs, parseSavedRun, run, type SavedRun } from './run.ts';

// What a run does before and around a rollout; rollouts themselves are in cli/canary-run.test.ts and rollout/.

const policy = `version: 1
name: churn
canary:
  traffic: { provider: local, state: proxy }
  metrics: { source: proxy }
  strategy: { kind: steps, weights: [50] }
waivers:
  - check: rollout/outcome
    reason: it should be promoted whatever happens
    expires: 2099-01-01
on_inconclusive: error
`;

let directory: string;
let proxy: RunningProxy;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-run-'));
  await writeFile(join(directory, 'sluice.yaml'), policy);
  proxy = await startProxy({
    state: join(directory, 'proxy'),
    baseline: 'http://127.0.0.1:9/old',
    canary: 'http://127.0.0.1:9/new',
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await proxy.close();
  await rm(directory, { recursive: true, force: true });
});

function inputs(more: Partial<CanaryInputs> = {}): CanaryInputs {
  return { policyFile: 'sluice.yaml', directory, id: 'v2', comment: 'never', checkRun: false, ...more };
}

async function record() {
  await using provider = openLocalTraffic({ state: join(directory, 'proxy') });
  const stored = await provider.record();
  return stored === undefined ? undefined : parseRecord(stored.text);
}

/** A host that remembers outputs and secrets. */
function remembering(): Host & { readonly outputs: Map<string, string>; readonly secrets: string[] } {
  const outputs = new Map<string, string>();
  const secrets: string[] = [];
  return {
    ...silentHost,
    outputs,
    secrets,
    output: (name, value) => outputs.set(name, value),
    secret: (value) => secrets.push(value),
  };
}

describe('a run', () => {
  test('that is cancelled before it begins leaves no record, so that its id can be used again', async () => {
    const begun = run(inputs(), silentHost, { signal: AbortSignal.abort('the job was cancelled (SIGINT)') });
    await expect(begun).rejects.toThrow(/nothing was moved: the job was cancelled \(SIGINT\)/);
    expect(await record()).toBeUndefined();
  });

  test('that is cancelled once it has begun is rolled back, which no waiver makes a success', async () => {
    const stop = new AbortController();
    let saved: SavedRun | undefined;
    const host = remembering();
    const report = await run(inputs({ reportDirectory: 'out' }), host, {
      signal: stop.signal,
      onBegin: (told) => {
        saved = parseSavedRun(JSON.stringify(told));
        stop.abort('the job was cancelled (SIGTERM)');
      },
    });
    expect(report.verdict).toBe('failed');
    expect(report.checks[0]).toMatchObject({ id: 'rollout/outcome', status: 'fail' });
    expect(report.checks[0]?.message).toContain('(SIGTERM)');
    expect(JSON.stringify(report)).not.toContain(directory);
    expect(Object.fromEntries(host.outputs)).toMatchObject({
      outcome: 'rolled-back',
      weight: '0',
      verdict: '',
      id: 'v2',
      conclusion: 'failed',
      'report-path': join(directory, 'out'),
    });
    const { holder, ...rest } = saved ?? expect.fail('nothing was saved');
    expect(rest).toEqual({ id: 'v2', directory, traffic: { provider: 'local', state: 'proxy' } });
    expect((await record())?.holder).toBe(holder);
  });

  test('that holds is no failure, whatever the policy makes of undecided checks', async () => {
    const report = await run(inputs({ maxMinutes: 1e-9 }), silentHost);
    expect([report.verdict, report.checks[0]?.status]).toEqual(['passed', 'inconclusive']);
    expect((await record())?.phase).toBe('holding');
  });

  test('masks its tokens before anything is said', async () => {
    vi.stubEnv('GRAFANA', 'grafana-secret');
    const host = remembering();
    await run(
      inputs({
        maxMinutes: 1e-9,
        grafanaUrl: 'http://127.0.0.1:9/',
        grafanaTokenVariable: 'GRAFANA',
        webhook: 'http://127.0.0.1:9/secret',
      }),
      host,
    );
    expect(host.secrets).toEqual(expect.arrayContaining(['grafana-secret', 'http://127.0.0.1:9/secret']));
  });

  test('sends no token to metrics that only the policy names', async () => {
    vi.stubEnv('TOKEN', 'metrics-secret');
    await writeFile(
      join(directory, 'sluice.yaml'),
      policy.replace(
        '{ source: proxy }',
        '{ source: prometheus, url: "http://attacker.example", server: http, canary: { version: b }, baseline: { version: a } }',
      ),
    );
    const host = remembering();
    const sent = run(inputs({ metricsTokenVariable: 'TOKEN' }), host);
    await expect(sent).rejects.toMatchObject({ problems: [{ code: 'token-for-policy-url' }] });
    expect(host.secrets).toEqual(['metrics-secret']);
    expect(await record()).toBeUndefined();
  });
});
