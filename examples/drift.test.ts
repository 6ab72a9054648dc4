import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chart, Testing } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { run } from '../actions/detect-drift/run.ts';
import { record } from '../cli/recorded-streams.ts';
import { DriftCheckJob } from '../constructs/kubernetes/index.ts';
import { silentHost } from '../core/host/index.ts';
import type { Report } from '../core/report/index.ts';
import { parseExposition, qualityMetrics } from '../core/telemetry/index.ts';

const example = join(import.meta.dirname, 'drift');

/** The example's command, on the week its policy names or on another, and what the action would say. */
async function detect(week?: string): Promise<{ readonly report: Report; readonly outputs: Record<string, string> }> {
  const outputs: Record<string, string> = {};
  const host = { ...silentHost, output: (name: string, value: string) => Object.assign(outputs, { [name]: value }) };
  const inputs = { policyFile: 'sluice.yaml', directory: example, comment: 'never', checkRun: false } as const;
  const given = week === undefined ? {} : { given: { current: `data/${week}.csv` } };
  return { report: await run({ ...inputs, ...given, today: '2026-01-01' }, host), outputs };
}

/** Every distance is SciPy's to 1e-9. Says how many were compared. */
async function compare(report: Report, week: string): Promise<number> {
  const expected: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>> = JSON.parse(
    await readFile(join(example, 'expected.json'), 'utf8'),
  );
  let compared = 0;
  for (const { id, observed } of report.checks) {
    const [, measure = '', column = ''] = /^drift\/(\w+)\[(.+)\]$/.exec(id) ?? [];
    const value = expected[week]?.[column]?.[measure];
    if (value === undefined) continue;
    expect(observed, id).toBeCloseTo(value, 9);
    compared++;
  }
  return compared;
}

describe('drift', () => {
  test('a week like any passes, though few rows leave some columns open', async () => {
    const { report, outputs } = await detect();
    expect(report.verdict).toBe('passed');
    expect(outputs).toMatchObject({ drift: 'none', 'drifted-columns': '[]' });
    expect(new Set(report.checks.map(({ status }) => status))).toEqual(new Set(['pass', 'inconclusive']));
    expect(await compare(report, 'usual-week')).toBe(22);
  });

  test('a week of advanced cases and a scanner that reads high fails, by the columns that moved', async () => {
    const { report, outputs } = await detect('shifted-week');
    expect(report.verdict).toBe('failed');
    expect(outputs['drift']).toBe('fail');
    const drifted: readonly string[] = JSON.parse(outputs['drifted-columns'] ?? '');
    expect(drifted).toEqual(expect.arrayContaining(['mean radius', 'mean perimeter', 'mean area', 'mean texture']));
    for (const unmoved of ['mean smoothness', 'mean symmetry']) expect(drifted).not.toContain(unmoved);
    expect(report.checks.find(({ id }) => id === 'drift/drifted_columns')?.status).toBe('fail');
    expect(await compare(report, 'shifted-week')).toBe(22);
  });
});

/** What the pod of a DriftCheckJob is told to run, and the policy that is mounted for it. */
function podOf(pushgateway: string, policy: string): { readonly args: readonly string[]; readonly policy: string } {
  const digest = 'a'.repeat(64);
  const chart = new Chart(Testing.app(), 'tumours');
  const job = new DriftCheckJob(chart, 'tumour-drift', {
    image: `sluice:1@sha256:${digest}`,
    model: { name: 'tumour', version: '3' },
    policy,
    reference: { uri: 'pvc://data/reference.csv', sha256: digest },
    current: { uri: 'pvc://data/shifted-week.csv' },
    pushgateway,
    fetchImages: { verify: `busybox:1@sha256:${digest}` },
  });
  const [container] = job.workload.body.spec.jobTemplate.spec.template.spec.containers;
  return { args: container?.args ?? [], policy: job.configMap.body.data['sluice.yaml'] ?? '' };
}

test('what DriftCheckJob runs in its pod is a command that finds the drift and pushes it', async () => {
  const pushed: string[] = [];
  const server = createServer((request, response) => {
    request.on('data', (part: Buffer) => pushed.push(String(part)));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const mounted = await mkdtemp(join(tmpdir(), 'sluice-pod-'));
  try {
    const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const pod = podOf(gateway, await readFile(join(example, 'sluice.yaml'), 'utf8'));
    await writeFile(join(mounted, 'sluice.yaml'), pod.policy);
    // The pod's folders, as they are here.
    const folders = { '/policy': mounted, '/models': join(example, 'data'), '/current': join(example, 'data') };
    const argv = pod.args.map((word) =>
      Object.entries(folders).reduce((text, [there, here]) => text.replace(`=${there}/`, `=${here}/`), word),
    );
    const { exitCode, stdout, stderr } = await record(mounted, argv);
    expect(exitCode, stderr).toBe(100);
    expect(stdout).toContain('mean radius psi');
  } finally {
    server.close();
    await rm(mounted, { recursive: true });
  }
  const { families, errors } = parseExposition(pushed.join(''));
  expect(errors).toEqual([]);
  const psi = families.find(({ name }) => name === qualityMetrics.featurePsi.name);
  const radius = psi?.samples.find(({ labels }) => labels['feature'] === 'mean radius');
  expect(radius).toMatchObject({ labels: { model_name: 'tumour', model_version: '3' } });
  expect(radius?.value).toBeGreaterThan(1);
});
