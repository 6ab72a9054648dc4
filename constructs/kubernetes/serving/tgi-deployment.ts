import type { Construct } from 'constructs';
import type { FetchImages } from '../pod/model-fetch.ts';
import type { Memory } from '../quantity.ts';
import { flag } from './flags.ts';
import { precisionProblems } from './gpu-precision.ts';
import { type LlmWeights, weightsPlan } from './llm-weights.ts';
import { ModelServer } from './model-server.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

export interface TgiDeploymentProps extends ServingProps {
  readonly weights: LlmWeights;
  /** @default 50Gi */
  readonly modelVolume?: Memory;
  /** @default gpu.count */
  readonly shards?: number;
  readonly maxInputTokens?: number;
  readonly maxTotalTokens?: number;
  readonly quantize?: 'awq' | 'gptq' | 'eetq' | 'fp8' | 'bitsandbytes';
  readonly args?: readonly string[];
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * Hugging Face's Text Generation Inference, on port 8080. It is in maintenance mode (small fixes only); a warning says so. For new services
 * take `VllmDeployment`.
 */
export class TgiDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: TgiDeploymentProps) {
    super(scope, id, { ...props, server: tgiServer(props) });
  }
}

function tgiServer(props: TgiDeploymentProps): ServerProgram {
  const volume = props.modelVolume ?? '50Gi';
  const weights = weightsPlan(props.weights, volume, props.fetchImages);
  const gpus = props.gpu?.count ?? 1;
  const shards = props.shards ?? gpus;
  const { maxInputTokens, maxTotalTokens } = props;
  return {
    construct: 'TgiDeployment',
    name: 'tgi',
    args: [
      ...['--model-id', weights.model],
      ...flag('--revision', weights.revision),
      ...['--hostname', '0.0.0.0', '--port', '8080', '--num-shard', String(shards)],
      ...flag('--max-input-tokens', maxInputTokens),
      ...flag('--max-total-tokens', maxTotalTokens),
      ...flag('--quantize', props.quantize),
      ...(props.args ?? []),
    ],
    env: [
      { name: 'HF_HOME', value: '/data' },
      { name: 'HUGGINGFACE_HUB_CACHE', value: '/data' },
      { name: 'HOME', value: '/tmp' },
      { name: 'TRITON_CACHE_DIR', value: '/tmp/triton' },
      { name: 'USAGE_STATS', value: 'off' },
      ...weights.env,
    ],
    ports: [{ name: 'http', port: 8080, appProtocol: 'http' }],
    health: {
      ready: { httpGet: { path: '/health', port: 'http' } },
      live: { tcpSocket: { port: 'http' } },
    },
    metrics: { port: 'http', path: '/metrics', profile: 'tgi' },
    runAs: { user: 1000, group: 1000 },
    writable: [
      { name: 'tmp', path: '/tmp', size: '2Gi' },
      { name: 'data', path: '/data', size: weights.fetchesItself ? volume : '1Gi' },
    ],
    ...(shards > 1 ? { sharedMemory: `${shards}Gi` as const } : {}),
    onTerminate: 'finishes',
    gpu: 'required',
    ...(weights.fetch === undefined ? {} : { fetch: weights.fetch }),
    fetchesItself: weights.fetchesItself,
    reaches: weights.reaches,
    problems: [
      ...weights.problems,
      ...precisionProblems(props.gpu, { quantize: props.quantize }),
      ...(props.gpu !== undefined && shards !== gpus
        ? [
            {
              code: 'gpus-not-used',
              message: `shards ${shards} is not gpu.count ${gpus}`,
              fix: 'Set both to the same number, or leave shards out.',
            },
          ]
        : []),
      ...(maxInputTokens !== undefined && maxTotalTokens !== undefined && maxInputTokens >= maxTotalTokens
        ? [
            {
              code: 'no-room-for-an-answer',
              message: `maxInputTokens ${maxInputTokens} leaves none of maxTotalTokens ${maxTotalTokens} for an answer`,
              fix: 'Lower maxInputTokens or raise maxTotalTokens.',
            },
          ]
        : []),
    ],
    warnings: [
      ...weights.warnings,
      {
        code: 'maintenance-mode',
        message: 'Text Generation Inference is in maintenance mode: it gets small fixes only',
        fix: 'Serve new models with VllmDeployment, which has the same API.',
      },
    ],
  };
}
