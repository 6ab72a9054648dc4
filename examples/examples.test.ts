import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../actions/pull-request-gate/run.ts';
import { silentHost } from '../core/host/index.ts';
import type { Check, Report } from '../core/report/index.ts';

const judge = (example: string, policy: string): Promise<Report> =>
  run(
    {
      policyFile: policy,
      directory: join(import.meta.dirname, example),
      comment: 'never',
      checkRun: false,
      today: '2026-01-01',
    },
    silentHost,
  );

/** What a person looks at first: which checks are not a plain pass. */
const attention = (report: Report) =>
  Object.fromEntries(report.checks.filter(({ status }) => status !== 'pass').map(({ id, status }) => [id, status]));

const check = (report: Report, id: string): Check => {
  const found = report.checks.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no check ${id} among ${report.checks.map((c) => c.id).join(', ')}`);
  return found;
};

interface Expected {
  readonly models: Readonly<Record<string, Readonly<Record<string, number | Readonly<Record<string, number>>>>>>;
}
const expectedOf = async (example: string, model: string) => {
  const text = await readFile(join(import.meta.dirname, example, 'expected.json'), 'utf8');
  return (JSON.parse(text) as Expected).models[model] ?? {};
};

/** Every metric the policy bounds is scikit-learn's to 1e-9, of the candidate and of the baseline. Says which were compared. */
async function compareMetrics(example: string, candidate: string, report: Report): Promise<readonly string[]> {
  const expected = await expectedOf(example, candidate);
  const baseline = await expectedOf(example, 'baseline');
  const compared = new Set<string>();
  for (const { id, observed, baseline: held } of report.checks) {
    const [, name = '', bound] = /^gate\/(\w+)\/(min|max)$/.exec(id) ?? [];
    const value = expected[name];
    if (bound === undefined || typeof value !== 'number') continue;
    expect(observed, `${candidate} ${name}`).toBeCloseTo(value, 9);
    if (held !== undefined) expect(held, `baseline ${name}`).toBeCloseTo(Number(baseline[name]), 9);
    compared.add(name);
  }
  return [...compared].sort();
}

describe('breast-cancer', () => {
  const metrics = ['accuracy', 'f1', 'log_loss', 'precision', 'recall', 'roc_auc'];

  test('the good candidate passes every check', async () => {
    const report = await judge('breast-cancer', 'sluice.yaml');
    expect(attention(report)).toEqual({});
    expect(report.verdict).toBe('passed');
    expect(await compareMetrics('breast-cancer', 'good', report)).toEqual(metrics);
  });

  test('the uncertain candidate is inconclusive where its interval contains the bound, which warns', async () => {
    const report = await judge('breast-cancer', 'sluice-uncertain.yaml');
    const accuracy = check(report, 'gate/accuracy/min');
    expect(accuracy.status).toBe('inconclusive');
    expect(accuracy.evidence?.lower).toBeLessThan(0.9);
    expect(accuracy.evidence?.upper).toBeGreaterThan(0.9);
    expect(accuracy.rowsToSettle).toBeGreaterThan(0);
    expect(new Set(Object.values(attention(report)))).toEqual(new Set(['inconclusive']));
    expect(report.verdict).toBe('passed');
    expect(await compareMetrics('breast-cancer', 'uncertain', report)).toEqual(metrics);
  });

  test('the worse candidate fails: even the upper bounds are below what is demanded, and below the baseline', async () => {
    const report = await judge('breast-cancer', 'sluice-worse.yaml');
    expect(attention(report)).toMatchObject({
      'gate/accuracy/min': 'fail',
      'gate/accuracy/max_regression': 'fail',
      'gate/recall/min': 'fail',
      'gate/f1/min': 'fail',
      'gate/roc_auc/min': 'fail',
      'gate/log_loss/max': 'fail',
    });
    expect(check(report, 'gate/accuracy/min').evidence?.upper).toBeLessThan(0.9);
    expect(report.verdict).toBe('failed');
    expect(await compareMetrics('breast-cancer', 'worse', report)).toEqual(metrics);
  });
});

describe('diabetes', () => {
  const metrics = ['mae', 'mape', 'mse', 'r2', 'rmse'];

  test('the good candidate passes every check', async () => {
    const report = await judge('diabetes', 'sluice.yaml');
    expect(attention(report)).toEqual({});
    expect(report.verdict).toBe('passed');
    expect(await compareMetrics('diabetes', 'good', report)).toEqual(metrics);
  });

  test('the candidate without the column sex is not shown to be fair, and the policy wants it shown', async () => {
    const report = await judge('diabetes', 'sluice-unfair.yaml');
    expect(attention(report)).toEqual({ 'gate/fairness/mean_residual_difference/max': 'inconclusive' });
    expect(report.verdict).toBe('failed');
    expect(await compareMetrics('diabetes', 'unfair', report)).toEqual(metrics);
  });

  test('the candidate that knows the age alone fails', async () => {
    const report = await judge('diabetes', 'sluice-worse.yaml');
    expect(check(report, 'gate/mae/max').status).toBe('fail');
    expect(check(report, 'gate/mae/max_regression').status).toBe('fail');
    expect(report.verdict).toBe('failed');
    expect(await compareMetrics('diabetes', 'worse', report)).toEqual(metrics);
  });

  test("differences between the sexes are Fairlearn's", async () => {
    for (const [policy, model] of [
      ['sluice.yaml', 'good'],
      ['sluice-unfair.yaml', 'unfair'],
    ] as const) {
      const report = await judge('diabetes', policy);
      const { fairness } = await expectedOf('diabetes', model);
      for (const name of ['mean_residual_difference', 'mae_difference']) {
        const expected = typeof fairness === 'object' ? fairness[name] : undefined;
        expect(check(report, `gate/fairness/${name}/max`).observed, name).toBeCloseTo(expected ?? Number.NaN, 9);
      }
    }
  });
});
