import { describe, expect, it } from 'vitest';
import type { ColumnValues } from '../../core/data/index.ts';
import { type Labelled, labelSamples } from './label-samples.ts';
import { codedLabels } from './predictions.ts';

const options = { positive: undefined, target: 'label', positivePlace: {} };
const text = (...values: string[]): ColumnValues => ({ kind: 'string', values, nulls: 0 });
const numbers = (...values: number[]): ColumnValues => ({
  kind: 'number',
  values: Float64Array.from(values),
  nulls: 0,
  integer: true,
});
const said = (
  labels: readonly (string | number)[] | undefined,
  scores?: { readonly width: number; readonly values: readonly number[] },
  classes?: readonly (string | number)[],
): Labelled => ({
  predictions: {
    rows: labels?.length ?? 0,
    broken: [],
    ...(labels === undefined ? {} : { labels: codedLabels(labels) }),
    ...(scores === undefined ? {} : { scores: { width: scores.width, values: Float64Array.from(scores.values) } }),
  },
  classes,
  model: 'model.onnx',
  place: {},
});

describe('labels', () => {
  it('are the same as numbers and as text', () => {
    const { candidate } = labelSamples(text('1', '0', '1'), said([1, 0, 0]), undefined, options);
    expect(candidate).toMatchObject({ classes: ['0', '1'], positive: 1 });
    expect([...candidate.actual, ...candidate.predicted]).toEqual([1, 0, 1, 1, 0, 0]);
  });

  it('stay apart as text where both sides are text', () => {
    const { candidate } = labelSamples(text('01', '1'), said(['01', '1']), undefined, options);
    expect(candidate.classes).toEqual(['01', '1']);
  });

  it('of a boolean column are what Python calls them', () => {
    const { candidate } = labelSamples(numbers(1, 0), said(['True', 'False']), undefined, options);
    expect([...candidate.predicted]).toEqual([1, 0]);
  });

  it('are in the order of numbers, not of their characters', () => {
    const { candidate } = labelSamples(numbers(2, 10, 9), said([2, 10, 9]), undefined, options);
    expect(candidate.classes).toEqual(['2', '9', '10']);
    expect(candidate.positive).toBeUndefined();
  });

  it('that number the classes are read by model.classes', () => {
    const { candidate } = labelSamples(text('cat', 'dog'), said([1, 0], undefined, ['dog', 'cat']), undefined, options);
    expect([...candidate.predicted]).toEqual([0, 1]);
  });

  it('of a positive class may be given as number, text or boolean', () => {
    for (const positive of [0, '0', false]) {
      const { candidate } = labelSamples(numbers(1, 0), said([1, 0]), undefined, { ...options, positive });
      expect(candidate.positive).toBe(0);
    }
  });
});

describe('probabilities', () => {
  it('stand in the order of the common classes', () => {
    const scores = { width: 2, values: [0.9, 0.1, 0.2, 0.8] };
    const { candidate } = labelSamples(text('b', 'a'), said(undefined, scores, ['b', 'a']), undefined, options);
    expect([...(candidate.probabilities ?? [])]).toEqual([0.1, 0.9, 0.8, 0.2]);
    expect([...candidate.predicted]).toEqual([1, 0]);
  });

  it('take the first of equal ones as the label, as NumPy does', () => {
    const { candidate } = labelSamples(
      text('a', 'b'),
      said(undefined, { width: 2, values: [0.5, 0.5, 0.5, 0.5] }),
      undefined,
      options,
    );
    expect([...candidate.predicted]).toEqual([0, 0]);
  });

  it('are 0 for a class that only the other model knows', () => {
    const two = said([0, 1], { width: 2, values: [1, 0, 0, 1] }, [0, 1]);
    const three = said([0, 2], { width: 3, values: [1, 0, 0, 0, 0, 1] }, [0, 1, 2]);
    const { candidate } = labelSamples(numbers(0, 1), two, three, options);
    expect([...(candidate.probabilities ?? [])]).toEqual([1, 0, 0, 0, 1, 0]);
  });

  it('whose order the model’s own labels contradict are refused', () => {
    const scores = { width: 2, values: [0.9, 0.1, 0.8, 0.2, 0.1, 0.9] };
    expect(() => labelSamples(text('b', 'b', 'a'), said(['b', 'b', 'a'], scores), undefined, options)).toThrow(
      /order of its classes is not the sorted one/,
    );
  });

  it('that do not sum to 1 are said to be none', () => {
    const scores = { width: 2, values: [0.9, 0.9, 0.2, 0.1] };
    expect(labelSamples(text('a', 'b'), said(['a', 'b'], scores), undefined, options).notProbabilities).toContain(
      'not to 1',
    );
  });

  it('for more classes than are known are refused', () => {
    const scores = { width: 3, values: [1, 0, 0, 0, 1, 0] };
    expect(() => labelSamples(text('a', 'b'), said(['a', 'b'], scores), undefined, options)).toThrow(
      /Name the class of each/,
    );
  });

  it('of a single score outside 0 to 1 are refused where no label comes with them', () => {
    const scores = { width: 1, values: [0.4, 1.7] };
    expect(() => labelSamples(text('a', 'b'), said(undefined, scores), undefined, options)).toThrow(/sigmoid/);
  });
});
