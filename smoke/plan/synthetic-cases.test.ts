import fc from 'fast-check';
import { expect, test } from 'vitest';
import { feedProblems, type TensorSpec } from '../../core/onnx/index.ts';
import { ModelError } from '../../core/problem/index.ts';
import { spread } from './golden-case.ts';
import { syntheticCases } from './synthetic-cases.ts';

const types = [
  ...['float32', 'float64', 'float16', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'],
  ...['bool', 'string'],
] as const;

const specs = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      type: fc.constantFrom(...types) as fc.Arbitrary<TensorSpec['type']>,
      shape: fc.array(fc.oneof(fc.nat(4), fc.constantFrom('batch', '?')), { maxLength: 3 }),
    }),
    { selector: ({ name }) => name, minLength: 1 },
  )
  .map((all): readonly TensorSpec[] => all);

test('made-up inputs fit every signature of plain tensors', () => {
  fc.assert(
    fc.property(specs, fc.string(), (inputs, seed) => {
      const { cases } = syntheticCases(inputs, 3, seed);
      expect(cases.map(({ row }) => row)).toEqual([1, 2, 3]);
      for (const { feeds } of cases) expect(feedProblems(inputs, feeds, (problem) => problem)).toEqual([]);
    }),
  );
});

test('the same seed makes the same inputs, another seed others', () => {
  const inputs: readonly TensorSpec[] = [{ name: 'X', type: 'float32', shape: ['?', 8] }];
  expect(syntheticCases(inputs, 4, 'a')).toEqual(syntheticCases(inputs, 4, 'a'));
  expect(syntheticCases(inputs, 4, 'a').cases).not.toEqual(syntheticCases(inputs, 4, 'b').cases);
});

test('an input that is no tensor of plain values is told with its fix', () => {
  const inputs: readonly TensorSpec[] = [{ name: 'X', type: 'sequence(tensor(float32))', shape: [] }];
  expect(() => syntheticCases(inputs, 1, 's')).toThrow(ModelError);
});

test('rows are spread over the whole file, in order and each once', () => {
  expect(spread(10, 3)).toEqual([0, 3, 6]);
  expect(spread(2, 32)).toEqual([0, 1]);
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 100 }), (rows, wanted) => {
      const found = spread(rows, wanted);
      expect(found).toHaveLength(Math.min(rows, wanted));
      expect(new Set(found).size).toBe(found.length);
      expect(found.every((row) => row >= 0 && row < rows)).toBe(true);
    }),
  );
});
