import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../actions/detect-drift/run.ts';
import { silentHost } from '../core/host/index.ts';
import type { Report } from '../core/report/index.ts';

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
