import type { Construct } from 'constructs';
import { configMapName } from '../config-map-name.ts';
import { type FetchImages, fetchImages, modelFetch, modelFolder } from '../pod/model-fetch.ts';
import { type ModelFile, modelFileProblems } from '../pod/model-file.ts';
import type { Memory } from '../quantity.ts';
import { ModelServer } from './model-server.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

export interface TorchServeDeploymentProps extends ServingProps {
  /** The `.mar` archive, as `MarArchive` or torch-model-archiver makes it. */
  readonly archive: ModelFile;
  /** @default 2Gi */
  readonly modelVolume?: Memory;
  /** Processes that run the model. @default 1 */
  readonly workers?: number;
  /** Requests that run together. @default 1 */
  readonly batchSize?: number;
  /** Milliseconds a request waits for company. @default 100 */
  readonly maxBatchDelayMillis?: number;
  /** Requests that may wait. @default 100 */
  readonly queueSize?: number;
  /** Seconds a request may take. @default 120 */
  readonly responseTimeoutSeconds?: number;
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * TorchServe: predictions on port 8080 (`POST /predictions/<model.name>`), metrics on 8082, the management API on 8081 for nobody but the pod
 * itself. It is no longer maintained and gets no security fixes; a warning says so. Export the model to ONNX for `OnnxDeployment` or
 * `TritonDeployment` instead.
 */
export class TorchServeDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: TorchServeDeploymentProps) {
    super(scope, id, { ...props, server: torchServeServer(props.name ?? id, props) });
  }
}

function torchServeServer(name: string, props: TorchServeDeploymentProps): ServerProgram {
  const { archive, model } = props;
  const data = { 'config.properties': configuration(props) };
  const configMap = configMapName(`${name}-torchserve`, data);
  return {
    construct: 'TorchServeDeployment',
    name: 'torchserve',
    command: ['torchserve'],
    args: [
      ...['--start', '--foreground', '--ncs', '--model-store', modelFolder],
      ...['--ts-config', `${modelFolder}/config.properties`],
      // Clients are let in by the NetworkPolicy; TorchServe would write its tokens into a file of the pod.
      '--disable-token-auth',
    ],
    env: [
      { name: 'TEMP', value: '/tmp' },
      { name: 'LOG_LOCATION', value: '/tmp/logs' },
      { name: 'METRICS_LOCATION', value: '/tmp/logs' },
      { name: 'HOME', value: '/tmp' },
    ],
    ports: [
      { name: 'http', port: 8080, appProtocol: 'http' },
      { name: 'metrics', port: 8082, internal: true },
    ],
    health: {
      ready: { httpGet: { path: '/ping', port: 'http' } },
      live: { tcpSocket: { port: 'http' } },
    },
    metrics: { port: 'metrics', path: '/metrics', profile: 'torchserve' },
    runAs: { user: 1000, group: 1000 },
    writable: [{ name: 'tmp', path: '/tmp', size: '4Gi' }],
    sharedMemory: '1Gi',
    onTerminate: 'finishes',
    gpu: 'optional',
    configMap: { name: configMap, data },
    fetch: modelFetch({
      files: [{ ...archive, path: `${model.name}.mar`, unpack: false }],
      written: { configMap, files: [{ key: 'config.properties', path: 'config.properties' }] },
      size: props.modelVolume ?? '2Gi',
      images: { ...fetchImages, ...props.fetchImages },
    }),
    problems: [
      ...modelFileProblems(archive, 'archive'),
      ...(/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(model.name)
        ? []
        : [
            {
              code: 'bad-model-name',
              message: 'model.name cannot be a file and a part of an address',
              found: model.name,
              expected: 'letters, digits, "-", "_" and "."',
              fix: 'Rename the model.',
            },
          ]),
    ],
    warnings: [
      {
        code: 'unmaintained-server',
        message: 'TorchServe is no longer maintained and gets no security fixes',
        fix: 'Export the model to ONNX and serve it with OnnxDeployment or TritonDeployment.',
      },
    ],
  };
}

/** https://docs.pytorch.org/serve/configuration.html */
function configuration(props: TorchServeDeploymentProps): string {
  const { model, workers = 1, batchSize = 1, maxBatchDelayMillis = 100, responseTimeoutSeconds = 120 } = props;
  const parameters = {
    minWorkers: workers,
    maxWorkers: workers,
    batchSize,
    maxBatchDelay: maxBatchDelayMillis,
    responseTimeout: responseTimeoutSeconds,
    defaultVersion: true,
    marName: `${model.name}.mar`,
  };
  return [
    'inference_address=http://0.0.0.0:8080',
    // Who may manage may run any code.
    'management_address=http://127.0.0.1:8081',
    'metrics_address=http://0.0.0.0:8082',
    'metrics_mode=prometheus',
    // Of the node, but for the GPU, which nothing else here tells of.
    `disable_system_metrics=${props.gpu === undefined}`,
    'enable_model_api=false',
    `model_store=${modelFolder}`,
    `load_models=${model.name}.mar`,
    `job_queue_size=${props.queueSize ?? 100}`,
    `models=${JSON.stringify({ [model.name]: { '1.0': parameters } })}`,
    '',
  ].join('\n');
}
