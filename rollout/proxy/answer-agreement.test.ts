import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeInferResponse } from '../../core/inference/index.ts';
import { answersAgree, type WholeAnswer } from './answer-agreement.ts';

const tolerance = { absolute: 1e-6, relative: 1e-3 };
const json = (value: unknown, status = 200): WholeAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
});

function tensors(
  values: readonly number[],
  options: { readonly binary: boolean; readonly name?: string },
): WholeAnswer {
  const message = encodeInferResponse(
    {
      modelName: 'm',
      modelVersion: options.binary ? '1' : '2',
      outputs: {
        [options.name ?? 'y']: { type: 'float32', data: Float32Array.from(values), dims: [values.length] },
      },
    },
    () => options.binary,
  );
  return { status: 200, headers: message.headers, body: Buffer.from(message.body) };
}

describe('two answers', () => {
  test('agree when they are the same JSON, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(answersAgree(json(value), json(value), tolerance)).toBe(true);
      }),
    );
  });

  test('agree within the tolerance and disagree beyond, with numbers at any depth', () => {
    const predictions = (value: number) => json({ predictions: [{ score: [0.5, value] }] });
    expect(answersAgree(predictions(1), predictions(1.0009), tolerance)).toBe(true);
    expect(answersAgree(predictions(1), predictions(1.01), tolerance)).toBe(false);
    expect(answersAgree(json({ label: 'a' }), json({ label: 'b' }), tolerance)).toBe(false);
    expect(answersAgree(json([1, 2]), json([1]), tolerance)).toBe(false);
    expect(answersAgree(json({ a: 1 }), json({ a: 1, b: 2 }), tolerance)).toBe(false);
    expect(answersAgree(json({ a: 1 }), json([1]), tolerance)).toBe(false);
  });

  test('are not held to names of the request and the version', () => {
    const [one, other] = [json({ id: '1', model_version: '1', y: 2 }), json({ id: '2', model_version: '2', y: 2 })];
    expect(answersAgree(one, other, tolerance)).toBe(true);
    expect(answersAgree(json({ a: { id: 1 } }), json({ a: { id: 2 } }), tolerance)).toBe(false);
  });

  test('agree when the tensors are the same, one in JSON and one in binary', () => {
    const one = tensors([1, Number.NaN, 3], { binary: false });
    expect(answersAgree(one, tensors([1, Number.NaN, 3.0001], { binary: true }), tolerance)).toBe(true);
    expect(answersAgree(one, tensors([1, Number.NaN, 3.1], { binary: true }), tolerance)).toBe(false);
    expect(answersAgree(one, tensors([1, Number.NaN], { binary: true }), tolerance)).toBe(false);
    expect(answersAgree(one, tensors([1, Number.NaN, 3], { binary: true, name: 'z' }), tolerance)).toBe(false);
  });

  test('disagree when only the baseline answers, and cannot be compared when it does not', () => {
    expect(answersAgree(json({ y: 1 }), json({ error: 'no' }, 500), tolerance)).toBe(false);
    expect(answersAgree(json({ y: 1 }), json({ error: 'no' }, 400), tolerance)).toBe(false);
    expect(answersAgree(json({ error: 'no' }, 400), json({ y: 1 }), tolerance)).toBeUndefined();
  });

  test('are unpacked first, and one that unpacks to too much is not compared', () => {
    const packed = { ...json({}), headers: { 'content-encoding': 'gzip' }, body: gzipSync('{"y":1}') };
    expect(answersAgree(packed, json({ y: 1 }), tolerance)).toBe(true);
    const bomb = { ...packed, body: gzipSync(Buffer.alloc(32 * 2 ** 20)) };
    expect(answersAgree(bomb, json({ y: 1 }), tolerance)).toBeUndefined();
    expect(answersAgree(json({ y: 1 }), bomb, tolerance)).toBe(false);
  });

  test('of anything else agree byte by byte', () => {
    const bytes = (text: string) => ({ status: 200, headers: {}, body: Buffer.from(text) });
    expect(answersAgree(bytes('plain'), bytes('plain'), tolerance)).toBe(true);
    expect(answersAgree(bytes('plain'), bytes('other'), tolerance)).toBe(false);
  });

  test('never make it throw, whatever bytes they are', () => {
    const answers = fc.record({
      status: fc.constantFrom(200, 404, 500),
      headers: fc.constantFrom({}, { 'inference-header-content-length': '5' }, { 'content-encoding': 'br' }),
      body: fc.oneof(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(text)),
        fc.constantFrom('{"outputs":[{}]}', `${'['.repeat(90_000)}`).map((text) => Buffer.from(text)),
      ),
    });
    fc.assert(fc.property(answers, answers, (one, other) => void answersAgree(one, other, tolerance)));
  });
});
