import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Signature, signatureChanges } from './signature.ts';
import type { TensorSpec } from './tensor.ts';

const tensor = (name: string, type: TensorSpec['type'], ...shape: readonly (number | string)[]): TensorSpec => ({
  name,
  type,
  shape,
});
const x = tensor('X', 'float32', 'batch', 4);
const label = tensor('label', 'int64', 'batch');
const scores = tensor('scores', 'float32', 'batch', 2);
const before: Signature = { inputs: [x], outputs: [label, scores] };

const breaking = (after: Partial<Signature>, of: Signature = before) =>
  signatureChanges(of, { ...of, ...after })
    .filter((change) => change.breaking)
    .map(({ side, name, what }) => `${side} ${name} ${what}`);
const harmless = (after: Partial<Signature>, of: Signature = before) =>
  signatureChanges(of, { ...of, ...after }).filter((change) => !change.breaking).length;

describe('a change of what a model takes and gives', () => {
  it('is none between equal signatures, whatever free sizes are called', () => {
    expect(signatureChanges(before, before)).toEqual([]);
    expect(signatureChanges(before, { ...before, inputs: [tensor('X', 'float32', '?', 4)] })).toEqual([]);
  });

  it.each<[string, Partial<Signature>, readonly string[]]>([
    [
      'a renamed input',
      { inputs: [{ ...x, name: 'features' }] },
      ['input X is gone', 'input features is new and must be given: float32 [batch, 4]'],
    ],
    ['a further input', { inputs: [x, label] }, ['input label is new and must be given: int64 [batch]']],
    [
      'another element type',
      { inputs: [{ ...x, type: 'float64' }] },
      ['input X is float64 [batch, 4] instead of float32 [batch, 4]'],
    ],
    [
      'another number of features',
      { inputs: [tensor('X', 'float32', 'batch', 5)] },
      ['input X is float32 [batch, 5] instead of float32 [batch, 4]'],
    ],
    [
      'a batch that is fixed now',
      { inputs: [tensor('X', 'float32', 1, 4)] },
      ['input X is float32 [1, 4] instead of float32 [batch, 4]'],
    ],
    [
      'another number of dimensions',
      { inputs: [tensor('X', 'float32', 4)] },
      ['input X is float32 [4] instead of float32 [batch, 4]'],
    ],
    ['an output that is gone moves none before it', { outputs: [label] }, ['output scores is gone']],
    [
      'outputs in another order',
      { outputs: [scores, label] },
      ['output label is output 2 instead of 1', 'output scores is output 1 instead of 2'],
    ],
    [
      'a further class',
      { outputs: [label, tensor('scores', 'float32', 'batch', 3)] },
      ['output scores is float32 [batch, 3] instead of float32 [batch, 2]'],
    ],
    [
      'an output whose classes are no longer said',
      { outputs: [label, tensor('scores', 'float32', 'batch', '?')] },
      ['output scores is float32 [batch, ?] instead of float32 [batch, 2]'],
    ],
  ])('is breaking: %s', (_name, after, expected) => {
    expect(breaking(after)).toEqual(expected);
  });

  it('is harmless where it only widens', () => {
    const fixed: Signature = { inputs: [tensor('X', 'float32', 1, 4)], outputs: [tensor('Y', 'float32', 1, 2)] };
    const free: Signature = { inputs: [x], outputs: [tensor('Y', 'float32', 'batch', 2)] };
    expect([breaking(free, fixed), harmless(free, fixed)]).toEqual([[], 2]);
    const further = { outputs: [label, scores, tensor('explanation', 'float32', 'batch', 4)] };
    expect([breaking(further), harmless(further)]).toEqual([[], 1]);
    const said = { outputs: [label, tensor('scores', 'float32', 'batch', 2)] };
    const unsaid: Signature = { ...before, outputs: [label, tensor('scores', 'float32', 'batch', '?')] };
    expect([breaking(said, unsaid), harmless(said, unsaid)]).toEqual([[], 1]);
  });

  it('is breaking where a sequence of maps becomes a tensor', () => {
    const zipped: Signature = {
      ...before,
      outputs: [label, { name: 'scores', type: 'sequence(map(int64, tensor(float32)))', shape: [], unranked: true }],
    };
    expect(breaking({ outputs: [label, scores] }, zipped)).toEqual([
      'output scores is float32 [batch, 2] instead of sequence(map(int64, tensor(float32)))',
    ]);
  });

  it('of an input there and back is breaking at least once, unless it was none', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant('n'));
    const input = fc
      .record({ type: fc.constantFrom('float32', 'int64'), shape: fc.array(size, { maxLength: 3 }) })
      .map(({ type, shape }) => tensor('X', type as 'float32', ...shape));
    fc.assert(
      fc.property(input, input, (one, other) => {
        const there = signatureChanges({ inputs: [one], outputs: [] }, { inputs: [other], outputs: [] });
        const back = signatureChanges({ inputs: [other], outputs: [] }, { inputs: [one], outputs: [] });
        expect(there.length).toBe(back.length);
        expect(there.length === 0 || [...there, ...back].some((change) => change.breaking)).toBe(true);
      }),
    );
  });
});
