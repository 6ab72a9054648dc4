import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyFeeds, anyTensor, plain, runnableTypes, tensorsOf } from './fixtures/arbitrary-tensor.ts';
import {
  decodeInferRequest,
  decodeInferResponse,
  encodeInferRequest,
  encodeInferResponse,
  type HttpMessage,
  headerLengthName,
  MessageError,
} from './index.ts';

function headerOf(message: HttpMessage): string | undefined {
  return message.headers[headerLengthName];
}

describe('what was encoded for HTTP comes back', () => {
  test.each(runnableTypes)('a %s tensor in a request, in JSON and in binary data', (type) => {
    fc.assert(
      fc.property(tensorsOf(type), fc.boolean(), (tensor, binary) => {
        const message = encodeInferRequest({ feeds: { X: tensor }, binary });
        expect(plain(decodeInferRequest(message.body, headerOf(message)).feeds)).toEqual(plain({ X: tensor }));
      }),
    );
  });

  test('a request with several tensors, an id and wanted outputs', () => {
    fc.assert(
      fc.property(
        anyFeeds,
        fc.option(fc.string(), { nil: undefined }),
        fc.option(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }), { nil: undefined }),
        fc.boolean(),
        (feeds, id, outputs, binary) => {
          const message = encodeInferRequest({
            feeds,
            ...(id === undefined ? {} : { id }),
            ...(outputs === undefined ? {} : { outputs }),
            binary,
          });
          const request = decodeInferRequest(message.body, headerOf(message));
          expect(plain(request.feeds)).toEqual(plain(feeds));
          expect(request.id).toBe(id);
          expect(request.outputs).toEqual(outputs?.map((name) => ({ name, binary })));
          expect(request.binaryOutput).toBe(binary);
        },
      ),
    );
  });

  test('a response whose outputs go partly as JSON and partly as binary data', () => {
    fc.assert(
      fc.property(anyFeeds, fc.func(fc.boolean()), fc.string(), (outputs, binary, id) => {
        const answer = { modelName: 'churn "1"', modelVersion: '3', id, outputs };
        const message = encodeInferResponse(answer, binary);
        const response = decodeInferResponse(message.body, headerOf(message));
        expect({ ...response, outputs: plain(response.outputs) }).toEqual({ ...answer, outputs: plain(outputs) });
      }),
    );
  });

  test('the header is sent exactly when binary data follow, and JSON alone is what JSON.parse reads, infinities apart', () => {
    fc.assert(
      fc.property(anyTensor, (tensor) => {
        const asJson = encodeInferResponse({ modelName: 'm', modelVersion: '1', outputs: { Y: tensor } });
        expect(headerOf(asJson)).toBeUndefined();
        const text = Buffer.from(asJson.body).toString('utf8');
        const infinite = tensor.type !== 'string' && text.includes('Infinity');
        if (infinite) expect(() => JSON.parse(text)).toThrow(SyntaxError);
        else expect(JSON.parse(text)).toMatchObject({ outputs: [{ name: 'Y', shape: tensor.dims }] });
        const binary = encodeInferResponse({ modelName: 'm', modelVersion: '1', outputs: { Y: tensor } }, () => true);
        expect(Number(headerOf(binary))).toBeLessThanOrEqual(binary.body.length);
      }),
    );
  });
});

describe('broken messages', () => {
  const decoders = { request: decodeInferRequest, response: decodeInferResponse };

  test.each(Object.entries(decoders))('random bytes give a MessageError or a %s, nothing else', (_, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.option(fc.string(), { nil: undefined }), (body, header) => {
        expectRefusalOrValue(() => decode(body, header));
      }),
    );
  });

  test.each(Object.entries(decoders))('random JSON gives a MessageError or a %s, nothing else', (_, decode) => {
    const tensorLike = fc.record(
      {
        name: fc.oneof(fc.string(), fc.jsonValue()),
        datatype: fc.oneof(fc.constantFrom('FP32', 'INT64', 'BYTES', 'BOOL', 'UINT64'), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double(), fc.constant(2 ** 40))), fc.jsonValue()),
        data: fc.jsonValue(),
        parameters: fc.oneof(fc.record({ binary_data_size: fc.oneof(fc.nat(64), fc.jsonValue()) }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const messageLike = fc.record(
      {
        inputs: fc.oneof(fc.array(tensorLike), fc.jsonValue()),
        outputs: fc.oneof(fc.array(tensorLike), fc.jsonValue()),
        id: fc.jsonValue(),
        parameters: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(messageLike, fc.uint8Array({ maxLength: 40 }), fc.boolean(), (message, binary, withHeader) => {
        const json = Buffer.from(JSON.stringify(message));
        const body = Buffer.concat([json, binary]);
        expectRefusalOrValue(() => decode(body, withHeader ? String(json.length) : undefined));
      }),
      { numRuns: 500 },
    );
  });

  test.each(Object.entries(decoders))('a %s with one byte changed is refused or read', (kind, decode) => {
    fc.assert(
      fc.property(anyFeeds, fc.boolean(), fc.nat(), fc.nat(255), (feeds, binary, at, byte) => {
        const message =
          kind === 'request'
            ? encodeInferRequest({ feeds, binary })
            : encodeInferResponse({ modelName: 'm', modelVersion: '1', outputs: feeds }, () => binary);
        const body = Uint8Array.from(message.body);
        body[at % body.length] = byte;
        expectRefusalOrValue(() => decode(body, headerOf(message)));
      }),
    );
  });
});

function expectRefusalOrValue(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(MessageError);
    for (const { fix, message } of (error as MessageError).problems) {
      expect(fix).toMatch(/^[A-Z].*\.$/s);
      expect(message).not.toBe('');
    }
  }
}
