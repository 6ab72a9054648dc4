import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stricterOf } from '../core/policy/index.ts';
import { PeerError, PolicyError } from '../core/problem/index.ts';
import { type Check, renderMarkdown, renderTerminal } from '../core/report/index.ts';
import manifest from '../package.json' with { type: 'json' };
import { loadEffectivePolicy } from './effective-policy.ts';
import { gateReport } from './gate-report.ts';
import type { GateInputs } from './inputs.ts';
import { recordingHost } from './recording-host.ts';

vi.mock('../core/policy/index.ts', { spy: true });
const joining = vi.mocked(stricterOf);

const data = (rows: number) => `data:\n  - source: train.csv\n    checks:\n      - row_count: { min: ${rows} }\n`;
const strict = `version: 1\n${data(1000)}`;
const lax = `version: 1\n${data(10)}`;

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
  git('init', '-q', '-b', 'main');
  await mkdir(join(directory, 'ml'));
  await writeFile(join(directory, 'README.md'), 'x');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function git(...parameters: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', directory, ...identity, ...parameters], { stdio: 'pipe' })
    .toString()
    .trim();
}
async function commit(policy: string | undefined): Promise<string> {
  const file = join(directory, 'ml', 'sluice.yaml');
  await (policy === undefined ? rm(file, { force: true }) : writeFile(file, policy));
  git('add', '-A');
  git('commit', '-q', '--allow-empty', '-m', 'x');
  return git('rev-parse', 'HEAD');
}
const inputs = (more: Partial<GateInputs> = {}): GateInputs => ({
  policyFile: 'ml/sluice.yaml',
  directory,
  comment: 'never',
  checkRun: false,
  today: '2026-11-21',
  ...more,
});
async function pullRequest(base: string, head: string): Promise<Readonly<Record<string, string>>> {
  const file = join(directory, '.git', 'event.json');
  const payload = { pull_request: { number: 1, head: { sha: head, repo: null }, base: { sha: base, repo: null } } };
  await writeFile(file, JSON.stringify(payload));
  return { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: file, GITHUB_REPOSITORY: 'acme/models' };
}
const minimum = (gate: Awaited<ReturnType<typeof loadEffectivePolicy>>) =>
  gate.policy.policy.data?.[0]?.checks[0]?.row_count?.min;

describe('loadEffectivePolicy', () => {
  test('a pull request that lowers a bound is judged by the base bound, and the difference is kept', async () => {
    const base = await commit(strict);
    const head = await commit(lax);
    const env = await pullRequest(base, head);
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'event' } }), recordingHost(), env);
    expect(minimum(gate)).toBe(1000);
    expect(gate.policy.origin).toBe('base-and-head');
    expect(gate.policy.differences).toMatchObject([{ base: '1000', head: '10', effective: 'base' }]);
    expect(gate.commit).toEqual({ head, base });
    expect(gate.directory).toBe(join(directory, 'ml'));
    expect(gate.notices).toEqual([]);
    expect(gate.event?.pullRequest).toBe(1);
  });

  test("a bound that the pull request tightens counts, and a ref works like an event's base", async () => {
    const base = await commit(lax);
    await commit(strict);
    expect(minimum(await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: base } }), recordingHost()))).toBe(
      1000,
    );
  });

  test('the first pull request is judged by its own policy, and that is said', async () => {
    await commit(undefined);
    await commit(lax);
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    expect(minimum(gate)).toBe(10);
    expect(gate.policy.origin).toBe('head-only');
    expect(gate.notices).toEqual([{ level: 'notice', message: expect.stringContaining('has no ml/sluice.yaml') }]);
    expect(gate.base).toBeDefined();
  });

  test("a base policy that is broken can be mended: the head's counts, with a loud warning", async () => {
    await commit('version: 1\nunknown: 1\n');
    await commit(lax);
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    expect(minimum(gate)).toBe(10);
    expect(gate.notices).toEqual([{ level: 'warning', message: expect.stringContaining('is not a valid policy') }]);
  });

  test('a base policy that only another version of Sluice takes never opens the gate unseen', async () => {
    await commit(`${strict}invented_by_another_version: true\n`);
    await commit(lax);
    const host = recordingHost();
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), host);
    const passing = {
      id: 'data/train.csv/row_count',
      title: 'rows',
      section: 'data',
      status: 'pass',
      message: 'enough',
    };
    const report = gateReport(gate, { checks: [passing as Check], sources: [] }, inputs());
    expect(report.verdict).toBe('passed');
    const said = `not a valid policy to Sluice ${manifest.version} (line 6: unknown key`;
    // The comment and the job summary are this Markdown; a warning of the host is an annotation, and is told by --quiet too.
    const plain = (text: string) => text.replace(/\s+/g, ' ').replaceAll('&#40;', '(');
    const markdown = plain(renderMarkdown(report));
    expect(markdown).toContain('[!WARNING]');
    expect(markdown).toContain(said);
    expect(plain(renderTerminal(report, { colour: false, width: 80 }))).toContain(said);
    expect(host.of('warning')).toEqual([expect.stringContaining(said)]);
  });

  test('a pull request that leaves such a policy alone is an error, not a pass', async () => {
    await commit(`${strict}invented_by_another_version: true\n`);
    await commit(`${strict}invented_by_another_version: true\n`);
    const loading = loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    await expect(loading).rejects.toThrow(PolicyError);
  });

  test('two sound policies that cannot stand together are an error, never "judge by the head alone"', async () => {
    const judging = (gate: string) =>
      `version: 1\nmodel: { path: m.onnx }\nevaluation: { source: t.csv, target: y }\ngates: { ${gate} }\n`;
    await commit(judging('accuracy: { min: 0.9 }'));
    await commit(judging('mae: { max: 1 }'));
    const loading = loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    await expect(loading).rejects.toThrow(/cannot stand together/);
  });

  test('whatever joining two sound policies throws is not taken for a broken base', async () => {
    await commit(strict);
    await commit(lax);
    const thrown = new PolicyError({ code: 'conflict', message: 'they do not fit' });
    joining.mockImplementationOnce(() => {
      throw thrown;
    });
    const loading = loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    await expect(loading).rejects.toBe(thrown);
  });

  test('without a base in the event the checked-out policy decides, and that is said', async () => {
    await commit(lax);
    const env = { GITHUB_EVENT_NAME: 'schedule', GITHUB_REPOSITORY: 'acme/models', GITHUB_SHA: 'a'.repeat(40) };
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'event' } }), recordingHost(), env);
    expect(gate.base).toBeUndefined();
    expect(gate.commit).toEqual({ head: 'a'.repeat(40) });
    expect(gate.notices).toEqual([{ level: 'notice', message: expect.stringContaining('schedule names no base') }]);
  });

  test('when nobody asked for a base there is nothing to say', async () => {
    await commit(lax);
    expect((await loadEffectivePolicy(inputs(), recordingHost())).notices).toEqual([]);
  });

  test('a base that cannot be reached is an error, never "no base"', async () => {
    const head = await commit(lax);
    const env = await pullRequest('d'.repeat(40), head);
    const loading = loadEffectivePolicy(inputs({ base: { kind: 'event' } }), recordingHost(), env);
    await expect(loading).rejects.toThrow(PeerError);
  });

  test('a broken head policy is an error with its line, whatever the base holds', async () => {
    await commit(strict);
    await commit('version: 1\ngate: {}\n');
    const loading = loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    await expect(loading).rejects.toThrow(PolicyError);
    await expect(loading).rejects.toThrow(/^ml\/sluice\.yaml:2/);
  });

  test('a missing policy is named as the user wrote it', async () => {
    await expect(loadEffectivePolicy(inputs({ policyFile: 'ml/absent.yaml' }), recordingHost())).rejects.toThrow(
      /^ml\/absent\.yaml/,
    );
  });

  test('the token is masked before it is used', async () => {
    const base = await commit(strict);
    const host = recordingHost();
    const env = await pullRequest(base, base);
    await loadEffectivePolicy(inputs({ base: { kind: 'event' }, token: 'ghs_secret' }), host, env);
    expect(host.of('secret')).toEqual(['ghs_secret']);
  });
});

describe('gateReport', () => {
  const failing = {
    id: 'data/train.csv/row_count',
    title: 'rows',
    section: 'data',
    status: 'fail',
    message: 'too few',
  } as const;
  const waived = (expires: string) =>
    `${strict}waivers:\n  - check: data/train.csv/row_count\n    reason: migration\n    expires: ${expires}\n`;

  test("applies the base's waivers, on the day they are held against", async () => {
    await commit(waived('2026-11-21'));
    await commit(strict);
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    const report = gateReport(gate, { checks: [failing], sources: [] }, inputs());
    expect(report.checks[0]).toMatchObject({ status: 'waived', waiver: { reason: 'migration' } });
    expect(report.verdict).toBe('passed');
    const later = gateReport(gate, { checks: [failing], sources: [] }, inputs({ today: '2026-11-22' }));
    expect(later.verdict).toBe('failed');
  });

  test('a waiver that the pull request brings does not count yet', async () => {
    await commit(strict);
    await commit(waived('2026-12-31'));
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    expect(gateReport(gate, { checks: [failing], sources: [] }, inputs()).verdict).toBe('failed');
  });

  test('is named by the policy, else by its folder, and carries the notices of the gate', async () => {
    await commit(undefined);
    await commit(lax);
    const gate = await loadEffectivePolicy(inputs({ base: { kind: 'ref', ref: 'HEAD~1' } }), recordingHost());
    const report = gateReport(gate, { checks: [failing], sources: [] }, inputs());
    expect(report.name).toBe('ml');
    expect(report.notices).toHaveLength(1);
    expect(report.policy).toMatchObject({ file: 'ml/sluice.yaml', evidence: 0.9, onInconclusive: 'warn' });
    await writeFile(join(directory, 'ml', 'sluice.yaml'), `name: churn\n${lax}`);
    const named = await loadEffectivePolicy(inputs(), recordingHost());
    expect(gateReport(named, { checks: [failing], sources: [] }, inputs()).name).toBe('churn');
  });

  test('nothing judged is an error', async () => {
    await commit(lax);
    const gate = await loadEffectivePolicy(inputs(), recordingHost());
    expect(gateReport(gate, { checks: [], sources: [] }, inputs()).verdict).toBe('error');
  });
});
