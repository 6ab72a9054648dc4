import { describe, expect, it } from 'vitest';
import { classifierModel } from '../../core/onnx/index.ts';
import { checkOf, csv, judge } from './scene.ts';

// Scores are the three columns: the class is the largest one.
const model = classifierModel(
  [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  [0, 0, 0],
);
/** 300 rows of three classes; every third row of class 2 looks like class 1, every twelfth of the others like the next. */
const rows = Array.from({ length: 300 }, (_, row) => {
  const label = row % 3;
  const turn = Math.floor(row / 3);
  const looks = label === 2 ? (turn % 3 === 0 ? 1 : 2) : turn % 12 === 0 ? label + 1 : label;
  const near = (looks + 1 + (turn % 2)) % 3;
  return [0, 1, 2].map((each) => (each === looks ? 2 : each === near ? 1 : 0) + (row % 7) / 20);
});
const table = csv(
  ['a', 'b', 'c', 'label'],
  rows.map((scores, row) => [...scores, row % 3]),
);

function judged(gates: string, end = '') {
  const policy = [
    'version: 1',
    'model: { path: model.onnx, baseline: none }',
    'evaluation: { source: rows.csv, target: label }',
    `gates: { ${gates} }`,
    end,
  ].join('\n');
  return judge({ policy, files: { 'model.onnx': model, 'rows.csv': table } });
}

describe('average: none', () => {
  it('holds every class to the bound by itself, all of them as one family', async () => {
    const judgement = await judged('recall: { min: 0.8, average: none }');
    expect(judgement.checks.map(({ id }) => id)).toEqual([0, 1, 2].map((label) => `gate/recall/min[class=${label}]`));
    expect(checkOf(judgement, 'gate/recall/min[class=0]')).toMatchObject({
      status: 'pass',
      evidence: { method: 'Wilson', n: 100 },
    });
    const worst = checkOf(judgement, 'gate/recall/min[class=2]');
    expect(worst).toMatchObject({ status: 'fail', observed: 0.66 });
    expect(worst.message).toContain('Among 3 class checks');
  });

  it('compares the average with the baseline', async () => {
    const files = { 'model.onnx': model, 'rows.csv': table };
    const policy =
      'version: 1\nmodel: { path: model.onnx }\nevaluation: { source: rows.csv, target: label }\ngates: { f1: { min: 0.5, max_regression: 0.01, average: none } }\n';
    const judgement = await judge({ policy, files, base: { 'model.onnx': model } });
    expect(judgement.checks.map(({ id }) => id)).toEqual([
      'gate/f1/max_regression',
      ...[0, 1, 2].map((label) => `gate/f1/min[class=${label}]`),
      'gate/signature/breaking',
    ]);
    expect(checkOf(judgement, 'gate/f1/max_regression').status).toBe('pass');
  });

  it('compares points when evidence is off', async () => {
    const judgement = await judged('f1: { min: 0.66, average: none }', 'evidence: off');
    expect(judgement.checks.every(({ evidence }) => evidence?.method === 'point')).toBe(true);
    for (const { observed, status } of judgement.checks)
      expect(status).toBe(Number(observed) >= 0.66 ? 'pass' : 'fail');
  });
});

describe('metrics of many classes', () => {
  it('are measured as their options say', async () => {
    const judgement = await judged(
      'top_k_accuracy: { min: 0.9, k: 2 }, roc_auc: { min: 0.8, multi_class: ovo, average: weighted }, cohen_kappa: { min: 0.5, weights: quadratic }, jaccard: { min: 0.5 }',
    );
    const methods = Object.fromEntries(judgement.checks.map(({ id, evidence }) => [id, evidence?.method]));
    expect(methods).toEqual({
      'gate/jaccard/min': expect.stringContaining('BCa'),
      'gate/roc_auc/min': expect.stringContaining('BCa'),
      'gate/cohen_kappa/min': expect.stringContaining('BCa'),
      'gate/top_k_accuracy/min': 'Wilson',
    });
    for (const { status, observed, evidence } of judgement.checks) {
      expect(['pass', 'fail', 'inconclusive']).toContain(status);
      expect(evidence?.lower).toBeLessThan(Number(observed));
      expect(evidence?.upper).toBeGreaterThan(Number(observed));
    }
  });

  it('are no measurement where every row is among the best by itself', async () => {
    const judgement = await judged('top_k_accuracy: { min: 0.9, k: 3 }');
    expect(checkOf(judgement, 'gate/top_k_accuracy/min')).toMatchObject({
      status: 'error',
      message: expect.stringContaining('always among the best 3 of 3 classes'),
    });
  });
});
