import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  classifierModel,
  type Feeds,
  floatTensor,
  identityModel,
  linearModel,
  type ModelToWrite,
  openModel,
  type Tensor,
  writeModel,
} from '../../core/onnx/index.ts';
import { ModelError } from '../../core/problem/index.ts';
import { joinFeeds, splitOutputs } from './batch.ts';
import { type Trial, tryModel } from './trial.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-trial-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

let files = 0;
async function trialOf(content: Uint8Array | ModelToWrite, maxBatchSize = 32): Promise<Trial> {
  const file = join(directory, `model-${files++}.onnx`);
  writeFileSync(file, content instanceof Uint8Array ? content : writeModel(content));
  await using model = await openModel(file);
  return await tryModel(model, (feeds, names) => model.run(feeds, names), { maxBatchSize, warmUpRuns: 1 });
}

/** One operator from `X [batch, 3]` to `Y [batch, 3]`. */
function operator(name: string, axis?: number): ModelToWrite {
  return {
    graph: {
      nodes: [
        {
          operator: name,
          inputs: ['X'],
          outputs: ['Y'],
          ...(axis === undefined ? {} : { attributes: { axis: { int: axis } } }),
        },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['batch', 3] }],
    },
  };
}

describe('a model on made-up inputs', () => {
  test.each<readonly [string, Uint8Array | ModelToWrite]>([
    [
      'a linear model',
      linearModel(
        [
          [1, 2],
          [3, 4],
        ],
        [0, 1],
      ),
    ],
    ['a classifier', classifierModel([[1, -1, 0]], [0, 0, 1])],
    ['a model of texts', identityModel('string', ['batch'])],
    ['a softmax along the columns', operator('Softmax', 1)],
    ['a model of other free sizes', identityModel('int64', ['batch', 'tokens'])],
  ])('%s may join requests', async (_, content) => {
    const trial = await trialOf(content);
    expect(trial).toMatchObject({ batches: true });
    expect(trial.failure).toBeUndefined();
    const [input] = Object.values(trial.warmUp?.feeds ?? {});
    expect(input?.dims[0]).toBe(32);
  });

  test.each<readonly [string, ModelToWrite | Uint8Array]>([
    ['a softmax along the rows', operator('Softmax', 0)],
    [
      'a mean over the rows',
      {
        graph: {
          nodes: [
            {
              operator: 'ReduceMean',
              inputs: ['X'],
              outputs: ['mean'],
              attributes: { axes: { ints: [0] }, keepdims: { int: 1 } },
            },
            { operator: 'Sub', inputs: ['X', 'mean'], outputs: ['Y'] },
          ],
          inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
          outputs: [{ name: 'Y', type: 'float32', shape: ['batch', 3] }],
        },
      },
    ],
    [
      'an output that has not the rows of the input',
      {
        graph: {
          nodes: [{ operator: 'Transpose', inputs: ['X'], outputs: ['Y'], attributes: { perm: { ints: [1, 0] } } }],
          inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
          outputs: [{ name: 'Y', type: 'float32', shape: ['a', 'b'] }],
        },
      },
    ],
    ['a model of exactly one row', identityModel('float32', [1, 3])],
    ['a model of a single number', identityModel('float32', [])],
  ])('%s may not, and is warmed up all the same', async (_, content) => {
    const trial = await trialOf(content);
    expect(trial.batches).toBe(false);
    expect(trial.failure).toBeUndefined();
    expect(trial.warmUp).toBeDefined();
  });

  test('one that may have no more than one row in a batch is not joined', async () => {
    expect((await trialOf(linearModel([[1]], [0]), 1)).batches).toBe(false);
  });

  test('one that refuses every made-up input is not warmed up, and says why', async () => {
    // Reshapes the row to a shape it cannot have.
    const trial = await trialOf({
      graph: {
        nodes: [{ operator: 'Reshape', inputs: ['X', 'shape'], outputs: ['Y'] }],
        inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
        outputs: [{ name: 'Y', type: 'float32', shape: ['a', 'b'] }],
        initializers: [{ name: 'shape', type: 'int64', dims: [2], integers: [-1, 1000] }],
      },
    });
    expect(trial).toMatchObject({ batches: false, warmUp: undefined, failure: expect.stringContaining('Reshape') });
  });

  test('one that goes beyond a limit is not to be served', async () => {
    const slow = new ModelError({ code: 'model-too-slow', message: 'the model did not end a run in time' });
    const inputs = [{ name: 'X', type: 'float32' as const, shape: ['batch', 3] }];
    const trial = tryModel({ inputs, outputs: inputs }, () => Promise.reject(slow), { maxBatchSize: 4, warmUpRuns: 1 });
    await expect(trial).rejects.toBe(slow);
  });

  test('sizes that are too small for the model are followed by larger ones', async () => {
    const trial = await trialOf({
      graph: {
        nodes: [{ operator: 'Conv', inputs: ['X', 'W'], outputs: ['Y'] }],
        inputs: [{ name: 'X', type: 'float32', shape: ['batch', 1, 'height', 'width'] }],
        outputs: [{ name: 'Y', type: 'float32', shape: ['batch', 1, 'a', 'b'] }],
        initializers: [floatTensor('W', [1, 1, 5, 5], new Array(25).fill(1))],
      },
    });
    expect(trial.batches).toBe(true);
    expect(Object.values(trial.warmUp?.feeds ?? {})[0]?.dims).toEqual([32, 1, 8, 8]);
  });
});

describe('joining and splitting', () => {
  const tensor = (rows: number): Tensor => ({
    type: 'float32',
    data: Float32Array.from({ length: rows * 2 }, (_, index) => rows * 100 + index),
    dims: [rows, 2],
  });
  const texts = (rows: number): Tensor => ({
    type: 'string',
    data: Array.from({ length: rows }, (_, index) => `${rows}.${index}`),
    dims: [rows],
  });

  test('gives back what was joined, also requests without rows', () => {
    const requests = [1, 3, 0, 2].map((rows): Feeds => ({ X: tensor(rows), T: texts(rows) }));
    const joined = joinFeeds(['X', 'T'], requests);
    expect(joined['X']?.dims).toEqual([6, 2]);
    expect(splitOutputs(['X', 'T'], joined, [1, 3, 0, 2])).toEqual(requests);
  });
});
