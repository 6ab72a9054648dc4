import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { anyFeeds, plain, runnableTypes, tensorsOf } from './fixtures/arbitrary-tensor.ts';
import { hasContents } from './grpc-contents.ts';
import {
  datatypeOf,
  decodeModelInferRequest,
  decodeModelInferResponse,
  encodeModelInferRequest,
  encodeModelInferResponse,
  MessageError,
  protoText,
} from './index.ts';

/** protobufjs with the published proto: another reader and writer of the same messages. */
const root = protobuf.parse(protoText).root;
const Request = root.lookupType('inference.ModelInferRequest');
const Response = root.lookupType('inference.ModelInferResponse');

function refusal(bytes: Uint8Array): string | undefined {
  try {
    decodeModelInferRequest(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(MessageError);
    return (error as MessageError).problems[0].code;
  }
  return undefined;
}

describe('ModelInfer', () => {
  test.each(runnableTypes)('a %s tensor comes back from raw and typed contents', (type) => {
    fc.assert(
      fc.property(tensorsOf(type), fc.boolean(), (tensor, raw) => {
        const request = encodeModelInferRequest({ modelName: 'm', feeds: { X: tensor }, raw });
        const decoded = decodeModelInferRequest(request);
        expect(plain(decoded.feeds)).toEqual(plain({ X: tensor }));
        expect(decoded.raw).toBe(raw || !hasContents(type));
        const response = encodeModelInferResponse({ modelName: 'm', modelVersion: '1', outputs: { X: tensor } }, raw);
        expect(plain(decodeModelInferResponse(response).outputs)).toEqual(plain({ X: tensor }));
      }),
    );
  });

  test('what is written is what protobufjs reads by the published proto', () => {
    fc.assert(
      fc.property(anyFeeds, fc.boolean(), fc.string(), (feeds, raw, id) => {
        const bytes = encodeModelInferRequest({ modelName: 'm', modelVersion: '2', id, feeds, outputs: ['Y'], raw });
        const read = Request.toObject(Request.decode(bytes), { defaults: true, longs: Number });
        expect(read).toMatchObject({
          modelName: 'm',
          modelVersion: '2',
          id,
          inputs: Object.entries(feeds).map(([name, { type, dims }]) => ({
            name,
            datatype: datatypeOf(type),
            shape: dims,
          })),
          outputs: [{ name: 'Y' }],
        });
      }),
    );
  });

  test('what protobufjs writes, packed, with parameters and unknown fields, is read', () => {
    const bytes = Request.encode(
      Request.fromObject({
        modelName: 'm',
        id: '7',
        parameters: { priority: { int64Param: 3 }, flag: { boolParam: true }, word: { stringParam: 'x' } },
        inputs: [
          {
            name: 'a',
            datatype: 'INT64',
            shape: [2],
            contents: { int64Contents: ['-9223372036854775808', '9007199254740993'] },
          },
          { name: 'b', datatype: 'UINT8', shape: [1, 2], contents: { uintContents: [0, 255] } },
          { name: 'c', datatype: 'BYTES', shape: [1], contents: { bytesContents: [Buffer.from('é')] } },
          { name: 'd', datatype: 'FP32', shape: [], contents: { fp32Contents: [0.5] } },
          { name: 'e', datatype: 'BOOL', shape: [2], contents: { boolContents: [true, false] } },
        ],
        outputs: [{ name: 'Y' }],
      }),
    ).finish();
    const unknownField = Uint8Array.of(0xfa, 0x01, 1, 0);
    const request = decodeModelInferRequest(Buffer.concat([bytes, unknownField]));
    expect(plain(request.feeds)).toEqual([
      ['a', 'int64', [2], [-(2n ** 63n), 9007199254740993n]],
      ['b', 'uint8', [1, 2], [0, 255]],
      ['c', 'string', [1], ['é']],
      ['d', 'float32', [], [0.5]],
      ['e', 'bool', [2], [1, 0]],
    ]);
    expect(request).toMatchObject({ modelName: 'm', modelVersion: '', id: '7', raw: false, outputs: [{ name: 'Y' }] });
    expect({ ...request.parameters }).toEqual({ priority: 3n, flag: true, word: 'x' });
  });

  test('unpacked values and contents in two parts are merged, as protobuf says', () => {
    // contents { int_contents: 1 } (unpacked) and contents { int_contents: [2, 3] } (packed) of INT32 [3].
    const input = Buffer.concat([
      Buffer.from([0x0a, 1, 0x58, 0x12, 5, ...Buffer.from('INT32'), 0x18, 3]),
      Buffer.from([0x2a, 2, 0x10, 1]),
      Buffer.from([0x2a, 4, 0x12, 2, 2, 3]),
    ]);
    const request = decodeModelInferRequest(Buffer.concat([Buffer.from([0x2a, input.length]), input]));
    expect(plain(request.feeds)).toEqual([['X', 'int32', [3], [1, 2, 3]]]);
  });

  test.each([
    [
      'raw contents for some tensors only',
      { inputs: [{ name: 'a' }, { name: 'b' }], rawInputContents: ['AAAAAA=='] },
      'raw-count',
    ],
    [
      'both raw and typed contents',
      {
        inputs: [{ name: 'a', datatype: 'FP32', shape: [1], contents: { fp32Contents: [1] } }],
        rawInputContents: ['AAAAAA=='],
      },
      'data-twice',
    ],
    ['no contents', { inputs: [{ name: 'a', datatype: 'FP32', shape: [1] }] }, 'shape-mismatch'],
    [
      'contents of another type',
      { inputs: [{ name: 'a', datatype: 'FP32', shape: [1], contents: { fp64Contents: [1] } }] },
      'wrong-contents',
    ],
    [
      'a value beyond INT8',
      { inputs: [{ name: 'a', datatype: 'INT8', shape: [1], contents: { intContents: [128] } }] },
      'wrong-value',
    ],
    [
      'typed contents for FP16',
      { inputs: [{ name: 'a', datatype: 'FP16', shape: [1], contents: { fp32Contents: [1] } }] },
      'raw-only',
    ],
    [
      'a negative size',
      { inputs: [{ name: 'a', datatype: 'FP32', shape: [-1] }], rawInputContents: [''] },
      'bad-shape',
    ],
    [
      'a shape with too many dimensions',
      { inputs: [{ name: 'a', datatype: 'FP32', shape: Array(200).fill(1) }], rawInputContents: ['AAAAAA=='] },
      'too-many-dimensions',
    ],
    [
      'an unknown datatype',
      { inputs: [{ name: 'a', datatype: 'BF16', shape: [1] }], rawInputContents: ['AAA='] },
      'unknown-datatype',
    ],
    ['thousands of inputs', { inputs: Array(5000).fill({ name: 'a' }) }, 'too-many-tensors'],
  ])('%s is refused', (_, message, code) => {
    expect(refusal(Request.encode(Request.fromObject(message)).finish())).toBe(code);
  });

  test('random bytes, and a good message with one byte changed, give a MessageError or are read', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void refusal(bytes)));
    fc.assert(
      fc.property(anyFeeds, fc.boolean(), fc.nat(), fc.nat(255), (feeds, raw, at, byte) => {
        const bytes = encodeModelInferRequest({ modelName: 'm', feeds, raw });
        bytes[at % bytes.length] = byte;
        refusal(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('empty typed contents beside raw ones do no harm, as MLServer sends them', () => {
    const bytes = Response.encode(
      Response.fromObject({
        outputs: [{ name: 'Y', datatype: 'INT16', shape: [2], contents: {} }],
        rawOutputContents: [Buffer.from([1, 0, 255, 255])],
      }),
    ).finish();
    expect(plain(decodeModelInferResponse(bytes).outputs)).toEqual([['Y', 'int16', [2], [1, -1]]]);
  });

  test('a response that protobufjs writes is read', () => {
    const bytes = Response.encode(
      Response.fromObject({
        modelName: 'm',
        modelVersion: '1',
        outputs: [{ name: 'Y', datatype: 'FP64', shape: [2], contents: { fp64Contents: [1, Number.NaN] } }],
      }),
    ).finish();
    const { outputs, ...rest } = decodeModelInferResponse(bytes);
    expect(rest).toEqual({ modelName: 'm', modelVersion: '1' });
    expect(plain(outputs)).toEqual([['Y', 'float64', [2], [1, Number.NaN]]]);
  });
});
