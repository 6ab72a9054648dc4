import { describe, expect, it } from 'vitest';
import { multiLabelMetrics } from '../../core/metrics/index.ts';
import { floatTensor, writeModel } from '../../core/onnx/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { checkOf, csv, judge } from './scene.ts';

/** Three labels, the score of each the sigmoid of a column times `slope`; without `slope` the bare column. */
function model(slope?: number): Uint8Array {
  const eye = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => (row === column ? (slope ?? 1) : 0)));
  return writeModel({
    graph: {
      nodes: [
        { operator: 'MatMul', inputs: ['X', 'weights'], outputs: [slope === undefined ? 'scores' : 'logits'] },
        ...(slope === undefined ? [] : [{ operator: 'Sigmoid', inputs: ['logits'], outputs: ['scores'] }]),
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
      outputs: [{ name: 'scores', type: 'float32', shape: ['batch', 3] }],
      initializers: [floatTensor('weights', [3, 3], eye)],
    },
  });
}

const rows = Array.from({ length: 240 }, (_, row) => {
  const truth = [row % 2, row % 3 === 0 ? 1 : 0, row % 5 < 2 ? 1 : 0];
  const features = truth.map((label, index) => {
    const wrong = (row * 7 + index * 3) % (index === 2 ? 4 : 20) === 0;
    return (label === 1) === !wrong ? 1 + (row % 9) / 10 : -1 - (row % 9) / 10;
  });
  return [...features, ...truth];
});
const files = { 'model.onnx': model(2), 'rows.csv': csv(['x', 'y', 'z', 'toxic', 'insult', 'spam'], rows) };

function judged(
  gates: string,
  more: { readonly base?: Uint8Array; readonly end?: string; readonly model?: Uint8Array } = {},
) {
  const policy = [
    'version: 1',
    `model: { path: model.onnx${more.base === undefined ? ', baseline: none' : ''} }`,
    'evaluation: { source: rows.csv, target: [toxic, insult, spam], slices: [{ x: [0] }] }',
    `gates: { ${gates} }`,
    more.end ?? '',
  ].join('\n');
  return judge({
    policy,
    files: { ...files, ...(more.model === undefined ? {} : { 'model.onnx': more.model }) },
    ...(more.base === undefined ? {} : { base: { 'model.onnx': more.base } }),
  });
}

describe('a model of several labels a row', () => {
  it('is judged by every one of its metrics, over all rows and over slices', async () => {
    const names = Object.keys(multiLabelMetrics);
    const bounds: Readonly<Record<string, string>> = {
      hamming_loss: 'max: 0.9',
      label_ranking_loss: 'max: 0.9',
      coverage_error: 'max: 2.9',
    };
    const judgement = await judged(names.map((name) => `${name}: { ${bounds[name] ?? 'min: 0.1'} }`).join(', '));
    for (const name of names) {
      const check = judgement.checks.find(
        ({ id }) => /^gate\/\w+\/(min|max)$/.test(id) && id.startsWith(`gate/${name}/`),
      );
      expect(check, name).toMatchObject({ status: 'pass' });
      expect(judgement.checks.some(({ id }) => id.startsWith(`gate/${name}/`) && id.includes('[x<0]'))).toBe(true);
      expect(check?.evidence?.lower).toBeLessThan(Number(check?.observed));
    }
    // Every row's three labels are right but where (7 row + 3 label) leaves nothing over 20, or over 4 of the last.
    const wrong = rows.map((_, row) => [0, 1, 2].map((label) => (row * 7 + label * 3) % (label === 2 ? 4 : 20) === 0));
    const subset = wrong.filter((labels) => !labels.includes(true)).length / rows.length;
    expect(checkOf(judgement, 'gate/accuracy/min').observed).toBeCloseTo(subset, 12);
    expect(checkOf(judgement, 'gate/hamming_loss/max').observed).toBeCloseTo(
      wrong.flat().filter(Boolean).length / 720,
      12,
    );
  });

  it('is judged label by label with average: none', async () => {
    const judgement = await judged('f1: { min: 0.85, average: none }, recall: { min: 0.5, average: samples }');
    const ids = ['toxic', 'insult', 'spam'].map((label) => `gate/f1/min[class=${label}]`);
    expect(ids.map((id) => checkOf(judgement, id).status)).toEqual(['pass', 'pass', 'fail']);
    expect(checkOf(judgement, 'gate/recall/min').status).toBe('pass');
  });

  it('is held against its baseline on the same rows', async () => {
    const gates = 'accuracy: { max_regression: 0.02 }, f1: { max_regression: 0.02, average: micro }';
    const same = await judged(gates, { base: model(2) });
    expect(checkOf(same, 'gate/accuracy/max_regression').status).toBe('pass');
    const worse = await judged(gates, { base: model(2), model: model(-2) });
    expect(checkOf(worse, 'gate/accuracy/max_regression').status).toBe('fail');
    expect(checkOf(worse, 'gate/f1/max_regression')).toMatchObject({
      status: 'fail',
      evidence: { method: expect.stringContaining('paired') },
    });
  });

  it('is refused where its scores are no probabilities', async () => {
    const thrown = await judged('hamming_loss: { max: 0.5 }', { model: model() }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SluiceError);
    expect(String(thrown)).toContain('a score that is no probability');
  });
});
