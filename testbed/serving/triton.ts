import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readModelFacts, type TensorSpec } from '../../core/onnx/index.ts';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer } from './peer.ts';
import { type PythonEnvironment, pythonEnvironment } from './python.ts';

const handlers = join(import.meta.dirname, 'handlers');

const tritonTypes: Readonly<Record<string, string>> = {
  float32: 'TYPE_FP32',
  float64: 'TYPE_FP64',
  int32: 'TYPE_INT32',
  int64: 'TYPE_INT64',
  bool: 'TYPE_BOOL',
  string: 'TYPE_STRING',
};

/**
 * NVIDIA's Triton Inference Server 2.51.0: the real binary, from the wheel of nvidia-pytriton, on the CPU. The wheel has only the
 * Python backend, so "onnxruntime" is here a Python program (`handlers/triton_backend.py`) and slower than NVIDIA's C++ one:
 * protocols, scheduling, batching and configuration are Triton's own, the run of the model is not.
 */
export async function startTriton(models: readonly PeerModel[]): Promise<Peer> {
  const environment = await pythonEnvironment('triton', [
    'nvidia-pytriton==0.7.0',
    'onnxruntime==1.31.1',
    'numpy==1.26.4',
  ]);
  const folder = peerFolder('triton');
  const repository = join(folder, 'repository');
  for (const model of models) await addToRepository(repository, model);
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const tritonserver = join(environment.sitePackages, 'pytriton', 'tritonserver');
  const python = aboutPython(environment);
  return startPeer({
    name: 'triton 2.51.0',
    command: join(tritonserver, 'bin', 'tritonserver'),
    args: [
      ...['--model-repository', repository, '--backend-directory', makeBackends(folder, tritonserver, python.version)],
      ...['--http-address', '127.0.0.1', '--http-port', String(http)],
      ...['--grpc-address', '127.0.0.1', '--grpc-port', String(grpc)],
      ...['--metrics-address', '127.0.0.1', '--metrics-port', String(metrics)],
      ...['--disable-auto-complete-config', '--model-control-mode', 'explicit', '--strict-readiness', 'true'],
      ...['--exit-timeout-secs', '1', '--backend-config', `python,shm-region-prefix-name=${basename(folder)}`],
      // Before its models are loaded Triton does not even listen: one that is not ready is one that was never asked for.
      ...models.flatMap(({ name, fault }) => (fault === 'never-ready' ? [] : ['--load-model', name])),
    ],
    env: {
      // By it the stub finds its packages.
      PATH: `${environment.bin}:${process.env['PATH'] ?? ''}`,
      LD_LIBRARY_PATH: [join(environment.sitePackages, 'nvidia_pytriton.libs'), python.libraries].join(':'),
    },
    folder,
    sharedMemory: basename(folder),
    addresses: {
      url: `http://127.0.0.1:${http}`,
      grpc: `127.0.0.1:${grpc}`,
      metrics: `http://127.0.0.1:${metrics}/metrics`,
    },
    ready: () => allAnswer(`http://127.0.0.1:${http}/v2/health/ready`),
  });
}

/** The environment's Python: its version as Triton's wheel names its stubs, and where its shared library is. */
function aboutPython({ python }: PythonEnvironment): { readonly version: string; readonly libraries: string } {
  const program = 'import sys, sysconfig as s; print(*sys.version_info[:2], s.get_config_var("LIBDIR"))';
  const [major = '', minor = '', ...rest] = execFileSync(python, ['-c', program], { encoding: 'utf8' })
    .trim()
    .split(' ');
  return { version: `${major}.${minor}`, libraries: rest.join(' ') };
}

/** Triton's Python backend with the stub of this Python, and "onnxruntime" on top of it; copied, as Triton follows no links out of here. */
function makeBackends(folder: string, tritonserver: string, version: string): string {
  const backends = join(folder, 'backends');
  mkdirSync(join(backends, 'python'), { recursive: true });
  mkdirSync(join(backends, 'onnxruntime'));
  for (const file of ['libtriton_python.so', 'triton_python_backend_utils.py']) {
    copyFileSync(join(tritonserver, 'backends', 'python', file), join(backends, 'python', file));
  }
  const stub = 'triton_python_backend_stub';
  copyFileSync(join(tritonserver, 'python_backend_stubs', version, stub), join(backends, 'python', stub));
  copyFileSync(join(handlers, 'triton_backend.py'), join(backends, 'onnxruntime', 'model.py'));
  copyFileSync(join(handlers, 'onnx_model.py'), join(backends, 'onnxruntime', 'onnx_model.py'));
  return backends;
}

async function addToRepository(repository: string, { name, file, fault, config }: PeerModel): Promise<void> {
  const { inputs, outputs } = await readModelFacts(file);
  mkdirSync(join(repository, name, '1'), { recursive: true });
  copyFileSync(file, join(repository, name, '1', 'model.onnx'));
  const lines = [
    `name: "${name}"`,
    'backend: "onnxruntime"',
    'platform: "onnxruntime_onnx"',
    'max_batch_size: 64',
    ...inputs.map((spec) => `input { ${value(spec)} }`),
    ...outputs.map((spec) => `output { ${value(spec)} }`),
    'instance_group [ { kind: KIND_CPU count: 1 } ]',
    'dynamic_batching { preferred_batch_size: [ 8, 32 ] max_queue_delay_microseconds: 100 }',
    ...(fault === undefined ? [] : [`parameters { key: "fault" value { string_value: "${fault}" } }`]),
  ];
  writeFileSync(join(repository, name, 'config.pbtxt'), config ?? `${lines.join('\n')}\n`);
}

/** One number a row has no dimension left beside the batch's: Triton's own backends write it as [ 1 ], reshaped. */
function value({ name, type, shape }: TensorSpec): string {
  const inner = shape.slice(1).map((size) => (typeof size === 'number' ? size : -1));
  const dims = inner.length === 0 ? 'dims: [ 1 ] reshape { shape: [ ] }' : `dims: [ ${inner.join(', ')} ]`;
  return `name: "${name}" data_type: ${tritonTypes[type] ?? type} ${dims}`;
}
