import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Feeds } from '../core/onnx/index.ts';
import { csvOf, readCsv } from './csv-rows.ts';

describe('CSV', () => {
  test('is written with one line a row, quoted where it must be', () => {
    const feeds: Feeds = {
      n: { type: 'float32', data: Float32Array.of(0.5, Number.NaN), dims: [2] },
      i: { type: 'float64', data: Float64Array.of(-Infinity, Infinity), dims: [2] },
      s: { type: 'string', data: ['a,"b"\n', 'plain'], dims: [2, 1] },
    };
    expect(csvOf(feeds)).toBe('0.5,-inf,"a,""b""\n"\n,inf,plain\n');
  });

  test.each<[string, number, unknown]>([
    [
      '1,2\n3,4\n',
      2,
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['1\n0\r\n', 2, [1, 0]],
    ['0.25,0.5', 2, [0.25, 0.5]],
    ['0.25,0.75', 1, [[0.25, 0.75]]],
    ['yes,"a ""b"", c"', 1, [['yes', 'a "b", c']]],
    ['nan,inf', 1, [[null, Infinity]]],
    ['1,', 1, [[1, null]]],
    ['01', 1, ['01']],
    ['', 1, []],
    ['"open', 1, ['"open']],
  ])('%j is read for %i rows', (text, rows, value) => {
    expect(readCsv(text, rows).value).toEqual(value);
  });

  test('keeps all digits of large integers', () => {
    expect(readCsv('9007199254740993', 1).exact()).toEqual(['9007199254740993']);
  });

  test('is read whatever it holds', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 5 }), (text, rows) => {
        expect(Array.isArray(readCsv(text, rows).value)).toBe(true);
      }),
    );
  });
});
