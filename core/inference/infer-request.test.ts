import { describe, expect, test } from 'vitest';
import type { Problem } from '../problem/index.ts';
import { decodeInferRequest, encodeInferResponse, type InferRequest, MessageError } from './index.ts';

function read(json: string, binary: readonly number[] = [], header = binary.length > 0): InferRequest {
  const head = Buffer.from(json);
  return decodeInferRequest(Buffer.concat([head, Uint8Array.from(binary)]), header ? String(head.length) : undefined);
}

function problemsOf(run: () => unknown): readonly Problem[] {
  try {
    run();
  } catch (error) {
    if (error instanceof MessageError) return error.problems;
    throw error;
  }
  return [];
}

function readOne(input: string): InferRequest {
  return read(`{"inputs":[${input}]}`);
}

describe('JSON data', () => {
  test('are taken flat or nested as the shape says', () => {
    const flat = readOne('{"name":"X","datatype":"FP32","shape":[2,2],"data":[1,2.5,-3,4]}');
    const nested = readOne('{"name":"X","datatype":"FP32","shape":[2,2],"data":[[1,2.5],[-3,4]]}');
    expect(flat.feeds['X']).toEqual({ type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2.5, -3, 4) });
    expect(nested.feeds['X']).toEqual(flat.feeds['X']);
  });

  test('nested otherwise than the shape says are refused with the place', () => {
    expect(
      problemsOf(() => readOne('{"name":"X","datatype":"FP32","shape":[2,2],"data":[[1,2],[3,4,5]]}')),
    ).toMatchObject([{ code: 'shape-mismatch', place: { key: 'inputs[0].data[1]' }, found: 'an array of 3' }]);
    expect(
      problemsOf(() => readOne('{"name":"X","datatype":"FP32","shape":[2,2],"data":[[[1],[2]],[[3],[4]]]}')),
    ).toMatchObject([{ code: 'wrong-value' }]);
  });

  test('of INT64 and UINT64 keep every digit', () => {
    const { feeds } = read(
      `{"inputs":[
        {"name":"signed","datatype":"INT64","shape":[4],"data":[9007199254740993,-9223372036854775808,9223372036854775807,1e3]},
        {"name":"unsigned","datatype":"UINT64","shape":[1,2],"data":[[18446744073709551615, 9007199254740993.0]]},
        {"name":"text \\" 1","datatype":"BYTES","shape":[1],"data":["9007199254740993 \\\\\\" 12"]}]}`,
    );
    expect(feeds['signed']?.data).toEqual(BigInt64Array.of(9007199254740993n, -(2n ** 63n), 2n ** 63n - 1n, 1000n));
    expect(feeds['unsigned']?.data).toEqual(BigUint64Array.of(2n ** 64n - 1n, 9007199254740993n));
    expect(feeds['text " 1']?.data).toEqual(['9007199254740993 \\" 12']);
  });

  test.each([
    ['INT64', '9223372036854775808'],
    ['INT64', '-9223372036854775809'],
    ['INT64', '1.5'],
    ['INT64', '9007199254740993.5'],
    ['INT64', '1e400'],
    ['INT64', 'null'],
    ['INT64', '"1"'],
    ['UINT64', '-1'],
    ['UINT64', '18446744073709551616'],
    ['UINT8', '256'],
    ['UINT8', '-1'],
    ['INT8', '128'],
    ['INT16', '1.5'],
    ['UINT32', '4294967296'],
    ['BOOL', '1'],
    ['BOOL', '"true"'],
    ['FP32', '3.5e38'],
    ['FP16', '65520'],
    ['FP32', '"1"'],
    ['FP64', 'true'],
    ['BYTES', '1'],
    ['BYTES', '"\\ud800"'],
  ])('%s refuses %s instead of changing it', (datatype, value) => {
    expect(
      problemsOf(() => readOne(`{"name":"X","datatype":"${datatype}","shape":[1],"data":[${value}]}`)),
    ).toMatchObject([{ code: 'wrong-value', place: { key: 'inputs[0].data, value 0' } }]);
  });

  test('NaN and infinities are read in the spellings Triton reads, and null is NaN', () => {
    const { feeds } = readOne(
      '{"name":"NaN","datatype":"FP32","shape":[7],"data":[NaN,Infinity,-Infinity,Inf,-Inf,null,-NaN]}',
    );
    expect(feeds['NaN']?.data).toEqual(
      Float32Array.of(Number.NaN, Infinity, -Infinity, Infinity, -Infinity, Number.NaN, Number.NaN),
    );
  });

  test('written by a server have null for NaN and a bare Infinity', () => {
    const { body } = encodeInferResponse({
      modelName: 'm',
      modelVersion: '1',
      outputs: { Y: { type: 'float64', dims: [3], data: Float64Array.of(Number.NaN, Infinity, 0.1) } },
    });
    expect(Buffer.from(body).toString()).toBe(
      '{"model_name":"m","model_version":"1","outputs":[{"name":"Y","datatype":"FP64","shape":[3],"data":[null,Infinity,0.1]}]}',
    );
  });

  test('an empty batch is a batch', () => {
    expect(readOne('{"name":"X","datatype":"FP32","shape":[0,4],"data":[]}').feeds['X']).toEqual({
      type: 'float32',
      dims: [0, 4],
      data: new Float32Array(),
    });
  });
});

describe('binary data', () => {
  const input = '{"name":"X","datatype":"INT16","shape":[2],"parameters":{"binary_data_size":4}}';

  test('follow the JSON in the order of the tensors', () => {
    const { feeds } = read(
      `{"inputs":[${input},{"name":"in JSON","datatype":"BOOL","shape":[1],"data":[true]},
        {"name":"words","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":10}}]}`,
      [1, 0, 255, 255, 2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0],
    );
    expect(feeds['X']?.data).toEqual(Int16Array.of(1, -1));
    expect(feeds['in JSON']?.data).toEqual(Uint8Array.of(1));
    expect(feeds['words']?.data).toEqual(['é', '']);
  });

  test.each([
    ['a size beyond the body', `{"inputs":[${input}]}`, [1, 0, 2], 'bad-binary-size'],
    ['bytes nobody claims', `{"inputs":[${input}]}`, [1, 0, 2, 0, 9], 'unclaimed-bytes'],
    ['a size that is not the shape’s', `{"inputs":[${input.replace('[2]', '[3]')}]}`, [1, 0, 2, 0], 'shape-mismatch'],
    ['a negative size', `{"inputs":[${input.replace('4}', '-4}')}]}`, [1, 0, 2, 0], 'bad-binary-size'],
    [
      'a string longer than the data',
      '{"inputs":[{"name":"X","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}',
      [255, 255, 255, 255, 1, 1],
      'shape-mismatch',
    ],
    [
      'a string that is not UTF-8',
      '{"inputs":[{"name":"X","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}]}',
      [1, 0, 0, 0, 0xff],
      'not-utf8',
    ],
    [
      'a BOOL that is neither 0 nor 1',
      '{"inputs":[{"name":"X","datatype":"BOOL","shape":[1],"parameters":{"binary_data_size":1}}]}',
      [2],
      'wrong-value',
    ],
  ])('%s is refused', (_, json, bytes, code) => {
    expect(problemsOf(() => read(json, bytes))).toMatchObject([{ code }]);
  });

  test('without their header are refused with the name of the header', () => {
    const problems = problemsOf(() => read(`{"inputs":[${input}]}`, [1, 0, 255, 255], false));
    expect(problems).toMatchObject([
      { code: 'not-utf8', fix: expect.stringContaining('Inference-Header-Content-Length') },
    ]);
  });

  test.each(['-1', '1e3', '99999', '', ' 5', 'abc'])('a header of %j is refused', (header) => {
    expect(problemsOf(() => decodeInferRequest(Buffer.from('{"inputs":[]}'), header))).toMatchObject([
      { code: 'bad-header-length' },
    ]);
  });

  test('a tensor shares no memory with the body', () => {
    const head = Buffer.from(`{"inputs":[${input}]}`);
    const body = Buffer.concat([head, Uint8Array.of(1, 0, 2, 0)]);
    const { feeds } = decodeInferRequest(body, String(head.length));
    body.fill(7);
    expect(feeds['X']?.data).toEqual(Int16Array.of(1, 2));
  });
});

describe('requested outputs', () => {
  const input = '"inputs":[{"name":"X","datatype":"FP32","shape":[1],"data":[1]}]';

  test('inherit binary_data_output and override it', () => {
    expect(
      read(
        `{${input},"parameters":{"binary_data_output":true},"outputs":[{"name":"a"},{"name":"b","parameters":{"binary_data":false}}]}`,
      ),
    ).toMatchObject({
      binaryOutput: true,
      outputs: [
        { name: 'a', binary: true },
        { name: 'b', binary: false },
      ],
    });
  });

  test('none, null and an empty list mean all', () => {
    expect(read(`{${input}}`)).not.toHaveProperty('outputs');
    expect(read(`{${input},"outputs":null,"id":null,"parameters":null}`)).not.toHaveProperty('outputs');
    expect(read(`{${input},"outputs":[]}`)).not.toHaveProperty('outputs');
  });

  test.each([
    ['twice the same', '"outputs":[{"name":"a"},{"name":"a"}]', 'duplicate-tensor'],
    ['top classes', '"outputs":[{"name":"a","parameters":{"classification":3}}]', 'unsupported-extension'],
    ['shared memory', '"outputs":[{"name":"a","parameters":{"shared_memory_region":"r"}}]', 'unsupported-extension'],
    ['no name', '"outputs":[{}]', 'missing-name'],
  ])('%s is refused', (_, outputs, code) => {
    expect(problemsOf(() => read(`{${input},${outputs}}`))).toMatchObject([{ code }]);
  });
});

describe('a broken request', () => {
  test('is told with every faulty tensor at once', () => {
    const problems = problemsOf(() =>
      read(
        `{"inputs":[{"name":"a","datatype":"FLOAT","shape":[1],"data":[1]},{"name":"b","datatype":"FP32","shape":[-1],"data":[1]},
          {"name":"c","datatype":"FP32","shape":[1],"data":[1]},{"name":"c","datatype":"FP32","shape":[1],"data":[1]}]}`,
      ),
    );
    expect(problems.map(({ code, place }) => `${place?.key} ${code}`)).toEqual([
      'inputs[0].datatype unknown-datatype',
      'inputs[1].shape[0] bad-shape',
      'inputs[3] duplicate-tensor',
    ]);
  });

  test('of a shape without its data costs no memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(problemsOf(() => readOne('{"name":"X","datatype":"FP64","shape":[200000000],"data":[]}'))).toMatchObject([
      { code: 'shape-mismatch' },
    ]);
    expect(
      problemsOf(() => readOne('{"name":"X","datatype":"FP64","shape":[2147483647,2147483647,2147483647],"data":[]}')),
    ).toMatchObject([{ code: 'too-many-elements' }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  test('nested a million deep is refused', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    expect(problemsOf(() => readOne(`{"name":"X","datatype":"FP32","shape":[1],"data":${deep}}`))).toHaveLength(1);
  });

  test('shows nothing of the sender that could control a terminal', () => {
    const error = ((): unknown => {
      try {
        readOne('{"name":"\\u001b[2J","datatype":"\\u001b]0;x\\u0007","shape":[1],"data":[1]}');
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(MessageError);
    expect(String(error)).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
