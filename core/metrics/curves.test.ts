import { expect, it } from 'vitest';
import { calibrationCurve, confusionMatrix, type LabelSample, precisionRecallCurve, rocCurve } from './index.ts';

const sample: LabelSample = {
  task: 'classification',
  classes: ['no', 'yes'],
  positive: 1,
  actual: Int32Array.of(1, 0, 1, 0),
  predicted: Int32Array.of(1, 1, 1, 0),
  probabilities: Float64Array.of(0.1, 0.9, 0.4, 0.6, 0.4, 0.6, 0.95, 0.05),
};

it('draws the ROC from (0, 0) to (1, 1), tied scores as one step', () => {
  expect(rocCurve(sample)).toEqual({ x: [0, 0, 0.5, 1], y: [0, 0.5, 1, 1], summary: 0.875 });
});

it('draws precision over recall', () => {
  const { x, y } = precisionRecallCurve(sample);
  expect(x).toEqual([0, 0.5, 1, 1]);
  expect(y).toEqual([1, 1, 2 / 3, 0.5]);
});

it('draws calibration with a point for each bin that has rows', () => {
  const { x, y } = calibrationCurve(sample);
  expect(x).toEqual([0.05, 0.6, 0.9]);
  expect(y).toEqual([0, 0.5, 1]);
});

it('counts actual against predicted classes', () => {
  expect(confusionMatrix(sample)).toEqual([
    [1, 1],
    [0, 2],
  ]);
});
