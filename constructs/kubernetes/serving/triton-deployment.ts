import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { configMapName } from '../config-map-name.ts';
import { type FetchImages, fetchImages, modelFetch, modelFolder } from '../pod/model-fetch.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';
import { ModelServer } from './model-server.ts';
import { delayProblems } from './onnx-deployment.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';
import { modelConfigText } from './triton/config-text.ts';
import { modelProblems } from './triton/model-problems.ts';
import { backends, type TritonModel } from './triton/triton-model.ts';

export interface TritonDeploymentProps extends ServingProps {
  /** The model repository: every model with its versions, and ensembles of them. */
  readonly models: readonly TritonModel[];
  /**
   * Room for all models.
   * @default 2Gi
   */
  readonly modelVolume?: Memory;
  /**
   * How Triton tells latencies: as quantiles of the last minute, or in buckets (newer releases). Always as sums.
   * @default 'summary'; with a response cache 'sums', since Triton leaves cached answers out of the others
   */
  readonly latencies?: 'sums' | 'summary' | 'histogram';
  /**
   * Bytes for answers of models with `responseCache`.
   * @default 256Mi when a model has it
   */
  readonly responseCacheBytes?: number;
  /** Further arguments of `tritonserver`. */
  readonly args?: readonly string[];
  /** What fetches and verifies the models. @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * NVIDIA Triton with a model repository that is made here: the files are fetched and verified, each `config.pbtxt` is written from its typed
 * model, and everything that Triton would refuse (or ignore) is told while the manifest is made. HTTP on port 8000, gRPC on 8001, metrics on
 * 8002.
 */
export class TritonDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: TritonDeploymentProps) {
    super(scope, id, { ...props, server: tritonServer(props.name ?? id, props) });
  }
}

/** What a ConfigMap may hold and still be applied: kubectl keeps a copy of the whole object in an annotation. */
const mostBytes = 262_144 - 4096;

function tritonServer(name: string, props: TritonDeploymentProps): ServerProgram {
  const { models, gpu } = props;
  const cached = models.some(({ responseCache }) => responseCache === true);
  const latencies = props.latencies ?? (cached ? 'sums' : 'summary');
  const configs = Object.fromEntries(models.map((model) => [`${model.name}.pbtxt`, modelConfigText(model)]));
  const configMap = configMapName(`${name}-models`, configs);
  const files = models.flatMap((model) =>
    model.ensemble !== undefined
      ? []
      : model.versions.map(({ version, file }) => ({
          ...file,
          path: pathOf(`${model.name}/${version}`, file.path ?? backends[model.backend].file, file.unpack),
        })),
  );
  return {
    construct: 'TritonDeployment',
    name: 'triton',
    command: ['tritonserver'],
    args: ({ timeout }) => [
      `--model-repository=${modelFolder}`,
      // What is served is what was verified: nobody loads another model over the network, and nothing is guessed.
      '--model-control-mode=none',
      '--disable-auto-complete-config',
      '--strict-readiness=true',
      `--exit-timeout-secs=${timeout}`,
      ...(latencies === 'sums' ? [] : [`--metrics-config=${latencies}_latencies=true`]),
      ...(cached ? [`--cache-config=local,size=${props.responseCacheBytes ?? 268_435_456}`] : []),
      ...(props.args ?? []),
    ],
    ports: [
      { name: 'http', port: 8000, appProtocol: 'http' },
      { name: 'grpc', port: 8001, appProtocol: 'kubernetes.io/h2c' },
      { name: 'metrics', port: 8002, internal: true },
    ],
    health: {
      ready: { httpGet: { path: '/v2/health/ready', port: 'http' } },
      // Not the readiness: that is false while any model loads.
      live: { httpGet: { path: '/v2/health/live', port: 'http' } },
    },
    metrics: { port: 'metrics', path: '/metrics', profile: 'triton' },
    runAs: { user: 1000, group: 1000 },
    writable: [{ name: 'tmp', path: '/tmp', size: '1Gi' }],
    // The Python backend speaks with its processes through it.
    ...(models.some((model) => model.ensemble === undefined && model.backend === 'python')
      ? { sharedMemory: '1Gi' as const }
      : {}),
    onTerminate: 'finishes',
    gpu: 'optional',
    configMap: { name: configMap, data: configs },
    fetch: modelFetch({
      files,
      folders: models.flatMap((model) => (model.ensemble === undefined ? [] : [`${model.name}/1`])),
      written: {
        configMap,
        files: models.map((model) => ({ key: `${model.name}.pbtxt`, path: `${model.name}/config.pbtxt` })),
      },
      size: props.modelVolume ?? '2Gi',
      images: { ...fetchImages, ...props.fetchImages },
    }),
    problems: [
      ...modelProblems(models, gpu === undefined ? 0 : (gpu.count ?? 1)),
      ...sizeProblems(configs),
      ...models.flatMap((model) => budgetProblems(model, props.latencyBudget)),
    ],
    warnings:
      gpu !== undefined &&
      gpu.product === undefined &&
      models.some((model) => model.ensemble === undefined && model.backend === 'tensorrt')
        ? [
            {
              code: 'plan-on-any-gpu',
              message:
                'a TensorRT plan runs only on the kind of GPU it was built on, and gpu.product does not say which',
              fix: 'Set gpu.product.',
            },
          ]
        : [],
  };
}

/** An archive is unpacked into the version's folder, a file lies in it. */
function pathOf(folder: string, file: string, unpack: boolean | undefined): string {
  return unpack === true ? folder : `${folder}/${file}`;
}

function budgetProblems(model: TritonModel, budget: Duration | undefined): readonly ConstructProblem[] {
  const delay = model.ensemble === undefined ? model.dynamicBatching?.maxQueueDelayMicroseconds : undefined;
  if (delay === undefined) return [];
  return delayProblems(`${model.name}.dynamicBatching.maxQueueDelay`, Duration.millis(delay / 1000), budget);
}

function sizeProblems(configs: Readonly<Record<string, string>>): readonly ConstructProblem[] {
  const bytes = Buffer.byteLength(JSON.stringify(configs));
  if (bytes <= mostBytes) return [];
  return [
    {
      code: 'config-map-too-large',
      message: `the configurations of models take ${bytes} bytes together, more than a ConfigMap may have to be applied`,
      expected: `at most ${mostBytes}`,
      fix: 'Serve the models from several TritonDeployments.',
    },
  ];
}
