import { describe, expect, it } from 'vitest';
import { floatTensor, linearModel, writeModel } from '../../core/onnx/index.ts';
import { checkOf, judge } from './scene.ts';

const policyOf = (size: string) => `version: 1\nmodel: { path: model.onnx }\ngates: { size: { ${size} } }\n`;
const linear = linearModel(
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  [0, 0, 0],
);
const ofAnyLength = writeModel({
  graph: {
    nodes: [
      { operator: 'MatMul', inputs: ['X', 'w'], outputs: ['a'] },
      { operator: 'MatMul', inputs: ['w', 'w'], outputs: ['b'] },
      { operator: 'Add', inputs: ['a', 'b'], outputs: ['Y'] },
    ],
    inputs: [{ name: 'X', type: 'float32', shape: ['batch', 'length', 2] }],
    outputs: [{ name: 'Y', type: 'float32', shape: ['batch', 'length', 2] }],
    initializers: [floatTensor('w', [2, 2], [1, 2, 3, 4])],
  },
});
const checked = async (size: string, candidate: Uint8Array, base?: Uint8Array) =>
  checkOf(
    await judge({
      policy: policyOf(size),
      files: { 'model.onnx': candidate },
      ...(base === undefined ? {} : { base: { 'model.onnx': base } }),
    }),
    `gate/size/${size.split(':')[0]}`,
  );

describe('what one row costs', () => {
  it('is held against its bound, beside the baseline’s', async () => {
    expect(await checked('max_macs: 6', linear, linearModel([[1], [2]], [0]))).toMatchObject({
      status: 'pass',
      observed: 6,
      baseline: 2,
    });
    expect(await checked('max_macs: 5', linear)).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('6 of MatMul'),
    });
  });

  it('is an error where the file does not settle it, unless what is known is too much', async () => {
    const open = await checked('max_macs: 8', ofAnyLength);
    expect(open).toMatchObject({
      status: 'error',
      message: expect.stringContaining('What 1 node of the model costs is not known: MatMul'),
    });
    expect(await checked('max_macs: 7', ofAnyLength)).toMatchObject({
      status: 'fail',
      observed: 8,
      message: expect.stringContaining('at least 8'),
    });
  });
});

it('nodes are counted, and the most used are named', async () => {
  expect(await checked('max_operators: 2', ofAnyLength)).toMatchObject({
    status: 'fail',
    observed: 3,
    message: expect.stringContaining('2 MatMul, 1 Add'),
  });
  expect(await checked('max_operators: 3', ofAnyLength)).toMatchObject({ status: 'pass' });
});
