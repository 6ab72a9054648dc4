import { describe, expect, test } from 'vitest';
import { servedShape } from './served-shape.ts';

describe('servedShape', () => {
  test('takes a column for the vector it holds, as Triton and MLServer serve labels', () => {
    expect(servedShape([8], [8, 1])).toEqual([8, 1]);
    expect(servedShape(['batch'], [-1, 1])).toEqual(['batch', 1]);
  });

  test('wants the shape of the model everywhere else', () => {
    expect(servedShape([8], [8])).toEqual([8]);
    expect(servedShape([8], [1, 8])).toEqual([8]);
    expect(servedShape([8], [8, 2])).toEqual([8]);
    expect(servedShape([8], [8, 1, 1])).toEqual([8]);
    expect(servedShape([8, 2], [8, 1])).toEqual([8, 2]);
    expect(servedShape([], [1])).toEqual([]);
  });
});
