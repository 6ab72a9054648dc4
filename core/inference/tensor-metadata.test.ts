import { describe, expect, test } from 'vitest';
import { specsOfMetadata, tensorMetadata } from './index.ts';

describe('metadata of tensors', () => {
  test('tells datatypes and sizes, and leaves out what no request can carry', () => {
    expect(
      tensorMetadata([
        { name: 'X', type: 'float32', shape: ['batch', 30] },
        { name: 'any', type: 'string', shape: [], unranked: true },
        { name: 'half', type: 'bfloat16', shape: [1] },
        { name: 'maps', type: 'sequence(map(int64, tensor(float32)))', shape: [], unranked: true },
      ]),
    ).toEqual([
      { name: 'X', datatype: 'FP32', shape: [-1, 30] },
      { name: 'any', datatype: 'BYTES', shape: [-1] },
    ]);
  });

  test('of other servers is read forgivingly', () => {
    expect(
      specsOfMetadata([
        { name: 'X', datatype: 'FP32', shape: [-1, '30', 4] },
        { name: 'Y', datatype: 'TYPE_INT64', shape: ['-1'] },
        { name: 'Z' },
        { name: 'W', datatype: 'BF16', shape: [2.5, null] },
        { datatype: 'FP32' },
        null,
      ]),
    ).toEqual([
      { name: 'X', type: 'float32', shape: ['?', 30, 4] },
      { name: 'Y', type: 'int64', shape: ['?'] },
      { name: 'Z', type: 'opaque(untyped)', shape: [], unranked: true },
      { name: 'W', type: 'bfloat16', shape: ['?', '?'] },
    ]);
    expect(specsOfMetadata([])).toBeUndefined();
    expect(specsOfMetadata('nothing')).toBeUndefined();
    expect(specsOfMetadata([{}])).toBeUndefined();
  });
});
