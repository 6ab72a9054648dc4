/**
 * The config.pbtxt that TritonDeployment writes, read by Triton's own protobuf and loaded by a real Triton.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tritonModels } from '../constructs/kubernetes/fixtures/gallery.ts';
import {
  modelConfigText,
  onnxSignature,
  type TritonBackendModel,
  type TritonModel,
} from '../constructs/kubernetes/index.ts';
import type { Peer } from './serving/peer.ts';
import { pythonEnvironment } from './serving/python.ts';
import { trainedModels } from './serving/trained-models.ts';
import { startTriton } from './serving/triton.ts';

const [ranker, features, search] = tritonModels as readonly [TritonBackendModel, TritonBackendModel, TritonModel];

/** What Triton's protobuf makes of models' configurations. */
async function parsed(models: readonly TritonModel[]): Promise<readonly unknown[]> {
  const { python } = await pythonEnvironment('triton-client', ['tritonclient[http,grpc]==2.73.0']);
  const program = join(import.meta.dirname, 'constructs', 'parse_model_config.py');
  return new Promise((resolve, reject) => {
    const child = execFile(python, [program], (error, stdout) => {
      if (error === null)
        resolve(
          stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
        );
      else reject(error);
    });
    child.stdin?.end(models.map((model) => `${JSON.stringify(modelConfigText(model))}\n`).join(''));
  });
}

describe("Triton's own protobuf", () => {
  test('reads every field as it was meant', async () => {
    const [first] = await parsed([
      {
        ...ranker,
        tensorrtAccelerator: { precision: 'FP16', maxWorkspaceBytes: 1_073_741_824 },
        instanceGroups: [{ count: 2, kind: 'GPU', gpus: [0, 1] }],
        responseCache: true,
        versionPolicy: { specific: [1, 2] },
        parameters: { 'a "key"': 'line\nü\\' },
      },
    ]);
    expect(first).toMatchObject({
      name: 'ranker',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      max_batch_size: 32,
      version_policy: { specific: { versions: ['1', '2'] } },
      input: [{ name: 'features', data_type: 'TYPE_FP32', dims: ['30'] }],
      output: [{ name: 'score', data_type: 'TYPE_FP32', dims: ['1'], reshape: {} }],
      dynamic_batching: {
        preferred_batch_size: [8, 16, 32],
        max_queue_delay_microseconds: '100',
        default_queue_policy: { default_timeout_microseconds: '50000', max_queue_size: 1024 },
      },
      instance_group: [{ count: 2, kind: 'KIND_GPU', gpus: [0, 1] }],
      optimization: {
        execution_accelerators: {
          gpu_execution_accelerator: [
            { name: 'tensorrt', parameters: { precision_mode: 'FP16', max_workspace_size_bytes: '1073741824' } },
          ],
        },
      },
      response_cache: { enable: true },
      parameters: { 'a "key"': { string_value: 'line\nü\\' } },
      model_warmup: [
        { name: 'one row', batch_size: 1, inputs: { features: { data_type: 'TYPE_FP32', zero_data: true } } },
      ],
    });
  });

  test('reads Python models, sequences, plans and ensembles', async () => {
    const { dynamicBatching: _, ...stateful } = ranker;
    const configs = await parsed([
      features,
      search,
      { ...ranker, backend: 'tensorrt' },
      { ...stateful, sequenceBatching: { maxSequenceIdleMicroseconds: 5_000_000 } },
    ]);
    expect(configs).toMatchObject([
      { name: 'features', backend: 'python', version_policy: { all: {} } },
      {
        platform: 'ensemble',
        ensemble_scheduling: {
          step: [
            {
              model_name: 'features',
              model_version: '-1',
              input_map: { query: 'query' },
              output_map: { features: 'vector' },
            },
            { model_name: 'ranker', input_map: { features: 'vector' }, output_map: { score: 'score' } },
          ],
        },
      },
      { platform: 'tensorrt_plan', backend: 'tensorrt' },
      { sequence_batching: { direct: {}, max_sequence_idle_microseconds: '5000000' } },
    ]);
  });
});

describe('a real Triton', () => {
  let triton: Peer | undefined;
  beforeAll(async () => {
    const { gb } = await trainedModels();
    const signature = await onnxSignature(gb.onnx, { maxBatchSize: 32 });
    const config = modelConfigText({
      ...signature,
      name: 'churn',
      backend: 'onnxruntime',
      versions: [{ version: 1, file: { uri: 's3://models/churn.onnx', sha256: signature.sha256 } }],
      dynamicBatching: { preferredBatchSizes: [8, 16, 32], maxQueueDelayMicroseconds: 100 },
      instanceGroups: [{ count: 2, kind: 'CPU' }],
      warmUp: [{ name: 'zeros', data: 'zero' }],
    });
    triton = await startTriton([{ name: 'churn', file: gb.onnx, config }]);
  }, 300_000);
  afterAll(() => triton?.stop());

  test('takes the configuration that was written from the ONNX file', async () => {
    const answer = await fetch(`${triton?.url}/v2/models/churn/config`);
    expect(await answer.json()).toMatchObject({
      name: 'churn',
      max_batch_size: 32,
      input: [{ name: 'X', data_type: 'TYPE_FP32', dims: [30] }],
      dynamic_batching: { preferred_batch_size: [8, 16, 32], max_queue_delay_microseconds: 100 },
      instance_group: [{ count: 2, kind: 'KIND_CPU' }],
    });
  });

  test('answers with it', async () => {
    const body = JSON.stringify({
      inputs: [{ name: 'X', datatype: 'FP32', shape: [2, 30], data: Array.from({ length: 60 }, () => 0.5) }],
    });
    const answer = await fetch(`${triton?.url}/v2/models/churn/infer`, { method: 'POST', body });
    const { outputs } = (await answer.json()) as {
      readonly outputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
    };
    expect(outputs.map(({ name, shape }) => [name, shape[0]])).toEqual([
      ['label', 2],
      ['probabilities', 2],
    ]);
  });
});
