import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, startPeer } from './peer.ts';
import { type PythonEnvironment, pythonEnvironment } from './python.ts';

const handlers = join(import.meta.dirname, 'handlers');

/**
 * Ray Serve with ONNX models, each a deployment with one replica. It has no protocol of its own: here `POST /NAME` takes
 * `{"rows": [[...]]}` and answers the outputs by name; `/-/healthz` is Ray's.
 */
export async function startRayServe(models: readonly PeerModel[]): Promise<Peer> {
  const environment = await rayEnvironment();
  const folder = rayFolder();
  const [http = 0, metrics = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${http}`;
  return startPeer({
    name: 'ray-serve 2.60.0',
    command: environment.python,
    args: [join(handlers, 'ray_app.py'), String(http), JSON.stringify(models), folder, String(metrics)],
    env: rayVariables(environment, handlers),
    folder,
    // Ray's agent shows what the cluster's processes sent it, every few seconds.
    addresses: { url, metrics: `http://127.0.0.1:${metrics}/metrics` },
    ready: () =>
      models.some(({ fault }) => fault === 'never-ready')
        ? allAnswer(`${url}/-/healthz`)
        : allAnswer(...models.map(({ name }) => `${url}/${name}/ready`)),
  });
}

/** A Ray node with its REST API (the dashboard) and Ray Serve's HTTP proxy, and no applications. */
export interface RayCluster {
  readonly peer: Peer;
  /** Ray's REST API. */
  readonly dashboard: string;
  /** Of Serve's HTTP proxy. */
  readonly url: string;
}

/** @param modules folders with Python modules that applications may be imported from */
export async function startRayCluster(...modules: readonly string[]): Promise<RayCluster> {
  const environment = await rayEnvironment();
  const folder = rayFolder();
  const [http = 0, port = 0] = await freePorts(2);
  const [url, dashboard] = [`http://127.0.0.1:${http}`, `http://127.0.0.1:${port}`];
  const peer = await startPeer({
    name: 'ray-serve 2.60.0',
    command: environment.python,
    args: [join(handlers, 'ray_cluster.py'), String(http), String(port), folder],
    // Ray gives up on its proxy after three times five seconds, and this machine may have other things to do.
    env: { ...rayVariables(environment, ...modules, handlers), RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S: '60' },
    folder,
    addresses: { url },
    // Without an application Serve's proxy does not count as well.
    ready: () => allAnswer(`${dashboard}/api/serve/applications/`),
  });
  return { peer, dashboard, url };
}

/** Right below /tmp, wherever other temporary files go: Ray's processes meet at sockets in there, whose paths may have 107 characters. */
function rayFolder(): string {
  return mkdtempSync('/tmp/sluice-ray-');
}

function rayEnvironment(): Promise<PythonEnvironment> {
  return pythonEnvironment('ray-serve', ['ray[serve]==2.60.0', 'onnxruntime==1.31.1']);
}

function rayVariables({ bin }: PythonEnvironment, ...modules: readonly string[]): Readonly<Record<string, string>> {
  return {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    PYTHONPATH: modules.join(':'),
    RAY_USAGE_STATS_ENABLED: '0',
    // With it Ray writes a token into the home folder.
    RAY_AUTH_MODE: 'disabled',
    RAY_DISABLE_DOCKER_CPU_WARNING: '1',
  };
}
