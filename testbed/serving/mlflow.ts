import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer } from './peer.ts';
import { pythonEnvironment } from './python.ts';

const run = promisify(execFile);
const handlers = join(import.meta.dirname, 'handlers');

/**
 * MLflow's scoring server (`mlflow models serve`, one worker) with one ONNX model in MLflow's ONNX flavour; with a fault it is a
 * Python function of MLflow's. `POST /invocations`, health at `/ping`.
 */
export async function startMlflow([model, ...others]: readonly PeerModel[]): Promise<Peer> {
  if (model === undefined || others.length > 0) throw new Error('MLflow serves exactly one model.');
  const environment = await pythonEnvironment('mlflow', ['mlflow==3.17.2', 'onnx==1.23.2', 'onnxruntime==1.31.1']);
  const folder = peerFolder('mlflow');
  const env = {
    PATH: `${environment.bin}:${process.env['PATH'] ?? ''}`,
    PYTHONPATH: handlers,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    MLFLOW_TRACKING_URI: `sqlite:///${join(folder, 'mlflow.db')}`,
  };
  const saving = [join(handlers, 'mlflow_model.py'), model.file, join(folder, 'model')];
  await run(environment.python, model.fault === undefined ? saving : [...saving, model.fault], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  const [http = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${http}`;
  return startPeer({
    name: 'mlflow 3.17.2',
    command: join(environment.bin, 'mlflow'),
    args: [
      'models',
      'serve',
      '-m',
      'model',
      '--env-manager',
      'local',
      '-h',
      '127.0.0.1',
      '-p',
      String(http),
      '-w',
      '1',
    ],
    env,
    folder,
    addresses: { url },
    // It listens only when the model is there: one that never is has nobody to wait for.
    ready: async () => model.fault === 'never-ready' || allAnswer(`${url}/ping`),
  });
}
