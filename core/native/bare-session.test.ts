import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBareSession } from './bare-session.ts';

const model = join(import.meta.dirname, '../../examples/breast-cancer/models/good.onnx');

test('the native session runs at once, and says by name what it takes', async () => {
  const { session, runtime } = await openBareSession(model, { executionProviders: ['cpu'] });
  expect(session.inputMetadata.map(({ name }) => name)).toEqual(['features']);
  const features = new runtime.Tensor('float32', new Float32Array(60), [2, 30]);
  const { probabilities } = session.run({ features }, { probabilities: null }, {});
  expect(probabilities?.dims).toEqual([2, 2]);
  session.dispose();
});

test('gives the same numbers as the public session', async () => {
  const { session, runtime } = await openBareSession(model, { executionProviders: ['cpu'] });
  const publicSession = await runtime.InferenceSession.create(model);
  const values = Float32Array.from({ length: 90 }, (_, index) => (index * 37) % 11);
  const feeds = { features: new runtime.Tensor('float32', values, [3, 30]) };
  const bare = session.run(feeds, { probabilities: null, label: null }, {});
  const told = await publicSession.run(feeds);
  expect(bare['probabilities']?.data).toEqual(told['probabilities']?.data);
  expect(bare['label']?.data).toEqual(told['label']?.data);
});

test('a run that cannot be is thrown with what ONNX Runtime said', async () => {
  const { session, runtime } = await openBareSession(model, { executionProviders: ['cpu'] });
  const features = new runtime.Tensor('float32', new Float32Array(4), [2, 2]);
  expect(() => session.run({ features }, { probabilities: null }, {})).toThrow(/invalid dimensions/i);
});
