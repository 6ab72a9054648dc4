import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { headOnly, parsePolicy } from '../../core/policy/index.ts';
import { judgeModel, type ModelJudgement } from './run.ts';
import { checkOf } from './scene.ts';

interface Expected {
  readonly models: Readonly<Record<string, Readonly<Record<string, number | Readonly<Record<string, number>>>>>>;
}

function example(name: string) {
  const directory = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const expected: Expected = JSON.parse(readFileSync(`${directory}/expected.json`, 'utf8'));
  const judge = async (policy: string): Promise<ModelJudgement> => {
    await using engine = await openEngine({ threads: 1 });
    const loaded = headOnly(parsePolicy(policy, 'sluice.yaml'));
    return await judgeModel({ policy: loaded, directory, engine, host: silentHost });
  };
  const file = (policy: string) => judge(readFileSync(`${directory}/${policy}`, 'utf8'));
  return { directory, expected, judge, file };
}

/** A gate with a bound that asks nothing for each value that scikit-learn's reference has. */
function gatesFor(values: Expected['models'][string]): string {
  const bounds = Object.entries(values)
    .filter(([, value]) => typeof value === 'number')
    .map(([name]) => `  ${name}: { min: ${name === 'r2' || name === 'matthews_corrcoef' ? -1 : 0} }`);
  const fairness = values['fairness'];
  if (typeof fairness === 'object') {
    bounds.push('  fairness:', '    group: sex', ...Object.keys(fairness).map((name) => `    ${name}: { min: 0 }`));
  }
  return ['gates:', ...bounds].join('\n');
}

describe.each([
  ['breast-cancer', 'evaluation: { source: data/test.csv, target: diagnosis, positive: malignant }'],
  ['diabetes', 'evaluation: { source: data/test.parquet, target: progression }'],
])('the example %s', (name, evaluation) => {
  const { expected, judge } = example(name);

  it.each(Object.keys(expected.models))('measures its model %s as scikit-learn and Fairlearn do', async (model) => {
    const values = expected.models[model] ?? {};
    const policy = `version: 1\nmodel: { path: models/${model}.onnx, baseline: none }\n${evaluation}\n${gatesFor(values)}\nevidence: off\n`;
    const judgement = await judge(policy);
    for (const [metric, value] of Object.entries(values)) {
      if (typeof value === 'number')
        expect(checkOf(judgement, `gate/${metric}/min`).observed, metric).toBeCloseTo(value, 9);
    }
    const fairness = values['fairness'];
    for (const [metric, value] of Object.entries(typeof fairness === 'object' ? fairness : {})) {
      expect(checkOf(judgement, `gate/fairness/${metric}/min`).observed, metric).toBeCloseTo(value, 9);
    }
  });
});

describe('the candidates of breast-cancer', () => {
  const { file } = example('breast-cancer');
  const statuses = (judgement: ModelJudgement) => new Set(judgement.checks.map(({ status }) => status));

  it('hold every bound when good', async () => {
    expect(statuses(await file('sluice.yaml'))).toEqual(new Set(['pass']));
  });

  it('break none and leave some open when near the bounds', async () => {
    const judgement = await file('sluice-uncertain.yaml');
    expect(statuses(judgement)).toEqual(new Set(['pass', 'inconclusive']));
    expect(checkOf(judgement, 'gate/accuracy/min').rowsToSettle).toBeGreaterThan(1000);
  });

  it('break accuracy, recall and the comparison when worse', async () => {
    const judgement = await file('sluice-worse.yaml');
    for (const id of ['gate/accuracy/min', 'gate/accuracy/max_regression', 'gate/recall/min']) {
      expect(checkOf(judgement, id).status).toBe('fail');
    }
  });

  it('come out the same on every run', async () => {
    const without = ({ checks }: ModelJudgement) => checks.filter(({ id }) => !id.startsWith('gate/latency'));
    expect(without(await file('sluice.yaml'))).toEqual(without(await file('sluice.yaml')));
  });
});

describe('the candidates of diabetes', () => {
  const { file } = example('diabetes');

  it('hold every bound when good, the groups alike', async () => {
    expect(new Set((await file('sluice.yaml')).checks.map(({ status }) => status))).toEqual(new Set(['pass']));
  });

  it('are not fair beyond doubt without the column sex', async () => {
    const judgement = await file('sluice-unfair.yaml');
    expect(checkOf(judgement, 'gate/fairness/mean_residual_difference/max').status).toBe('inconclusive');
  });
});
