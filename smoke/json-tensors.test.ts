import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../core/inference/index.ts';
import type { Feeds, Tensor, TensorSpec } from '../core/onnx/index.ts';
import { InputError, PeerError } from '../core/problem/index.ts';
import { columnsJson, frameOf, missingOutputs, readOutputs, rowsJson, rowsOf, tensorJson } from './json-tensors.ts';

const x: TensorSpec = { name: 'x', type: 'float32', shape: ['N', 1] };
const label: TensorSpec = { name: 'label', type: 'int64', shape: ['N'] };
const score: TensorSpec = { name: 'score', type: 'float32', shape: ['N', 2] };
const zipmap: TensorSpec = { name: 'zipmap', type: 'sequence(map(int64, tensor(float32)))', shape: [] };

function feedsOf(rows: number): Feeds {
  return { x: { type: 'float32', data: new Float32Array(rows), dims: [rows, 1] } };
}

function read(text: string, outputs: readonly TensorSpec[], rows = 2): ReturnType<typeof readOutputs> {
  return readOutputs(parseJson(Buffer.from(text), 'answer'), { inputs: [x], outputs }, feedsOf(rows));
}

function problemsOf(work: () => unknown): PeerError['problems'] {
  try {
    work();
  } catch (error) {
    if (error instanceof PeerError) return error.problems;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const labels = { type: 'int64', data: BigInt64Array.of(1n, 0n), dims: [2] };
const scores = { type: 'float32', data: Float32Array.of(0.25, 0.75, 0.5, 0.5), dims: [2, 2] };

describe('an answer of JSON', () => {
  test.each([
    ['columns by name', '{"score": [[0.25, 0.75], [0.5, 0.5]], "label": [1, 0], "took_ms": 3}'],
    ['rows by name', '[{"label": 1, "score": [0.25, 0.75]}, {"score": [0.5, 0.5], "label": 0}]'],
    ['arrays in the order of the outputs', '[[1, 0], [[0.25, 0.75], [0.5, 0.5]]]'],
  ])('is read as %s', (_, text) => {
    expect(read(text, [label, score])).toEqual({ label: labels, score: scores });
  });

  test('that has one output only is the one whose type and shape it fits', () => {
    expect(read('[1, 0]', [score, label])).toEqual({ label: labels });
    expect(read('[[0.25, 0.75], [0.5, 0.5]]', [label, score])).toEqual({ score: scores });
    expect(missingOutputs({ inputs: [x], outputs: [label, score, zipmap] }, read('[1, 0]', [label, score]))).toEqual([
      'score',
    ]);
  });

  test('may lack outputs and rows may differ in what they hold beside', () => {
    expect(read('[{"label": 1, "why": "a"}, {"label": 0}]', [label, score])).toEqual({ label: labels });
  });

  test('never gives outputs that are no tensors', () => {
    expect(read('{"zipmap": [{"0": 0.5}, {"0": 0.5}], "label": [1, 0]}', [zipmap, label])).toEqual({ label: labels });
    expect(problemsOf(() => read('[{"0": 0.5, "1": 0.5}]', [zipmap], 1))[0].code).toBe('no-outputs');
  });

  test.each<[string, TensorSpec['shape'], readonly number[]]>([
    ['[0.5, 1.5]', ['N', 1], [2, 1]],
    ['[[0.5], [1.5]]', ['N'], [2]],
    ['[[[0.5, 1.5]]]', ['N'], [2]],
    ['[[0.5, 1.5]]', ['N', 1, 1], [2, 1, 1]],
    ['[0.5, 1.5]', [2], [2]],
    ['[0.5, 1.5]', ['?'], [2]],
  ])('may leave dimensions of size 1 out or add them: %s for %j', (text, shape, dims) => {
    const output: TensorSpec = { name: 'y', type: 'float32', shape };
    expect(read(text, [output])).toEqual({ y: { type: 'float32', data: Float32Array.of(0.5, 1.5), dims } });
  });

  test.each<
    [string, string, TensorSpec, { readonly code: string; readonly found?: string; readonly expected?: string }]
  >([
    ['a row too many', '[1, 0, 1]', label, { code: 'wrong-output-shape', found: '[3]', expected: 'int64 [2]' }],
    [
      'a column too few',
      '[[0.5], [0.5]]',
      score,
      { code: 'wrong-output-shape', found: '[2, 1]', expected: 'float32 [2, 2]' },
    ],
    ['uneven rows', '[[0.5, 0.5], [0.5]]', score, { code: 'ragged-output', found: 'an uneven array of 2' }],
    [
      'a fraction for an integer',
      '[1, 0.5]',
      label,
      { code: 'wrong-output-type', found: '0.5', expected: 'int64 [2]' },
    ],
    ['text for a number', '["1", "0"]', label, { code: 'wrong-output-type', found: '"1"' }],
    ['an integer that does not fit', '[9223372036854775808, 0]', label, { code: 'wrong-output-type' }],
    ['nothing', 'null', label, { code: 'no-outputs', found: 'null', expected: '"label"' }],
    ['other names', '{"a\\u001b": 1, "b": 2}', label, { code: 'no-outputs', found: '"a\\u{1b}", "b"' }],
    ['no rows', '[]', score, { code: 'wrong-output-shape', found: '[0]' }],
    ['deep nesting', `${'['.repeat(40)}1${']'.repeat(40)}`, label, { code: 'ragged-output' }],
  ])('is refused with what came and what was expected: %s', (_, text, output, problem) => {
    const problems = problemsOf(() => read(text, [output]));
    expect(problems[0]).toMatchObject(problem);
    expect(problems[0].fix).toMatch(/\S/);
  });

  test('tells everything that is wrong with outputs that came by name', () => {
    const problems = problemsOf(() => read('{"label": ["a", "b"], "score": [1]}', [label, score]));
    expect(problems.map(({ place }) => place?.key)).toEqual(['label', 'score']);
  });

  test('may be one bare value for one row', () => {
    expect(read('7', [label], 1)).toEqual({ label: { type: 'int64', data: BigInt64Array.of(7n), dims: [1] } });
    expect(problemsOf(() => read('7', [label], 2))[0].code).toBe('no-outputs');
  });

  test('may hold bytes as TensorFlow Serving writes them, and booleans as NumPy counts them', () => {
    const name: TensorSpec = { name: 'name', type: 'string', shape: ['N'] };
    const flag: TensorSpec = { name: 'flag', type: 'bool', shape: ['N'] };
    expect(read('{"name": [{"b64": "w5w="}, "a"], "flag": [1, false]}', [name, flag])).toEqual({
      name: { type: 'string', data: ['Ü', 'a'], dims: [2] },
      flag: { type: 'bool', data: Uint8Array.of(1, 0), dims: [2] },
    });
  });

  test('is taken as it comes where the model does not say a shape', () => {
    const any: TensorSpec = { name: 'any', type: 'float32', shape: [], unranked: true };
    expect(read('[[[1], [2]]]', [any])).toEqual({
      any: { type: 'float32', data: Float32Array.of(1, 2), dims: [1, 2, 1] },
    });
  });

  test('cannot name things that every object has', () => {
    const proto: TensorSpec = { name: '__proto__', type: 'int64', shape: ['N'] };
    const built: TensorSpec = { name: 'constructor', type: 'int64', shape: ['N'] };
    expect(problemsOf(() => read('{}', [built]))[0].code).toBe('no-outputs');
    const outputs = read('{"__proto__": [1, 0]}', [proto]);
    expect(Object.getPrototypeOf(outputs)).toBe(Object.prototype);
    expect(Object.keys(outputs)).toEqual(['__proto__']);
  });
});

describe('a request of JSON', () => {
  const several: Feeds = {
    'a"b': { type: 'int64', data: BigInt64Array.of(-9223372036854775808n, 2n), dims: [2] },
    image: { type: 'uint8', data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), dims: [2, 2, 2] },
    on: { type: 'bool', data: Uint8Array.of(1, 0), dims: [2, 1] },
    text: { type: 'string', data: ['</script>', '\u2028"'], dims: [2] },
  };

  test('has rows of named values, or columns, for several inputs', () => {
    expect(rowsJson(several, 'strict')).toBe(
      '[{"a\\"b":-9223372036854775808,"image":[[1,2],[3,4]],"on":[true],"text":"</script>"},{"a\\"b":2,"image":[[5,6],[7,8]],"on":[false],"text":"\u2028\\""}]',
    );
    expect(columnsJson({ on: several['on'] as Tensor }, 'strict')).toBe('{"on":[[true],[false]]}');
  });

  test('needs inputs with as many rows each', () => {
    const odd: Feeds = { ...several, z: { type: 'int8', data: Int8Array.of(1), dims: [1] } };
    expect(() => rowsJson(odd, 'strict')).toThrow(InputError);
    expect(() => rowsOf({ z: { type: 'int8', data: Int8Array.of(1), dims: [] } })).toThrow(InputError);
    expect(columnsJson({ z: { type: 'int8', data: Int8Array.of(1), dims: [] } }, 'strict')).toBe('{"z":1}');
  });

  test('has a table where inputs are columns, and names for all of them', () => {
    const { columns, rows } = frameOf(
      { ...feedsOf(1), wide: { type: 'int8', data: Int8Array.of(1, 2), dims: [1, 2] } },
      'strict',
    );
    expect(columns).toEqual(['x', 'wide_0', 'wide_1']);
    expect(rows).toEqual([['0', '1', '2']]);
    expect(() => frameOf(feedsOf(1), 'strict', ['a', 'b'])).toThrow(InputError);
    expect(() => frameOf(several, 'strict')).toThrow(InputError);
  });

  test('keeps to the standard where the server does', () => {
    const odd: Tensor = {
      type: 'float64',
      data: Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, -Infinity),
      dims: [3],
    };
    expect(tensorJson(odd, 'strict')).toBe('[null,1e999,-1e999]');
    expect(tensorJson(odd, 'python')).toBe('[NaN,Infinity,-Infinity]');
  });

  const anyTensor: fc.Arbitrary<Tensor> = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }))
    .chain(([rows, rest]) => {
      const dims = [rows, ...rest];
      const size = dims.reduce((product, each) => product * each, 1);
      const of = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
        fc.array(value, { minLength: size, maxLength: size });
      return fc.oneof(
        of(fc.double()).map((data): Tensor => ({ type: 'float64', data: Float64Array.from(data), dims })),
        of(fc.float()).map((data): Tensor => ({ type: 'float32', data: Float32Array.from(data), dims })),
        of(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map(
          (data): Tensor => ({ type: 'int64', data: BigInt64Array.from(data), dims }),
        ),
        of(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(
          (data): Tensor => ({ type: 'uint64', data: BigUint64Array.from(data), dims }),
        ),
        of(fc.boolean()).map((data): Tensor => ({ type: 'bool', data: Uint8Array.from(data, Number), dims })),
        of(fc.string({ unit: 'grapheme' })).map((data): Tensor => ({ type: 'string', data, dims })),
      );
    })
    .filter(({ dims }) => dims[0] !== 0);

  test('comes back as the same tensor when a server echoes it', () => {
    fc.assert(
      fc.property(anyTensor, fc.constantFrom('strict' as const, 'python' as const), (tensor, nonFinite) => {
        const outputs: readonly TensorSpec[] = [{ name: 'y', type: tensor.type, shape: tensor.dims }];
        const echo = (text: string) =>
          readOutputs(parseJson(Buffer.from(text), 'answer'), { inputs: [], outputs }, { y: tensor })['y'];
        // JSON has no sign of zero here: an integer 0 is written for -0.
        const plain =
          tensor.type === 'float64' || tensor.type === 'float32'
            ? { ...tensor, data: tensor.data.map((value) => value + 0) }
            : tensor;
        expect(echo(columnsJson({ y: tensor }, nonFinite))).toEqual(plain);
        expect(echo(rowsJson({ y: tensor }, nonFinite))).toEqual(plain);
      }),
    );
  });
});
