import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer } from './peer.ts';
import { pythonEnvironment } from './python.ts';

/**
 * KServe's own Python server (the SDK's `ModelServer`, on which KServe's scikit-learn, XGBoost and custom runtimes are built) with
 * ONNX models: V1 and V2 over HTTP, V2 over gRPC, metrics. One process.
 */
export async function startKserve(models: readonly PeerModel[]): Promise<Peer> {
  const environment = await pythonEnvironment('kserve', ['kserve==0.21.0', 'onnxruntime==1.31.1']);
  const folder = peerFolder('kserve');
  const [http = 0, grpc = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${http}`;
  return startPeer({
    name: 'kserve 0.21.0',
    command: environment.python,
    args: [
      join(import.meta.dirname, 'handlers', 'kserve_server.py'),
      ...[String(http), String(grpc), JSON.stringify(models)],
    ],
    env: {},
    folder,
    addresses: { url, grpc: `127.0.0.1:${grpc}`, metrics: `${url}/metrics` },
    ready: () =>
      models.some(({ fault }) => fault === 'never-ready')
        ? allAnswer(`${url}/v2/health/live`)
        : allAnswer(...models.map(({ name }) => `${url}/v2/models/${name}/ready`)),
  });
}
