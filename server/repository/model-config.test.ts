import { describe, expect, test } from 'vitest';
import { ModelError } from '../../core/problem/index.ts';
import { readModelConfig } from './model-config.ts';

const read = (text: string): ReturnType<typeof readModelConfig> => readModelConfig(text, 'churn/config.pbtxt');

describe('a model configuration', () => {
  test('gives batching, delay and preferred sizes', () => {
    expect(
      read('max_batch_size: 32 dynamic_batching { preferred_batch_size: [16, 8] max_queue_delay_microseconds: 100 }'),
    ).toEqual({
      versionPolicy: { kind: 'latest', count: 1 },
      maxBatchSize: 32,
      maxQueueDelayUs: 100,
      preferredBatchSizes: [8, 16],
    });
  });

  test('says nothing where it says nothing, and unknown fields are ignored', () => {
    expect(
      read('name: "churn" optimization { graph { level: 1 } } parameters { key: "a" value { string_value: "b" } }'),
    ).toEqual({
      versionPolicy: { kind: 'latest', count: 1 },
    });
  });

  test.each([
    ['version_policy: { latest: { num_versions: 2 } }', { kind: 'latest', count: 2 }],
    ['version_policy { latest {} }', { kind: 'latest', count: 1 }],
    ['version_policy: { all {} }', { kind: 'all' }],
    ['version_policy: { specific: { versions: [1, 3] } }', { kind: 'specific', versions: ['1', '3'] }],
    ['version_policy { specific { versions: 2 versions: 5 } }', { kind: 'specific', versions: ['2', '5'] }],
  ])('%s', (text, versionPolicy) => {
    expect(read(text).versionPolicy).toEqual(versionPolicy);
  });

  test.each(['platform: "onnxruntime_onnx"', 'backend: "onnxruntime"', 'platform: "" backend: "onnxruntime"'])(
    '%s is served',
    (text) => {
      expect(read(text).versionPolicy.kind).toBe('latest');
    },
  );

  test.each(['platform: "tensorrt_plan"', 'backend: "python"', 'platform: "ensemble" max_batch_size: 1'])(
    '%s is refused with what was found and expected',
    (text) => {
      expect(() => read(text)).toThrow(ModelError);
      expect(() => read(text)).toThrow(
        /not for ONNX Runtime: found (tensorrt_plan|python|ensemble), expected onnxruntime/,
      );
    },
  );

  test.each([
    'max_batch_size: -1',
    'max_batch_size: 1e9',
    'max_batch_size: 99999999999',
    'max_batch_size { }',
    'dynamic_batching { max_queue_delay_microseconds: soon }',
    'dynamic_batching { preferred_batch_size: [0] }',
    'version_policy { latest { num_versions: 0 } }',
    'version_policy { specific { versions: ["../1"] } }',
  ])('%s is no usable number', (text) => {
    expect(() => read(text)).toThrow(/no usable number/);
  });

  test('a broken text is refused with its place', () => {
    expect(() => read('name: "churn"\nmax_batch_size 3')).toThrow(
      'churn/config.pbtxt:2: the model configuration is not',
    );
  });
});
