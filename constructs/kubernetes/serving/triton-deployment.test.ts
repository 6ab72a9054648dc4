import { join } from 'node:path';
import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages, tritonModels } from '../fixtures/gallery.ts';
import { manifestsOf, newChart, one, refusalText } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { modelConfigText } from './triton/config-text.ts';
import { onnxSignature } from './triton/onnx-signature.ts';
import type { TritonBackendModel, TritonEnsemble, TritonModel } from './triton/triton-model.ts';
import { TritonDeployment, type TritonDeploymentProps } from './triton-deployment.ts';

const [ranker, features, search] = tritonModels as [TritonBackendModel, TritonBackendModel, TritonEnsemble];
const deployment =
  (change: Partial<TritonDeploymentProps> = {}) =>
  (chart: Chart): TritonDeployment =>
    new TritonDeployment(chart, 'ranker', {
      image: `nvcr.io/nvidia/tritonserver:25.08-py3@sha256:${digest}`,
      model: { name: 'ranker', version: '2' },
      models: tritonModels,
      cpu: 4,
      memory: '16Gi',
      gpu: { count: 1 },
      fetchImages: pinnedFetchImages,
      ...change,
    });
const withModels = (...models: readonly TritonModel[]) => deployment({ models });
const pod = (change: Partial<TritonDeploymentProps> = {}) =>
  one(manifestsOf(deployment(change)), 'Deployment')['spec'].template.spec;

describe('TritonDeployment', () => {
  test('lays the repository out: every version in its folder, every configuration beside them, an empty version for ensembles', () => {
    const env = Object.fromEntries(
      pod()
        .initContainers.at(-1)
        .env.map(({ name, value }: { name: string; value: string }) => [name, value.split('\n')]),
    );
    expect(env['FILES'].map((line: string) => line.split(' ').slice(2).join(' '))).toEqual([
      'move ranker/1/model.onnx',
      'move ranker/2/model.onnx',
      'move features/1/model.py',
    ]);
    expect(env['FOLDERS']).toEqual(['search/1']);
    expect(env['WRITTEN']).toContain('ranker.pbtxt ranker/config.pbtxt');
  });

  test('another configuration is another ConfigMap, so pods are replaced and a rollback finds what it had', () => {
    const before = one(manifestsOf(deployment()), 'ConfigMap');
    const after = one(manifestsOf(withModels({ ...ranker, maxBatchSize: 64 }, features, search)), 'ConfigMap');
    expect(before['immutable']).toBe(true);
    expect(after.metadata.name).not.toBe(before.metadata.name);
  });

  test('a pod stops listening for new requests before Triton is told to end, and Triton ends before it is killed', () => {
    const { containers, terminationGracePeriodSeconds } = pod({ drain: { timeout: Duration.seconds(20) } });
    expect(containers[0].lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } });
    expect(containers[0].args).toContain('--exit-timeout-secs=20');
    expect(terminationGracePeriodSeconds).toBeGreaterThan(25);
  });

  test('the port of the metrics is open to scrapers only', () => {
    const { ingress } = one(manifestsOf(deployment()), 'NetworkPolicy')['spec'];
    expect(ingress[0].ports.map(({ port }: { port: string }) => port)).toEqual(['http', 'grpc']);
    expect(ingress[1].ports).toEqual([{ port: 'metrics', protocol: 'TCP' }]);
  });

  test('a response cache turns the cache on and quantiles off, which would leave cached answers out', () => {
    const { args } = pod({ models: [{ ...ranker, responseCache: true }] }).containers[0];
    expect(args).toContain('--cache-config=local,size=268435456');
    expect(args.join(' ')).not.toContain('latencies');
    expect(pod().containers[0].args).toContain('--metrics-config=summary_latencies=true');
  });

  test('warns of a TensorRT plan that may land on another kind of GPU', () => {
    const chart = newChart();
    withModels({ ...ranker, backend: 'tensorrt' })(chart);
    expect(warningsOf(chart).map(({ code }) => code)).toEqual(['plan-on-any-gpu']);
  });

  test.each<[string, (chart: Chart) => unknown, string]>([
    [
      'batching without a batch dimension',
      withModels({ ...ranker, maxBatchSize: 0 }),
      'ranker.dynamicBatching with maxBatchSize 0: the model has no batch dimension to join requests along. Set maxBatchSize to 1 or more and leave the batch out of dims, or leave dynamicBatching out.',
    ],
    [
      'preferred sizes over the largest batch',
      withModels({ ...ranker, maxBatchSize: 16 }),
      'ranker.dynamicBatching.preferredBatchSizes has sizes that no batch can have: found 32, expected 1 to maxBatchSize 16. Lower them or raise maxBatchSize.',
    ],
    [
      'two ways to schedule',
      withModels({ ...ranker, sequenceBatching: { maxSequenceIdleMicroseconds: 1 } }),
      'ranker has both dynamicBatching and sequenceBatching, and Triton schedules a model in one way. Keep one of them.',
    ],
    [
      'a GPU it does not have',
      withModels({ ...ranker, instanceGroups: [{ count: 1, kind: 'GPU', gpus: [0, 1] }] }),
      'ranker.instanceGroups name GPUs that the pod does not have: found 1, expected 0 to 0. Correct the numbers or raise gpu.count.',
    ],
    [
      'a queue that eats the latency budget',
      deployment({ latencyBudget: Duration.millis(0.1) }),
      'ranker.dynamicBatching.maxQueueDelay 0.1 millis takes more than half of latencyBudget 0.1 millis before the model has begun. Lower ranker.dynamicBatching.maxQueueDelay to at most 0.05 ms, or raise latencyBudget.',
    ],
    [
      'dims without a size',
      withModels({ ...ranker, outputs: [{ name: 'score', type: 'FP32', dims: [] }] }),
      'ranker: the dims of score are not what Triton takes: found [], expected at least one size; whole numbers from 1, or -1 for any. For one number a row write dims: [1] and reshape: [].',
    ],
    [
      'a step for a model that is not there',
      withModels(ranker, { ...search, ensemble: [search.ensemble[0]] }),
      'search.ensemble has a step for a model that is not in models: found features, expected ranker. Correct the name, or add the model.',
    ],
    [
      'a tensor nobody makes',
      withModels(ranker, features, {
        ...search,
        ensemble: [
          search.ensemble[0],
          { model: 'ranker', inputs: { features: 'vectors' }, outputs: { score: 'score' } },
        ],
      }),
      "search.ensemble reads vectors for ranker, and neither an input nor a step makes it: expected query, vector, score. Correct the name, or add it to a step's outputs.",
    ],
    [
      'a tensor of another type',
      withModels({ ...ranker, inputs: [{ name: 'features', type: 'FP16', dims: [30] }] }, features, search),
      'search.ensemble gives ranker vector for features, which is of another type: found FP32, expected FP16. Put a model between them that converts it.',
    ],
    [
      'a version that is served and not there',
      withModels({ ...ranker, versionPolicy: { specific: [3] } }),
      'ranker.versionPolicy names versions that are not in versions: found 3, expected 1, 2. Correct the policy, or add the version.',
    ],
    ['nothing to serve', withModels(), 'models is empty, so there is nothing to serve. Add a model.'],
    [
      'more configuration than an object may hold',
      withModels({ ...ranker, parameters: { NOTE: 'x'.repeat(300_000) } }),
      'the configurations of models take',
    ],
  ])('refuses %s', (_, build, text) => {
    expect(refusalText(build)).toContain(`TritonDeployment "shop/ranker": ${text}`);
  });

  test('refuses what runs on a GPU in a pod that has none', () => {
    const build = (chart: Chart) =>
      new TritonDeployment(chart, 'ranker', {
        image: 'nvcr.io/nvidia/tritonserver:25.08-py3',
        model: { name: 'ranker', version: '2' },
        models: [ranker, { ...features, name: 'plan', backend: 'tensorrt' }],
        cpu: 1,
        memory: '1Gi',
      });
    expect(refusalText(build).split('\n')).toEqual([
      'TritonDeployment "shop/ranker": ranker has instanceGroups of kind GPU and the pod has no GPU. Set gpu: { count: 1 }, or run the model on the CPU.',
      'TritonDeployment "shop/ranker": plan has a TensorRT plan and the pod has no GPU. Set gpu: { count: 1 }, or run the model on the CPU.',
    ]);
  });
});

describe('the signature of an ONNX file', () => {
  const model = join(import.meta.dirname, '../../../examples/breast-cancer/models/baseline.onnx');

  test('fills types and dims, without the dimension of the batch', async () => {
    const { inputs, outputs, sha256, maxBatchSize } = await onnxSignature(model, { maxBatchSize: 32 });
    expect({ inputs, outputs, maxBatchSize }).toMatchInlineSnapshot(`
      {
        "inputs": [
          {
            "dims": [
              30,
            ],
            "name": "features",
            "type": "FP32",
          },
        ],
        "maxBatchSize": 32,
        "outputs": [
          {
            "dims": [
              1,
            ],
            "name": "label",
            "reshape": [],
            "type": "STRING",
          },
          {
            "dims": [
              2,
            ],
            "name": "probabilities",
            "type": "FP64",
          },
        ],
      }
    `);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is taken whole for a model that is not batched', async () => {
    const { inputs } = await onnxSignature(model, { maxBatchSize: 0 });
    expect(inputs[0]?.dims[0]).toBe(-1);
  });
});

test('text of users ends in quotes, whatever it holds', () => {
  const text = modelConfigText({ ...features, parameters: { KEY: 'a"\\\n}é' } });
  expect(text).toContain(String.raw`string_value: "a\"\\\012}\303\251"`);
});
