import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer } from './peer.ts';
import { pythonEnvironment } from './python.ts';

const handlers = join(import.meta.dirname, 'handlers');

/**
 * Ray Serve with ONNX models, each a deployment with one replica. It has no protocol of its own: here `POST /NAME` takes
 * `{"rows": [[...]]}` and answers the outputs by name; `/-/healthz` is Ray's.
 */
export async function startRayServe(models: readonly PeerModel[]): Promise<Peer> {
  const environment = await pythonEnvironment('ray-serve', ['ray[serve]==2.60.0', 'onnxruntime==1.31.1']);
  const folder = peerFolder('ray');
  const [http = 0, metrics = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${http}`;
  return startPeer({
    name: 'ray-serve 2.60.0',
    command: environment.python,
    args: [join(handlers, 'ray_app.py'), String(http), JSON.stringify(models), folder, String(metrics)],
    env: {
      PATH: `${environment.bin}:${process.env['PATH'] ?? ''}`,
      PYTHONPATH: handlers,
      RAY_USAGE_STATS_ENABLED: '0',
      // With it Ray writes a token into the home folder.
      RAY_AUTH_MODE: 'disabled',
      RAY_DISABLE_DOCKER_CPU_WARNING: '1',
    },
    folder,
    // Ray's agent shows what the cluster's processes sent it, every few seconds.
    addresses: { url, metrics: `http://127.0.0.1:${metrics}/metrics` },
    ready: () =>
      models.some(({ fault }) => fault === 'never-ready')
        ? allAnswer(`${url}/-/healthz`)
        : allAnswer(...models.map(({ name }) => `${url}/${name}/ready`)),
  });
}
