import { describe, expect, test } from 'vitest';
import type { TensorSpec } from '../../core/onnx/index.ts';
import type { ServedModel } from '../protocol.ts';
import { signatureChecks } from './signature-check.ts';

const file = {
  inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
  outputs: [
    { name: 'label', type: 'int64', shape: ['?'] },
    { name: 'scores', type: 'sequence(map(int64, tensor(float32)))', shape: [] },
  ],
} as const satisfies { inputs: readonly TensorSpec[]; outputs: readonly TensorSpec[] };

const label: TensorSpec = { name: 'label', type: 'int64', shape: [-1] };
const statusesOf = (served: ServedModel | undefined) =>
  Object.fromEntries(
    signatureChecks(served, file, {}).map(({ id, status }) => [id.slice('smoke/signature/'.length), status]),
  );
const inputs = (...specs: readonly TensorSpec[]): ServedModel => ({ inputs: specs, outputs: [label] });

describe('the signature a server tells', () => {
  test.each<[string, TensorSpec, 'pass' | 'fail']>([
    ['the same', { name: 'X', type: 'float32', shape: ['?', 3] }, 'pass'],
    ['with a free size of another spelling', { name: 'X', type: 'float32', shape: [-1, 3] }, 'pass'],
    ['with a size free that the file fixes', { name: 'X', type: 'float32', shape: [-1, -1] }, 'pass'],
    ['with a batch that it fixes', { name: 'X', type: 'float32', shape: [8, 3] }, 'pass'],
    ['of another width', { name: 'X', type: 'float32', shape: [-1, 4] }, 'fail'],
    ['of another rank', { name: 'X', type: 'float32', shape: [3] }, 'fail'],
    ['of any rank', { name: 'X', type: 'float32', shape: [], unranked: true }, 'pass'],
    ['of another type', { name: 'X', type: 'float64', shape: [-1, 3] }, 'fail'],
  ])('%s', (_what, spec, status) => {
    expect(statusesOf(inputs(spec))).toMatchObject({ X: status, label: 'pass' });
  });

  test('of another name: the one is missing, the other is too many', () => {
    expect(statusesOf(inputs({ name: 'x1', type: 'float32', shape: [-1, 3] }))).toMatchObject({
      X: 'fail',
      x1: 'fail',
    });
  });

  test('what no protocol can carry, or the server does not tell, is skipped', () => {
    const told = signatureChecks({ outputs: [label, { ...file.outputs[1] }] }, file, {});
    expect(Object.fromEntries(told.map(({ id, status }) => [id, status]))).toEqual({
      'smoke/signature/X': 'skipped',
      'smoke/signature/label': 'pass',
      'smoke/signature/scores': 'skipped',
    });
    expect(Object.values(statusesOf(undefined))).toEqual(['skipped', 'skipped', 'skipped']);
  });

  test('an input handed through under its own name keeps two checks apart', () => {
    const through = { inputs: [label], outputs: [label] };
    expect(signatureChecks(through, through, {}).map(({ id }) => id)).toEqual([
      'smoke/signature/label',
      'smoke/signature/label (output)',
    ]);
  });
});
