import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Feeds, Outputs, Tensor } from '../../core/onnx/index.ts';
import { type PredictionCache, predictionCache } from './prediction-cache.ts';

function cacheOf(digest = 'a', more: { readonly entries?: number; readonly bytes?: number } = {}): PredictionCache {
  return predictionCache(digest, ['X', 'T'], { entries: 10, bytes: 1e6, ttlSeconds: 60, now: () => 0, ...more });
}

const answer = (length: number): Outputs => ({
  Y: { type: 'float32', data: new Float32Array(length).fill(1), dims: [length] },
});

test('what was asked for least recently goes first', () => {
  const cache = cacheOf('a', { entries: 2 });
  cache.set('1', answer(1));
  cache.set('2', answer(2));
  cache.get('1');
  cache.set('3', answer(3));
  expect(['1', '2', '3'].map((key) => cache.get(key)?.['Y']?.dims[0])).toEqual([1, undefined, 3]);
});

test('answers take no more memory together than they may, and one that alone takes more is not kept', () => {
  const cache = cacheOf('a', { bytes: 10_000 });
  cache.set('large', answer(3000));
  expect(cache.get('large')).toBeUndefined();
  for (let each = 0; each < 10; each++) cache.set(String(each), answer(1000));
  const kept = Array.from({ length: 10 }, (_, each) => cache.get(String(each))).filter((found) => found !== undefined);
  expect(kept).toHaveLength(2);
});

test('an answer that was a view of a batch is kept without the batch', () => {
  const cache = cacheOf();
  const batch = new Float32Array(1000);
  cache.set('k', { Y: { type: 'float32', data: batch.subarray(10, 12), dims: [2] } });
  batch.fill(7);
  expect(cache.get('k')).toEqual({ Y: { type: 'float32', data: new Float32Array(2), dims: [2] } });
  expect(cache.get('k')?.['Y']?.data).toHaveProperty('buffer.byteLength', 8);
});

test('two requests have one key only if they ask the same of the same model', () => {
  const tensor: fc.Arbitrary<Tensor> = fc.oneof(
    fc.array(fc.constantFrom(0, 1), { maxLength: 3 }).map(
      (values): Tensor => ({
        type: 'float32',
        data: Float32Array.from(values),
        dims: [values.length],
      }),
    ),
    fc.array(fc.constantFrom(0, 1), { maxLength: 3 }).map(
      (values): Tensor => ({
        type: 'int32',
        data: Int32Array.from(values),
        dims: [1, values.length],
      }),
    ),
    fc.array(fc.constantFrom('', 'a', 'aa', '1:', '1:a', '\0'), { maxLength: 3 }).map(
      (data): Tensor => ({
        type: 'string',
        data,
        dims: [data.length],
      }),
    ),
  );
  const asked = fc.record({
    digest: fc.constantFrom('a', 'b'),
    feeds: fc.record({ X: tensor, T: tensor }) as fc.Arbitrary<Feeds>,
    outputs: fc.constantFrom(undefined, ['Y'], ['Y', 'Z'], ['Z', 'Y']),
  });
  const written = (value: unknown): string =>
    JSON.stringify(value, (_, each) => (ArrayBuffer.isView(each) ? Object.values(each) : each));
  fc.assert(
    fc.property(asked, asked, (one, two) => {
      const [first, second] = [one, two].map(({ digest, feeds, outputs }) => cacheOf(digest).keyOf(feeds, outputs));
      expect(first === second).toBe(written(one) === written(two));
    }),
    { numRuns: 2000 },
  );
});
