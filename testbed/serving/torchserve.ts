import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, portsInARow } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer, textOf } from './peer.ts';
import { type PythonEnvironment, pythonEnvironment } from './python.ts';

const run = promisify(execFile);
const handlers = join(import.meta.dirname, 'handlers');

/**
 * PyTorch's TorchServe with ONNX models behind a custom handler: its Java frontend, its workers, its archives. Only the module
 * `torch` is a stub, so handlers that use PyTorch are not tried. The path of a request: `/predictions/NAME`.
 * @throws when Java is not there, with how to get it
 */
export async function startTorchserve(models: readonly PeerModel[]): Promise<Peer> {
  const environment = await pythonEnvironment('torchserve', [
    'torchserve==0.12.0',
    'torch-model-archiver==0.12.0',
    // Its worker imports it without asking for it.
    'pyyaml==6.0.3',
    'onnxruntime==1.31.1',
  ]);
  await javaThere();
  const folder = peerFolder('torchserve');
  mkdirSync(join(folder, 'store'));
  for (const model of models) await archive(environment, folder, model);
  const [http = 0, management = 0, metrics = 0] = await portsInARow(3);
  const [grpc = 0, grpcManagement = 0] = await freePorts(2);
  const settings = {
    inference_address: `http://127.0.0.1:${http}`,
    management_address: `http://127.0.0.1:${management}`,
    metrics_address: `http://127.0.0.1:${metrics}`,
    grpc_inference_address: '127.0.0.1',
    grpc_management_address: '127.0.0.1',
    grpc_inference_port: grpc,
    grpc_management_port: grpcManagement,
    default_workers_per_model: 1,
    install_py_dep_per_model: false,
    metrics_mode: 'prometheus',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  writeFileSync(join(folder, 'config.properties'), `${lines.join('\n')}\n`);
  const url = settings.inference_address;
  return startPeer({
    name: 'torchserve 0.12.0',
    command: join(environment.bin, 'torchserve'),
    args: [
      ...['--start', '--foreground', '--ncs', '--disable-token-auth', '--ts-config', 'config.properties'],
      ...['--model-store', 'store', '--models', ...models.map(({ name }) => `${name}=${name}.mar`)],
    ],
    env: {
      PATH: `${environment.bin}:${process.env['PATH'] ?? ''}`,
      PYTHONPATH: join(handlers, 'torch-stub'),
      TEMP: folder,
      LOG_LOCATION: join(folder, 'logs'),
      METRICS_LOCATION: join(folder, 'logs'),
    },
    folder,
    addresses: { url, management: settings.management_address, metrics: `${settings.metrics_address}/metrics` },
    // `/ping` is "Healthy" before the workers have started.
    ready: async () => {
      const awaited = models.filter(({ fault }) => fault !== 'never-ready');
      const described = await Promise.all(
        awaited.map(({ name }) => textOf(`${settings.management_address}/models/${name}`)),
      );
      return described.every((text) => text?.includes('"READY"')) && allAnswer(`${settings.management_address}/models`);
    },
  });
}

async function archive({ bin }: PythonEnvironment, folder: string, { name, file, fault }: PeerModel): Promise<void> {
  const own = join(folder, name);
  mkdirSync(own);
  copyFileSync(file, join(own, 'model.onnx'));
  writeFileSync(join(own, 'settings.json'), JSON.stringify({ fault }));
  await run(join(bin, 'torch-model-archiver'), [
    ...['--model-name', name, '--version', '1.0', '--export-path', join(folder, 'store')],
    ...['--serialized-file', join(own, 'model.onnx'), '--handler', join(handlers, 'torchserve_handler.py')],
    ...['--extra-files', [join(own, 'settings.json'), join(handlers, 'onnx_model.py')].join(',')],
  ]);
}

async function javaThere(): Promise<void> {
  const home = process.env['JAVA_HOME'];
  try {
    await run(home ? join(home, 'bin', 'java') : 'java', ['-version']);
  } catch {
    throw new Error(
      'TorchServe needs Java 17 or later, which is not on PATH. Install it ("apt-get install openjdk-17-jre-headless", or ' +
        'https://adoptium.net), then run it again.',
    );
  }
}
