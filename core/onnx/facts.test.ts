import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ModelError } from '../problem/index.ts';
import { readModelFacts } from './facts.ts';
import { classifierModel, floatTensor, linearModel, type ModelToWrite, writeModel } from './model-writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-facts-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

function save(content: Uint8Array | ModelToWrite, name = 'model.onnx'): string {
  const file = join(directory, name);
  writeFileSync(file, content instanceof Uint8Array ? content : writeModel(content));
  return file;
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

test('a model says what it is, takes and gives', async () => {
  const content = classifierModel(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [0, 0, 1],
  );
  expect(await readModelFacts(save(content))).toEqual({
    sha256: sha256(content),
    bytes: content.length,
    irVersion: 8,
    opsets: [{ domain: 'ai.onnx', version: 17 }],
    producer: 'sluice-test 1',
    domain: '',
    modelVersion: 0,
    parameters: 9,
    operators: 4,
    operatorsByDomain: { 'ai.onnx': 4 },
    operatorsByType: { Add: 1, ArgMax: 1, MatMul: 1, Softmax: 1 },
    elementTypes: [{ type: 'float32', tensors: 2, elements: 9, bytes: 36 }],
    computation: { operations: 6, byOperator: { MatMul: 6 }, unknown: [] },
    inputs: [{ name: 'X', type: 'float32', shape: ['batch', 2] }],
    outputs: [
      { name: 'label', type: 'int64', shape: ['batch'] },
      { name: 'probabilities', type: 'float32', shape: ['batch', 3] },
    ],
    externalData: [],
    externalFiles: [],
  });
});

test('an input that has an initializer is not one a caller gives', async () => {
  const { inputs } = await readModelFacts(
    save({
      graph: {
        nodes: [{ operator: 'Add', inputs: ['X', 'w'], outputs: ['Y'] }],
        inputs: [
          { name: 'X', type: 'float32', shape: [2] },
          { name: 'w', type: 'float32', shape: [2] },
        ],
        outputs: [{ name: 'Y', type: 'float32', shape: [2] }],
        initializers: [floatTensor('w', [2], [1, 2])],
      },
    }),
  );
  expect(inputs.map(({ name }) => name)).toEqual(['X']);
});

test('nodes and weights inside subgraphs and functions are counted', async () => {
  const branch = (value: number) => ({
    nodes: [{ operator: 'Identity', inputs: ['c'], outputs: ['out'] }],
    outputs: [{ name: 'out', type: 'float32' as const, shape: [3] }],
    initializers: [floatTensor('c', [3], [value, value, value])],
  });
  const facts = await readModelFacts(
    save({
      opsets: { 'ai.onnx': 17, local: 1 },
      graph: {
        nodes: [
          {
            operator: 'If',
            inputs: ['X'],
            outputs: ['Y'],
            attributes: { then_branch: { graph: branch(1) }, else_branch: { graph: branch(2) } },
          },
          { operator: 'Twice', domain: 'local', inputs: ['Y'], outputs: ['Z'] },
        ],
        inputs: [{ name: 'X', type: 'bool', shape: [] }],
        outputs: [{ name: 'Z', type: 'float32', shape: [3] }],
      },
      functions: [
        {
          name: 'Twice',
          domain: 'local',
          inputs: ['a'],
          outputs: ['b'],
          nodes: [{ operator: 'Add', inputs: ['a', 'a'], outputs: ['b'] }],
        },
      ],
    }),
  );
  expect(facts).toMatchObject({ parameters: 6, operators: 5, operatorsByDomain: { 'ai.onnx': 4, local: 1 } });
  expect(facts.operatorsByType).toEqual({ Add: 1, Identity: 2, If: 1, 'local.Twice': 1 });
  expect(facts.elementTypes).toEqual([{ type: 'float32', tensors: 2, elements: 6, bytes: 24 }]);
  expect(facts.inputs).toEqual([{ name: 'X', type: 'bool', shape: [] }]);
});

test("a classical model's float attributes are its parameters, without the tree bookkeeping", async () => {
  const { parameters } = await readModelFacts(
    save({
      opsets: { 'ai.onnx': 17, 'ai.onnx.ml': 3 },
      graph: {
        nodes: [
          {
            operator: 'TreeEnsembleRegressor',
            domain: 'ai.onnx.ml',
            inputs: ['X'],
            outputs: ['Y'],
            attributes: {
              nodes_values: { floats: [0.5, 0, 0] },
              nodes_hitrates: { floats: [1, 1, 1] },
              nodes_featureids: { ints: [0, 0, 0] },
              target_weights: { floats: [1.5, 2.5] },
            },
          },
          { operator: 'Constant', outputs: ['c'], attributes: { value: { tensor: floatTensor('', [2], [1, 2]) } } },
        ],
      },
    }),
  );
  expect(parameters).toBe(5);
});

test('shapes and types a table cannot have are told apart', async () => {
  const { inputs, outputs } = await readModelFacts(
    save({
      graph: {
        nodes: [],
        inputs: [
          { name: 'scalar', type: 'float64', shape: [] },
          { name: 'any', type: 'string' },
          { name: 'open', type: 'int64', shape: ['?', -1, 4] },
        ],
        outputs: [{ name: 'zipped', type: { sequenceOfMaps: ['int64', 'float32'] } }],
      },
    }),
  );
  expect(inputs).toEqual([
    { name: 'scalar', type: 'float64', shape: [] },
    { name: 'any', type: 'string', shape: [], unranked: true },
    { name: 'open', type: 'int64', shape: ['?', '?', 4] },
  ]);
  expect(outputs[0]?.type).toBe('sequence(map(int64, tensor(float32)))');
});

test('external data counts in bytes and parameters and has its own digest', async () => {
  const weights = new Uint8Array(Float32Array.from([1, 2, 3, 4]).buffer);
  writeFileSync(join(directory, 'weights.bin'), weights);
  const file = save({
    graph: {
      nodes: [],
      initializers: [
        { name: 'a', type: 'float32', dims: [2], external: { location: 'weights.bin', length: '8' } },
        { name: 'b', type: 'float32', dims: [2], external: { location: 'weights.bin', offset: '8', length: '8' } },
      ],
    },
  });
  const facts = await readModelFacts(file);
  expect(facts.elementTypes).toEqual([{ type: 'float32', tensors: 2, elements: 4, bytes: 16 }]);
  expect(facts.externalData).toEqual(['weights.bin']);
  expect(facts.externalFiles).toEqual([{ name: 'weights.bin', bytes: 16, sha256: sha256(weights) }]);
  expect(facts.parameters).toBe(4);
  expect(facts.bytes).toBeGreaterThan(16);
});

test('facts are refused when external data lies elsewhere, but not for a custom operator', async () => {
  const outside = save({
    graph: { nodes: [], initializers: [{ name: 'a', type: 'int8', dims: [2], external: { location: '../x' } }] },
  });
  await expect(readModelFacts(outside)).rejects.toThrow(ModelError);
  const custom = save({ graph: { nodes: [{ operator: 'Magic', domain: 'wizards' }] } });
  expect((await readModelFacts(custom)).operatorsByDomain).toEqual({ wizards: 1 });
});

test('an operator domain named like an object property is only a name', async () => {
  const file = save({ graph: { nodes: [{ operator: 'A', domain: '__proto__' }] } });
  expect(Object.entries((await readModelFacts(file)).operatorsByDomain)).toEqual([['__proto__', 1]]);
});

test('a model larger than the window it is read through has the same facts', async () => {
  const weights = Array.from({ length: 400 }, () => Array.from({ length: 300 }, () => 0.5));
  const content = linearModel(weights, new Array(300).fill(0));
  const facts = await readModelFacts(save(content));
  expect(facts).toMatchObject({ parameters: 120_300, operators: 2, sha256: sha256(content), bytes: content.length });
});

test('what the weights are made of is told by type, the largest first', async () => {
  const { elementTypes } = await readModelFacts(
    save({
      graph: {
        nodes: [],
        initializers: [
          { name: 'q', type: 'int8', dims: [3, 3], raw: new Uint8Array(9) },
          { name: 'p', type: 'int4', dims: [5], raw: new Uint8Array(3) },
          { name: 's', type: 'float32', dims: [], floats: [1] },
          { name: 't', type: 'string', dims: [2], strings: ['a', 'b'] },
        ],
      },
    }),
  );
  expect(elementTypes).toEqual([
    { type: 'int8', tensors: 1, elements: 9, bytes: 9 },
    { type: 'float32', tensors: 1, elements: 1, bytes: 4 },
    { type: 'int4', tensors: 1, elements: 5, bytes: 3 },
    { type: 'string', tensors: 1, elements: 2, bytes: 0 },
  ]);
});
