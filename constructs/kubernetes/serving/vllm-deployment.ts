import type { Construct } from 'constructs';
import { imageParts } from '../pod/image.ts';
import type { FetchImages } from '../pod/model-fetch.ts';
import type { SecretKey } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';
import { flag, switchFlag } from './flags.ts';
import { precisionProblems } from './gpu-precision.ts';
import { type LlmWeights, weightsPlan } from './llm-weights.ts';
import { ModelServer } from './model-server.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

export interface VllmDeploymentProps extends ServingProps {
  readonly weights: LlmWeights;
  /**
   * Room for the weights and for what is compiled while the server starts.
   * @default 50Gi
   */
  readonly modelVolume?: Memory;
  /**
   * GPUs each layer is divided over.
   * @default gpu.count
   */
  readonly tensorParallel?: number;
  /**
   * Groups of layers one after the other. Times `tensorParallel` it is gpu.count.
   * @default 1
   */
  readonly pipelineParallel?: number;
  /**
   * Share of the GPU's memory the server takes, 0 to 1.
   * @default 0.9
   */
  readonly gpuMemoryUtilization?: number;
  /** Tokens of prompt and answer together. @default what the model has */
  readonly maxModelLength?: number;
  /** @default what the model has */
  readonly dtype?: 'auto' | 'float16' | 'bfloat16' | 'float32';
  /** How the weights are quantized, or shall be. @default what the model says */
  readonly quantization?: 'fp8' | 'awq' | 'gptq' | 'bitsandbytes' | 'compressed-tensors';
  /** Requests that run together. @default vLLM's */
  readonly maxSequences?: number;
  /** @default vLLM's, which is on */
  readonly prefixCaching?: boolean;
  /** The Secret with the key clients must send. @default none */
  readonly apiKey?: SecretKey;
  /** Further arguments of `vllm serve`. */
  readonly args?: readonly string[];
  /** What fetches and verifies the weights. @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * vLLM with its OpenAI-compatible API on port 8000. Clients ask for `model: "<model.name>"`, and its metrics carry the same name.
 *
 * @example
 * new VllmDeployment(chart, 'assistant', {
 *   image: 'vllm/vllm-openai:v0.18.0',
 *   model: { name: 'assistant', version: '7' },
 *   weights: { huggingFace: 'Qwen/Qwen3-8B', revision: '895c8d17...' },
 *   cpu: 8,
 *   memory: '64Gi',
 *   gpu: { count: 1, product: 'h100-80gb' },
 * });
 */
export class VllmDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: VllmDeploymentProps) {
    super(scope, id, { ...props, server: vllmServer(props) });
  }
}

const cache = '/cache';

function vllmServer(props: VllmDeploymentProps): ServerProgram {
  const { gpu, model, apiKey } = props;
  const gpus = gpu?.count ?? 1;
  const pipelineParallel = props.pipelineParallel ?? 1;
  const tensorParallel = props.tensorParallel ?? Math.max(1, Math.floor(gpus / pipelineParallel));
  const volume = props.modelVolume ?? '50Gi';
  const weights = weightsPlan(props.weights, volume, props.fetchImages);
  const drains = finishesRequests(props.image);
  return {
    construct: 'VllmDeployment',
    name: 'vllm',
    command: ['vllm', 'serve'],
    args: ({ timeout }) => [
      weights.model,
      ...flag('--revision', weights.revision),
      ...['--served-model-name', model.name, '--host', '0.0.0.0', '--port', '8000'],
      ...['--tensor-parallel-size', String(tensorParallel), '--pipeline-parallel-size', String(pipelineParallel)],
      ...flag('--gpu-memory-utilization', props.gpuMemoryUtilization),
      ...flag('--max-model-len', props.maxModelLength),
      ...flag('--dtype', props.dtype),
      ...flag('--quantization', props.quantization),
      ...flag('--max-num-seqs', props.maxSequences),
      ...switchFlag('--enable-prefix-caching', props.prefixCaching),
      ...switchFlag('--no-enable-prefix-caching', props.prefixCaching === false),
      ...(drains ? ['--shutdown-timeout', String(timeout)] : []),
      ...(props.args ?? []),
    ],
    env: [
      // It writes into the home of a user that it asks the system for; this one has neither.
      { name: 'HOME', value: cache },
      { name: 'USER', value: 'vllm' },
      { name: 'HF_HOME', value: `${cache}/huggingface` },
      { name: 'XDG_CACHE_HOME', value: cache },
      { name: 'VLLM_CACHE_ROOT', value: `${cache}/vllm` },
      { name: 'VLLM_CONFIG_ROOT', value: `${cache}/vllm-config` },
      { name: 'TORCHINDUCTOR_CACHE_DIR', value: `${cache}/inductor` },
      { name: 'TRITON_CACHE_DIR', value: `${cache}/triton` },
      { name: 'VLLM_NO_USAGE_STATS', value: '1' },
      ...weights.env,
      ...(apiKey === undefined ? [] : [{ name: 'VLLM_API_KEY', valueFrom: { secretKeyRef: apiKey } }]),
    ],
    ports: [{ name: 'http', port: 8000, appProtocol: 'http' }],
    health: {
      // The list of models is there once the engine is; with a key a probe may not ask for it.
      ready: { httpGet: { path: apiKey === undefined ? '/v1/models' : '/health', port: 'http' } },
      live: { httpGet: { path: '/health', port: 'http' } },
    },
    metrics: { port: 'http', path: '/metrics', profile: 'vllm' },
    runAs: { user: 1000, group: 1000 },
    writable: [
      { name: 'tmp', path: '/tmp', size: '2Gi' },
      { name: 'cache', path: cache, size: weights.fetchesItself ? volume : '10Gi' },
    ],
    ...(tensorParallel > 1 ? { sharedMemory: `${2 * tensorParallel}Gi` as const } : {}),
    onTerminate: 'finishes',
    gpu: /cpu/.test(props.image) ? 'optional' : 'required',
    ...(weights.fetch === undefined ? {} : { fetch: weights.fetch }),
    fetchesItself: weights.fetchesItself,
    reaches: weights.reaches,
    problems: [
      ...weights.problems,
      ...parallelProblems(props, tensorParallel, pipelineParallel),
      ...precisionProblems(props.gpu, { dtype: props.dtype, quantization: props.quantization }),
    ],
    warnings: [
      ...weights.warnings,
      ...(drains
        ? []
        : [
            {
              code: 'answers-cut-off',
              message:
                'this release of vLLM ends answers on their way when its pod goes (--shutdown-timeout came with 0.18)',
              found: props.image,
              fix: 'Use vLLM 0.18 or later, or set drain.delay to what the longest answer takes.',
            },
          ]),
    ],
  };
}

/** Whether `--shutdown-timeout` is known to this release; an unknown flag would keep the server from starting. */
function finishesRequests(image: string): boolean {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(imageParts(image).tag ?? '') ?? [];
  return Number(major) > 0 || Number(minor) >= 18;
}

function parallelProblems(
  { gpu, gpuMemoryUtilization, maxModelLength }: VllmDeploymentProps,
  tensorParallel: number,
  pipelineParallel: number,
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const count = gpu?.count ?? 1;
  if (gpu !== undefined && tensorParallel * pipelineParallel !== count) {
    problems.push({
      code: 'gpus-not-used',
      message: `tensorParallel ${tensorParallel} times pipelineParallel ${pipelineParallel} is not gpu.count ${count}: the server would ${tensorParallel * pipelineParallel > count ? 'wait for GPUs it does not get' : 'leave GPUs unused'}`,
      fix: `Set gpu.count to ${tensorParallel * pipelineParallel}, or the two so that they multiply to ${count}.`,
    });
  }
  if (gpu !== undefined && (gpu.mig !== undefined || gpu.shared === true) && count > 1) {
    problems.push({
      code: 'parallel-on-slices',
      message: 'slices of GPUs cannot work on one model together: they do not reach each other',
      fix: 'Set gpu.count to 1, or use whole GPUs.',
    });
  }
  if (gpuMemoryUtilization !== undefined && !(gpuMemoryUtilization > 0 && gpuMemoryUtilization <= 1)) {
    problems.push({
      code: 'bad-share',
      message: 'gpuMemoryUtilization is no share',
      found: String(gpuMemoryUtilization),
      expected: 'more than 0, at most 1',
      fix: 'Set it to 0.9.',
    });
  }
  if (maxModelLength !== undefined && !(Number.isInteger(maxModelLength) && maxModelLength > 0)) {
    problems.push({
      code: 'bad-length',
      message: 'maxModelLength is no number of tokens',
      found: String(maxModelLength),
      fix: 'Set it to a whole number from 1.',
    });
  }
  return problems;
}
