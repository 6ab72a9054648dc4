import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, gallery, pinnedFetchImages } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, one, refusalText } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { OllamaDeployment, type OllamaDeploymentProps } from './ollama-deployment.ts';
import { TgiDeployment, type TgiDeploymentProps } from './tgi-deployment.ts';
import { VllmDeployment, type VllmDeploymentProps } from './vllm-deployment.ts';

const revision = '9216db5781bf21249d130ec9da846c4624c16137';
const image = (name: string) => `${name}@sha256:${digest}`;
const sized = {
  model: { name: 'chat', version: '1' },
  cpu: 4,
  memory: '64Gi',
  fetchImages: pinnedFetchImages,
} as const;
const vllm =
  (change: Partial<VllmDeploymentProps> = {}) =>
  (chart: Chart): VllmDeployment =>
    new VllmDeployment(chart, 'chat', {
      ...sized,
      image: image('vllm/vllm-openai:v0.18.0'),
      weights: { huggingFace: 'Qwen/Qwen3-8B', revision },
      gpu: { count: 2, product: 'h100-80gb' },
      ...change,
    });
const tgi =
  (change: Partial<TgiDeploymentProps> = {}) =>
  (chart: Chart): TgiDeployment =>
    new TgiDeployment(chart, 'chat', {
      ...sized,
      image: image('tgi:3.3.4'),
      weights: { huggingFace: 'Qwen/Qwen3-8B', revision },
      gpu: {},
      ...change,
    });
const ollama =
  (change: Partial<OllamaDeploymentProps> = {}) =>
  (chart: Chart): OllamaDeployment =>
    new OllamaDeployment(chart, 'chat', {
      ...sized,
      image: image('ollama/ollama:0.12.0'),
      weights: { pull: 'llama3.2:3b', sha256: digest },
      ...change,
    });

const podOf = (manifests: readonly Manifest[]) => one(manifests, 'Deployment')['spec'].template.spec;
const warningsIn = (build: (chart: Chart) => unknown): readonly string[] => {
  const chart = newChart();
  build(chart);
  return warningsOf(chart).map(({ code }) => code);
};

describe('VllmDeployment', () => {
  test('divides the model over every GPU of the pod, with the shared memory that takes', () => {
    const { containers, volumes } = podOf(manifestsOf(vllm()));
    expect(containers[0].args.join(' ')).toContain('--tensor-parallel-size 2 --pipeline-parallel-size 1');
    expect(volumes).toContainEqual({ name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '4Gi' } });
  });

  test('a server that fetches its weights while it starts is given the time, the disk and the way out', () => {
    const manifests = manifestsOf(vllm());
    const { startupProbe, resources } = podOf(manifests).containers[0];
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(120 + 300);
    expect(resources.limits['ephemeral-storage']).toMatch(/Mi$/);
    expect(JSON.stringify(one(manifests, 'NetworkPolicy')['spec'].egress)).toContain('443');
    expect(podOf(manifests)).not.toHaveProperty('initContainers');
  });

  test('weights of our own are verified, and the server asks nobody', () => {
    const manifests = manifestsOf(
      vllm({ weights: { files: [{ uri: 's3://models/llm.tar', sha256: digest, path: '.', unpack: true }] } }),
    );
    expect(podOf(manifests).containers[0].args[0]).toBe('/models/weights');
    expect(podOf(manifests).containers[0].env).toContainEqual({ name: 'HF_HUB_OFFLINE', value: '1' });
    expect(podOf(manifests).initContainers.at(-1).env[1].value).toBe(`${digest} 0 unpack weights`);
  });

  test('answers on their way are finished where vLLM can, and it is said where it cannot', () => {
    expect(podOf(manifestsOf(vllm())).containers[0].args.join(' ')).toContain('--shutdown-timeout 30');
    const old = vllm({ image: image('vllm/vllm-openai:v0.9.2') });
    expect(podOf(manifestsOf(old)).containers[0].args.join(' ')).not.toContain('--shutdown-timeout');
    expect(warningsIn(old)).toEqual(['answers-cut-off']);
  });

  test('a probe never asks for what needs the key', () => {
    const { containers } = podOf(manifestsOf(vllm({ apiKey: { name: 'key', key: 'key' } })));
    expect(containers[0].readinessProbe.httpGet.path).toBe('/health');
  });

  test('warns of a revision that moves', () => {
    expect(warningsIn(vllm({ weights: { huggingFace: 'Qwen/Qwen3-8B', revision: 'main' } }))).toEqual([
      'mutable-revision',
    ]);
  });

  test.each<[string, Partial<VllmDeploymentProps>, string]>([
    [
      'GPUs that nobody uses',
      { tensorParallel: 1 },
      'VllmDeployment "shop/chat": tensorParallel 1 times pipelineParallel 1 is not gpu.count 2: the server would leave GPUs unused. Set gpu.count to 1, or the two so that they multiply to 2.',
    ],
    [
      'GPUs it does not get',
      { tensorParallel: 2, pipelineParallel: 2 },
      'VllmDeployment "shop/chat": tensorParallel 2 times pipelineParallel 2 is not gpu.count 2: the server would wait for GPUs it does not get. Set gpu.count to 4, or the two so that they multiply to 2.',
    ],
    [
      'fp8 on a GPU without it',
      { gpu: { count: 1, product: 't4' }, quantization: 'fp8' },
      "VllmDeployment \"shop/chat\": quantization fp8 needs compute capability 8.0 and gpu.product t4 has 7.5. Choose another GPU, or quantization 'awq' or 'gptq'.",
    ],
    [
      'bfloat16 on a GPU without it',
      { gpu: { count: 1, product: 'v100' }, dtype: 'bfloat16' },
      'VllmDeployment "shop/chat": dtype bfloat16 needs compute capability 8.0 and gpu.product v100 has 7.0. Choose another GPU, or dtype \'float16\'.',
    ],
    [
      'one model over slices of GPUs',
      { gpu: { count: 2, product: 'h100-80gb', mig: '3g.40gb' } },
      'VllmDeployment "shop/chat": slices of GPUs cannot work on one model together: they do not reach each other. Set gpu.count to 1, or use whole GPUs.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(vllm(change))).toBe(text);
  });

  test('refuses to run without a GPU, unless its image is for CPUs', () => {
    const { gpu: _, ...props } = { ...sized, image: image('vllm/vllm-openai:v0.18.0'), gpu: 0 };
    const build = (name: string) => (chart: Chart) =>
      new VllmDeployment(chart, 'chat', { ...props, image: image(name), weights: { huggingFace: 'a/b', revision } });
    expect(refusalText(build('vllm/vllm-openai:v0.18.0'))).toBe(
      'VllmDeployment "shop/chat": VllmDeployment needs a GPU and gpu is not given. Set gpu: { count: 1 }.',
    );
    expect(manifestsOf(build('vllm/vllm-openai-cpu:v0.18.0'))).not.toEqual([]);
  });
});

describe('TgiDeployment', () => {
  test('says that it gets small fixes only', () => {
    expect(warningsIn(tgi())).toEqual(['maintenance-mode']);
  });

  test('listens above 1024, since it is not root', () => {
    expect(podOf(manifestsOf(tgi())).containers[0].args.join(' ')).toContain('--port 8080 --num-shard 1');
  });

  test('refuses prompts that leave no room for an answer', () => {
    expect(refusalText(tgi({ maxInputTokens: 4096, maxTotalTokens: 4096 }))).toBe(
      'TgiDeployment "shop/chat": maxInputTokens 4096 leaves none of maxTotalTokens 4096 for an answer. Lower maxInputTokens or raise maxTotalTokens.',
    );
  });
});

describe('OllamaDeployment', () => {
  test('the model is pulled and held against the digest of its manifest before the server starts, which cannot change it', () => {
    const { initContainers, containers } = podOf(manifestsOf(ollama()));
    expect(initContainers).toHaveLength(1);
    expect(initContainers[0].env).toContainEqual({ name: 'MANIFEST', value: 'registry.ollama.ai/library/llama3.2/3b' });
    expect(initContainers[0].env).toContainEqual({ name: 'MODEL_SHA256', value: digest });
    expect(containers[0].volumeMounts).toContainEqual({ name: 'model', mountPath: '/models', readOnly: true });
  });

  test('a GGUF file is verified first and made a model of that name then', () => {
    const { initContainers } = podOf(
      manifestsOf(ollama({ weights: { gguf: { uri: 's3://models/a.gguf', sha256: digest } } })),
    );
    expect(initContainers.map(({ name }: { name: string }) => name)).toEqual([
      'fetch-model',
      'verify-model',
      'create-model',
    ]);
    expect(initContainers[2].env).toContainEqual({ name: 'MODEL', value: 'chat' });
  });

  test('promises no metrics, since it has none', () => {
    expect(ollama()(newChart()).metrics).toBeUndefined();
  });

  test('refuses a model without a tag', () => {
    expect(refusalText(ollama({ weights: { pull: 'llama3.2', sha256: digest } }))).toBe(
      'OllamaDeployment "shop/chat": weights.pull is no model with a tag: found llama3.2, expected such as llama3.2:3b. Add the tag.',
    );
  });
});

describe('servers of Python models', () => {
  const mlflow = manifestsOf(gallery['mlflow-model-deployment'] ?? (() => undefined));
  const torchserve = manifestsOf(gallery['torchserve-deployment'] ?? (() => undefined));

  test("MLflow's model is a verified archive, and MLServer's metrics have a port of their own", () => {
    expect(podOf(mlflow).initContainers.at(-1).env[1].value).toBe(`${digest} 0 unpack model`);
    expect(podOf(mlflow).containers[0].args).toContain('--enable-mlserver');
    expect(one(mlflow, 'NetworkPolicy')['spec'].ingress[1].ports).toEqual([{ port: 'metrics', protocol: 'TCP' }]);
  });

  test('nobody but the pod itself reaches the management of TorchServe', () => {
    const properties = one(torchserve, 'ConfigMap')['data']['config.properties'];
    expect(properties).toContain('management_address=http://127.0.0.1:8081');
    expect(JSON.stringify(one(torchserve, 'Service'))).not.toContain('8081');
  });

  test('TorchServe is warned of, and the archive it wants is made by a Job', () => {
    expect(warningsIn((chart) => gallery['torchserve-deployment']?.(chart))).toEqual(['unmaintained-server']);
    const { containers } = one(torchserve, 'Job')['spec'].template.spec;
    expect(containers[0].env).toContainEqual({ name: 'HANDLER', value: 'image_classifier' });
    expect(containers[0].env).toContainEqual({ name: 'EXTRA_FILES', value: '/models/extra/index_to_name.json' });
  });
});
