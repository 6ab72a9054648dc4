import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer } from './peer.ts';
import { pythonEnvironment } from './python.ts';

const handlers = join(import.meta.dirname, 'handlers');

/**
 * Seldon's MLServer (the server inside Seldon Core 2, and KServe's for scikit-learn): HTTP, gRPC and metrics. ONNX files through
 * `handlers/mlserver_runtime.py`, `.joblib` through its own mlserver-sklearn. One process, no worker pool: a pool of one is slower.
 */
export async function startMlserver(models: readonly PeerModel[]): Promise<Peer> {
  const environment = await pythonEnvironment('mlserver', [
    'mlserver==1.7.1',
    'mlserver-sklearn==1.7.1',
    'scikit-learn==1.9.1',
    'onnxruntime==1.31.1',
  ]);
  const folder = peerFolder('mlserver');
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const settings = {
    host: '127.0.0.1',
    http_port: http,
    grpc_port: grpc,
    metrics_port: metrics,
    parallel_workers: 0,
    logging_settings: null,
    debug: false,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  for (const model of models) addModel(folder, model);
  const url = `http://127.0.0.1:${http}`;
  return startPeer({
    name: 'mlserver 1.7.1',
    command: join(environment.bin, 'mlserver'),
    args: ['start', folder],
    env: { PYTHONPATH: handlers },
    folder,
    addresses: { url, grpc: `127.0.0.1:${grpc}`, metrics: `http://127.0.0.1:${metrics}/metrics` },
    ready: () =>
      models.some(({ fault }) => fault === 'never-ready')
        ? allAnswer(`${url}/v2/health/live`)
        : allAnswer(`${url}/v2/health/ready`, ...models.map(({ name }) => `${url}/v2/models/${name}/ready`)),
  });
}

function addModel(folder: string, { name, file, fault }: PeerModel): void {
  const sklearn = file.endsWith('.joblib');
  const own = join(folder, name);
  mkdirSync(own);
  const copy = join(own, sklearn ? 'model.joblib' : 'model.onnx');
  copyFileSync(file, copy);
  const settings = {
    name,
    implementation: sklearn ? 'mlserver_sklearn.SKLearnModel' : 'mlserver_runtime.OnnxRuntime',
    parameters: { uri: copy, version: '1', extra: fault === undefined ? {} : { fault } },
  };
  writeFileSync(join(own, 'model-settings.json'), JSON.stringify(settings));
}
