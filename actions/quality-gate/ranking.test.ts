import { describe, expect, it } from 'vitest';
import { floatTensor, writeModel } from '../../core/onnx/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { checkOf, csv, judge } from './scene.ts';

/** Scores a document by a weighted sum of two columns. */
function ranker(weights: readonly [number, number]): Uint8Array {
  return writeModel({
    graph: {
      nodes: [{ operator: 'MatMul', inputs: ['X', 'weights'], outputs: ['score'] }],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', 2] }],
      outputs: [{ name: 'score', type: 'float32', shape: ['batch', 1] }],
      initializers: [floatTensor('weights', [2, 1], weights)],
    },
  });
}

const queries = 120;
const documents = 6;
/** `match` ranks rightly; `noise` does not. The documents of a query are spread over the file. */
const rows = Array.from({ length: queries * documents }, (_, row) => {
  const relevance = [2, 1, 0, 0, 0, 0][Math.floor(row / queries)] ?? 0;
  return [relevance + ((row * 37) % 11) / 20, ((row * 53) % 17) / 4, `q${row % queries}`, relevance];
});

function judged(
  gates: string,
  more: { readonly model?: Uint8Array; readonly base?: Uint8Array; readonly table?: string } = {},
) {
  return judge({
    policy: [
      'version: 1',
      `model: { path: model.onnx${more.base === undefined ? ', baseline: none' : ''} }`,
      'evaluation: { source: rows.csv, target: relevance, query: query }',
      `gates: { ${gates} }`,
    ].join('\n'),
    files: {
      'model.onnx': more.model ?? ranker([1, 0]),
      'rows.csv': more.table ?? csv(['match', 'noise', 'query', 'relevance'], rows),
    },
    ...(more.base === undefined ? {} : { base: { 'model.onnx': more.base } }),
  });
}

describe('a model that ranks the documents of queries', () => {
  it('is judged query by query', async () => {
    const perfect = await judged(
      'ndcg: { min: 0.9 }, map: { min: 0.9 }, mrr: { min: 0.9 }, recall_at_k: { min: 0.9, k: 2 }',
    );
    for (const check of perfect.checks) {
      expect(check, check.id).toMatchObject({ status: 'pass', observed: 1, evidence: { n: queries } });
      expect(check.message).toContain('on 120 queries');
    }
    const poor = await judged('ndcg: { min: 0.9, k: 3 }, recall_at_k: { min: 0.9, k: 1 }', { model: ranker([0, 1]) });
    expect(poor.checks.map(({ status }) => status)).toEqual(['fail', 'fail']);
  });

  it('is held against its baseline, paired by query', async () => {
    const gates = 'ndcg: { max_regression: 0.02 }';
    const worse = await judged(gates, { model: ranker([1, 1]), base: ranker([1, 0]) });
    expect(checkOf(worse, 'gate/ndcg/max_regression')).toMatchObject({
      status: 'fail',
      evidence: { method: expect.stringContaining('paired'), n: queries },
    });
    const better = await judged(gates, { model: ranker([1, 0]), base: ranker([1, 1]) });
    expect(checkOf(better, 'gate/ndcg/max_regression').status).toBe('pass');
  });

  it.each([
    ['a relevance below 0', ['1,1,a,-1', '1,2,a,1'], 'does not say how relevant a row is'],
    ['a row without a query', ['1,1,,1', '1,2,a,1'], 'does not say which query a row is of'],
  ])('is refused %s', async (_, lines, words) => {
    const table = `${['match,noise,query,relevance', ...lines].join('\n')}\n`;
    const thrown = await judged('mrr: { min: 0.5 }', { table }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SluiceError);
    expect(String(thrown)).toContain(words);
  });
});
