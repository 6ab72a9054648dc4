import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Host } from '../core/host/index.ts';
import { InputError } from '../core/problem/index.ts';
import type { RunningServer, ServerOptions } from '../server/index.ts';
import { addServeFlags, limitsOf, type ServeFlags, settingsOf, tokenOf } from './serve-flags.ts';
import { perform, type Session } from './session.ts';
import type { Streams } from './streams.ts';

/** `sluice serve`: the model server, until a signal ends it. */
export function addServe(program: Command, session: Session): void {
  addServeFlags(
    program
      .command('serve')
      .argument('<model>', "an .onnx file, or a folder in Triton's layout (MODEL/VERSION/model.onnx)"),
  )
    .summary('serve a model over the Open Inference Protocol')
    .description(
      'Serves ONNX models over the Open Inference Protocol v2, with batching, metrics and health routes, until SIGTERM or SIGINT: then it ' +
        'finishes what it has and exits with 0.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice serve models/churn.onnx --port 8000
  $ curl localhost:8000/v2/models/churn
  $ sluice serve repository --host 0.0.0.0 --grpc-port 8001 --token-env MODEL_TOKEN`,
    )
    .action((model: string, flags: ServeFlags) =>
      perform(session, flags, (host) => serve(model, flags, session, host)),
    );
}

async function serve(model: string, flags: ServeFlags, { streams }: Session, host: Host): Promise<number> {
  const token = tokenOf(flags, streams.environment);
  const source = await sourceOf(model, streams.directory);
  const stop = stopSignal(streams, host);
  const started = performance.now();
  const { startServer } = await import('../server/index.ts');
  const server = await startServer({
    ...source,
    host,
    address: flags.host,
    port: flags.port,
    settings: settingsOf(flags),
    limits: limitsOf(flags),
    ...(flags.grpcPort === undefined ? {} : { grpcPort: flags.grpcPort }),
    ...(flags.reusePort === true ? { reusePort: true } : {}),
    ...(flags.models === undefined ? {} : { models: flags.models }),
    ...(flags.modelControl === true ? { modelControl: true } : {}),
    ...(token === undefined ? {} : { token }),
    ...(flags.openMetrics === true ? { openMetrics: true } : {}),
    ...(flags.accuracy === undefined ? {} : { accuracy: flags.accuracy }),
    ...(flags.log === 'off'
      ? {}
      : { accessLog: { write: (lines) => streams.stdout.write(lines), linesPerSecond: flags.logRate } }),
  });
  await tellStart(server, (performance.now() - started) / 1000, host);
  if (flags.host !== '127.0.0.1' && flags.host !== 'localhost' && token === undefined) {
    host.notice('Anybody who reaches this address can use the models: no token was set (--token-env).');
  }
  await stop.serving();
  const { reusePort, drainTimeout, drainDelay = reusePort === true ? 0 : 5000 } = flags;
  await server.drain({ delayMs: drainDelay, patienceMs: drainTimeout });
  host.info('Every request was answered.');
  return 0;
}

async function tellStart(server: RunningServer, seconds: number, host: Host): Promise<void> {
  const { describeTensor } = await import('../core/onnx/index.ts');
  for (const { model, version, state, inputs, outputs } of server.engine.versions()) {
    const given = inputs.map(({ name, type, shape, unranked }) => `${name} ${describeTensor(type, shape, unranked)}`);
    const gives = outputs.map(({ name }) => name);
    host.info(
      `${model} version ${version}: ${state}${state === 'ready' ? `, ${given.join(', ')} -> ${gives.join(', ')}` : ''}`,
    );
  }
  const grpc = server.grpcPort === undefined ? '' : ` and gRPC on port ${server.grpcPort}`;
  host.info(`Ready in ${seconds.toFixed(2)} s on ${server.url}${grpc}`);
}

/**
 * Resolves with the first signal from when `serving` was called; before that, and with every further one, a signal ends the process at
 * once. The first process of a container gets no signal at all that it did not ask for.
 */
function stopSignal(streams: Streams, host: Host): { serving(): Promise<void> } {
  let finish: (() => void) | undefined;
  streams.takeSignals?.((signal) => {
    if (finish === undefined) process.exit(signal === 'SIGINT' ? 130 : 143);
    host.info(`${signal}: finishing; again to end at once`);
    finish();
    finish = undefined;
  });
  return {
    serving: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  };
}

/** Whether the argument is one model or a repository. Throws an InputError when it is neither. */
async function sourceOf(
  model: string,
  directory: string,
): Promise<Pick<ServerOptions, 'file' | 'repository'> & SourceOf> {
  const path = resolve(directory, model);
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => cause);
  if (found instanceof Error) {
    const missing = found.code === 'ENOENT' || found.code === 'ENOTDIR';
    throw new InputError(
      {
        code: missing ? 'missing-file' : 'unreadable-file',
        message: missing ? 'there is no such file or folder' : 'this user may not read it',
        place: { file: model },
        fix: missing
          ? 'Check the path; it is relative to the working directory.'
          : 'Give the user who runs sluice the right to read the file and the folders above it.',
      },
      { cause: found },
    );
  }
  return found.isDirectory() ? { repository: path } : { file: path };
}

type SourceOf =
  | { readonly repository: string; readonly file?: never }
  | { readonly file: string; readonly repository?: never };
