import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { type FetchImages, fetchImages, modelFetch, modelFolder, placed } from '../pod/model-fetch.ts';
import { fileName, type ModelFile, modelFileProblems } from '../pod/model-file.ts';
import type { SecretKey } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';
import { flag } from './flags.ts';
import { ModelServer } from './model-server.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

export interface OnnxDeploymentProps extends ServingProps {
  /** The ONNX file. Weights that stand beside it come in `externalData`. */
  readonly file: ModelFile;
  /** Files with the model's external data; `path` is their name as the ONNX file has it. */
  readonly externalData?: readonly ModelFile[];
  /**
   * Room for the model: what all files have together, and a tenth more.
   * @default 2Gi
   */
  readonly modelVolume?: Memory;
  /**
   * Rows that run together; 1 turns batching off.
   * @default 32
   */
  readonly maxBatch?: number;
  /**
   * A request may wait this long for company.
   * @default none: what is there at once runs together
   */
  readonly batchDelay?: Duration;
  /**
   * Requests that may wait; the next one gets 429.
   * @default 1024
   */
  readonly maxQueue?: number;
  /**
   * A request may take this long; then it gets 504.
   * @default 30 seconds
   */
  readonly timeout?: Duration;
  /**
   * Answers to keep for `cacheTtl`.
   * @default 0: none
   */
  readonly cache?: number;
  /** @default 60 seconds */
  readonly cacheTtl?: Duration;
  /**
   * Threads of the model.
   * @default 'auto': none of their own for quick models
   */
  readonly workers?: number | 'auto';
  /**
   * Runs before the model is ready.
   * @default 3
   */
  readonly warmUp?: number;
  /**
   * Also answer gRPC, on port 8001.
   * @default true
   */
  readonly grpc?: boolean;
  /** The Secret with the bearer token that clients must send. @default none */
  readonly token?: SecretKey;
  /** Accuracy of this version as it was measured, 0 to 1; shown as a metric. */
  readonly accuracy?: number;
  /** What fetches and verifies the model. @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * A model on Sluice's ONNX server (`server/README.md`, image from `server/Dockerfile`), on the CPU. Speaks the Open Inference Protocol v2 on
 * port 8000 (HTTP) and 8001 (gRPC).
 *
 * @example
 * new OnnxDeployment(chart, 'churn', {
 *   image: 'registry.example.com/sluice-serve:1.4.0',
 *   model: { name: 'churn', version: '3' },
 *   file: { uri: 's3://models/churn/3/model.onnx', sha256: '9f86d0...' },
 *   cpu: 2,
 *   memory: '1Gi',
 * });
 */
export class OnnxDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: OnnxDeploymentProps) {
    super(scope, id, { ...props, server: onnxServer(props) });
  }
}

/** User and group of the image. */
const runAs = { user: 65_532, group: 65_532 };

function onnxServer(props: OnnxDeploymentProps): ServerProgram {
  const { model, file, externalData = [], grpc = true, token } = props;
  // Folders of Triton's layout are numbers; a release that is called otherwise is version 1 of its own.
  const version = /^[1-9]\d{0,8}$/.test(model.version) ? model.version : '1';
  const folder = `${model.name}/${version}`;
  return {
    construct: 'OnnxDeployment',
    name: 'sluice-serve',
    args: ({ delay, timeout }) => [
      modelFolder,
      ...(grpc ? ['--grpc-port', '8001'] : []),
      ...['--drain-delay', `${delay}s`, '--drain-timeout', `${timeout}s`],
      ...flag('--max-batch', props.maxBatch),
      ...flag('--batch-delay', milliseconds(props.batchDelay)),
      ...flag('--max-queue', props.maxQueue),
      ...flag('--timeout', milliseconds(props.timeout)),
      ...flag('--cache', props.cache),
      ...flag('--cache-ttl', milliseconds(props.cacheTtl)),
      ...flag('--workers', props.workers),
      ...flag('--warm-up', props.warmUp),
      ...flag('--accuracy', props.accuracy === undefined ? undefined : `${model.name}=${props.accuracy}`),
      // Prometheus has no token; the NetworkPolicy says who may read.
      ...(token === undefined ? [] : ['--open-metrics']),
    ],
    env: token === undefined ? [] : [{ name: 'SLUICE_SERVE_TOKEN', valueFrom: { secretKeyRef: token } }],
    ports: [
      { name: 'http', port: 8000, appProtocol: 'http' },
      ...(grpc ? [{ name: 'grpc', port: 8001, appProtocol: 'kubernetes.io/h2c' as const }] : []),
    ],
    health: {
      ready: { httpGet: { path: '/v2/health/ready', port: 'http' } },
      live: { httpGet: { path: '/v2/health/live', port: 'http' } },
    },
    metrics: { port: 'http', path: '/metrics', profile: 'sluice' },
    runAs,
    onTerminate: 'drains',
    gpu: 'none',
    fetch: modelFetch({
      files: [
        placed({ ...file, path: `${folder}/model.onnx` }),
        ...externalData.map((each) => ({ ...each, path: `${folder}/${each.path ?? fileName(each)}` })),
      ],
      size: props.modelVolume ?? '2Gi',
      images: { ...fetchImages, ...props.fetchImages },
    }),
    problems: problemsOf(props),
  };
}

function milliseconds(duration: Duration | undefined): string | undefined {
  return duration === undefined ? undefined : `${duration.toMilliseconds({ integral: false })}ms`;
}

function problemsOf(props: OnnxDeploymentProps): readonly ConstructProblem[] {
  const { file, externalData = [], model, latencyBudget, batchDelay, timeout, accuracy, modelVolume, maxBatch } = props;
  const problems: ConstructProblem[] = [
    ...modelFileProblems(file, 'file'),
    ...externalData.flatMap((each, index) => modelFileProblems(each, `externalData[${index}]`, true)),
  ];
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(model.name)) {
    problems.push({
      code: 'bad-model-name',
      message: 'model.name cannot be a folder and a part of an address',
      found: model.name,
      expected: 'letters, digits, "-", "_" and "."',
      fix: 'Rename the model.',
    });
  }
  if (modelVolume !== undefined && bytesOf(modelVolume) === undefined) {
    problems.push({
      code: 'bad-quantity',
      message: 'modelVolume is no amount of memory',
      found: modelVolume,
      fix: 'Write it as 2Gi.',
    });
  }
  if (maxBatch !== undefined && !(Number.isInteger(maxBatch) && maxBatch >= 1)) {
    problems.push({
      code: 'bad-batch',
      message: 'maxBatch is no number of rows',
      found: String(maxBatch),
      expected: 'a whole number from 1',
      fix: 'Set it to 1 to turn batching off.',
    });
  }
  if (accuracy !== undefined && !(accuracy >= 0 && accuracy <= 1)) {
    problems.push({
      code: 'bad-accuracy',
      message: 'accuracy is no share',
      found: String(accuracy),
      expected: '0 to 1',
      fix: 'Divide percent by 100.',
    });
  }
  problems.push(...delayProblems('batchDelay', batchDelay, latencyBudget));
  if (
    timeout !== undefined &&
    latencyBudget !== undefined &&
    timeout.toMilliseconds({ integral: false }) < latencyBudget.toMilliseconds({ integral: false })
  ) {
    problems.push({
      code: 'timeout-under-budget',
      message: `timeout ${timeout.toHumanString()} ends requests that are still within latencyBudget ${latencyBudget.toHumanString()}`,
      fix: 'Raise timeout, or lower latencyBudget.',
    });
  }
  return problems;
}

/** Waiting for a batch must leave time to run it: half of the budget at most. */
export function delayProblems(
  prop: string,
  delay: Duration | undefined,
  budget: Duration | undefined,
): readonly ConstructProblem[] {
  if (delay === undefined || budget === undefined) return [];
  const [waits, allowed] = [delay, budget].map((each) => each.toMilliseconds({ integral: false })) as [number, number];
  if (waits <= allowed / 2) return [];
  return [
    {
      code: 'delay-over-budget',
      message: `${prop} ${delay.toHumanString()} takes more than half of latencyBudget ${budget.toHumanString()} before the model has begun`,
      fix: `Lower ${prop} to at most ${allowed / 2} ms, or raise latencyBudget.`,
    },
  ];
}
