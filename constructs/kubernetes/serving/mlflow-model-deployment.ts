import type { Construct } from 'constructs';
import { type FetchImages, fetchImages, modelFetch, modelFolder } from '../pod/model-fetch.ts';
import { type ModelFile, modelFileProblems } from '../pod/model-file.ts';
import type { Memory } from '../quantity.ts';
import { flag } from './flags.ts';
import { ModelServer } from './model-server.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

export interface MlflowModelDeploymentProps extends ServingProps {
  /** The folder of the model (with its `MLmodel`) as a .tar or .tar.gz. */
  readonly archive: ModelFile;
  /** @default 2Gi */
  readonly modelVolume?: Memory;
  /**
   * What answers: MLflow's own server, or MLServer, which also speaks the Open Inference Protocol v2 and tells metrics. The image needs
   * `mlserver-mlflow` for it.
   * @default 'mlflow'
   */
  readonly inferenceServer?: 'mlflow' | 'mlserver';
  /** Processes. @default MLflow's */
  readonly workers?: number;
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * `mlflow models serve` on port 8080: `POST /invocations` with `inputs` or `dataframe_split`. The image must hold MLflow and what the model's
 * `requirements.txt` names: nothing is installed when a pod starts.
 */
export class MlflowModelDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: MlflowModelDeploymentProps) {
    super(scope, id, { ...props, server: mlflowServer(props) });
  }
}

function mlflowServer(props: MlflowModelDeploymentProps): ServerProgram {
  const mlserver = props.inferenceServer === 'mlserver';
  return {
    construct: 'MlflowModelDeployment',
    name: 'mlflow-model',
    command: ['mlflow', 'models', 'serve'],
    args: [
      ...['--model-uri', `${modelFolder}/model`, '--host', '0.0.0.0', '--port', '8080', '--env-manager', 'local'],
      ...flag('--workers', props.workers),
      ...(mlserver ? ['--enable-mlserver'] : []),
    ],
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'MLFLOW_DISABLE_ENV_CREATION', value: 'true' },
      ...(mlserver ? [{ name: 'MLSERVER_METRICS_PORT', value: '8082' }] : []),
    ],
    ports: mlserver
      ? [
          { name: 'http', port: 8080, appProtocol: 'http' },
          { name: 'metrics', port: 8082, internal: true },
        ]
      : [{ name: 'http', port: 8080, appProtocol: 'http' }],
    health: mlserver
      ? {
          ready: { httpGet: { path: '/v2/health/ready', port: 'http' } },
          live: { httpGet: { path: '/v2/health/live', port: 'http' } },
        }
      : {
          ready: { httpGet: { path: '/ping', port: 'http' } },
          // /ping asks the model; a busy one must not be killed for being slow to answer.
          live: { tcpSocket: { port: 'http' } },
        },
    ...(mlserver ? { metrics: { port: 'metrics', path: '/metrics', profile: 'mlserver' as const } } : {}),
    runAs: { user: 1000, group: 1000 },
    writable: [{ name: 'tmp', path: '/tmp', size: '1Gi' }],
    onTerminate: 'finishes',
    gpu: 'optional',
    fetch: modelFetch({
      files: [{ ...props.archive, path: 'model', unpack: true }],
      size: props.modelVolume ?? '2Gi',
      images: { ...fetchImages, ...props.fetchImages },
    }),
    problems: [
      ...modelFileProblems(props.archive, 'archive'),
      ...(/\.(?:tar|tgz|tar\.gz)(?:$|[#?])/.test(props.archive.uri)
        ? []
        : [
            {
              code: 'no-archive',
              message: 'archive.uri is no archive, and an MLflow model is a folder',
              found: props.archive.uri,
              expected: '.tar, .tar.gz or .tgz',
              fix: 'Pack the folder: tar -czf model.tar.gz -C model .',
            },
          ]),
    ],
  };
}
