import { expect, it } from 'vitest';
import { classifierModel } from '../../core/onnx/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { checkOf, csv, judge } from './scene.ts';

/** The log-odds of class 1 are the column. */
const model = classifierModel([[0, 1]], [0, 0]);
const labelled = Array.from({ length: 200 }, (_, row) => {
  const odds = ((row * 37) % 101) / 20 - 2.5;
  return [odds, (row * 61) % 97 < 97 / (1 + Math.exp(-odds)) ? 1 : 0] as const;
});
const table = csv(['x', 'label'], labelled);

function judged(threshold: string, gates: string, more: { readonly base?: string; readonly model?: Uint8Array } = {}) {
  const policy = (of: string) =>
    `version: 1\nmodel: { path: model.onnx${of} }\nevaluation: { source: rows.csv, target: label }\ngates: { ${gates} }\n`;
  return judge({
    policy: policy(threshold),
    files: { 'model.onnx': more.model ?? model, 'rows.csv': table },
    ...(more.base === undefined ? {} : { base: { 'model.onnx': model }, basePolicy: policy(more.base) }),
  });
}

const recallAt = (odds: number) => {
  const positives = labelled.filter(([, label]) => label === 1);
  return positives.filter(([x]) => x > odds).length / positives.length;
};

it('predicts the positive class where its probability is over the threshold', async () => {
  const usual = await judged('', 'recall: { min: 0.1 }');
  expect(checkOf(usual, 'gate/recall/min').observed).toBeCloseTo(recallAt(0), 12);
  const low = await judged(', threshold: 0.2', 'recall: { min: 0.1 }, roc_auc: { min: 0.1 }');
  expect(checkOf(low, 'gate/recall/min').observed).toBeCloseTo(recallAt(Math.log(0.2 / 0.8)), 12);
  expect(recallAt(Math.log(0.2 / 0.8))).toBeGreaterThan(recallAt(0));
});

it('is no same model with another threshold', async () => {
  const gates = 'recall: { max_regression: 0.01 }';
  const strict = await judged(', threshold: 0.8', gates, { base: ', threshold: 0.5' });
  expect(checkOf(strict, 'gate/recall/max_regression').status).toBe('fail');
  const same = await judged(', threshold: 0.5', gates, { base: ', threshold: 0.5' });
  expect(checkOf(same, 'gate/recall/max_regression').status).toBe('pass');
});

it('is refused of more than two classes', async () => {
  const three = classifierModel([[0, 1, 2]], [0, 0, 0]);
  const thrown = await judged(', threshold: 0.5, classes: [0, 1, 2]', 'accuracy: { min: 0.1 }', { model: three }).catch(
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SluiceError);
  expect(String(thrown)).toContain('decides between two classes');
});

it('leaves the slope of the calibration where it is: about 1 for outcomes drawn by the probabilities', async () => {
  const judgement = await judged(', threshold: 0.2, baseline: none', 'calibration_slope: { min: 0.2, max: 5 }');
  const { observed, evidence } = checkOf(judgement, 'gate/calibration_slope/min');
  expect(Math.abs(Number(observed) - 1)).toBeLessThan(0.4);
  expect(evidence?.lower).toBeLessThan(Number(observed));
  expect(checkOf(judgement, 'gate/calibration_slope/max').status).toBe('pass');
});
