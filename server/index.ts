/**
 * The ONNX model server: the Open Inference Protocol v2 over HTTP and gRPC, from one file or a repository in Triton's layout.
 * `const server = await startServer({ file: 'churn.onnx' })`, then `server.url`; `await server.drain()` loses no request.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { silentHost } from '../core/host/index.ts';
import { InputError, ModelError, type Problem } from '../core/problem/index.ts';
import { type Engine, type EngineOptions, openEngine, type ServedVersion } from './engine/index.ts';
import { type GrpcFront, startGrpc } from './grpc/index.ts';
import { AccessLog, type AccessLogOptions, type HttpFront, type Limits, openHttp } from './http/index.ts';
import { Exposition, MeteredEngine } from './metrics/index.ts';

export type { Engine, ServedVersion, ServingSettings } from './engine/index.ts';
export { defaultSettings } from './engine/index.ts';
export { type AccessLogOptions, defaultLimits, type Limits } from './http/index.ts';

export type ServerOptions = Omit<EngineOptions, 'host' | 'background'> &
  ({ readonly repository: string; readonly file?: never } | { readonly file: string; readonly repository?: never }) & {
    /** Where to tell what happens. @default nowhere */
    readonly host?: EngineOptions['host'];
    /** Address to listen on. @default '127.0.0.1' */
    readonly address?: string;
    /** @default 0, any that is free */
    readonly port?: number;
    /** Port for gRPC; 0: any that is free. @default no gRPC */
    readonly grpcPort?: number;
    /** Other processes may listen on the same port, for a restart without a gap on one machine. @default false */
    readonly reusePort?: boolean;
    /** What clients send as `Authorization: Bearer`; health routes are open without. @default no token */
    readonly token?: string;
    /** `/metrics` needs no token. @default false */
    readonly openMetrics?: boolean;
    /** Clients may load and unload models. @default false */
    readonly modelControl?: boolean;
    readonly limits?: Partial<Limits>;
    /** @default no access log */
    readonly accessLog?: AccessLogOptions;
    /** Accuracy by model, 0 to 1: shown as a metric. */
    readonly accuracy?: Readonly<Record<string, number>>;
  };

export interface DrainOptions {
  /** Milliseconds in which the server says it is not ready and still takes requests, until routers have noticed. @default 0 */
  readonly delayMs?: number;
  /** Milliseconds that requests on their way may take after that. @default 30000 */
  readonly patienceMs?: number;
}

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number | undefined;
  readonly engine: Engine;
  /** Accuracy of a model, 0 to 1, as somebody measured it; shown as a metric. */
  setAccuracy(model: string, accuracy: number): void;
  /** What `/metrics` shows. */
  metrics(): Promise<string>;
  /** Stops without losing a request: not ready, then no new connections, then done. */
  drain(options?: DrainOptions): Promise<void>;
  /** Stops at once; what is on its way has a second. */
  close(): Promise<void>;
}

/**
 * Starts a server and waits until its models are ready. It listens from the beginning: live, not ready. Throws an InputError for a file
 * or repository that is not there and a port that is not free, and a ModelError with every model that cannot be served (not so with
 * `modelControl`, where somebody else loads models).
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const host = options.host ?? silentHost;
  const log = options.accessLog === undefined ? undefined : new AccessLog(options.accessLog);
  const engine = new MeteredEngine(await openEngine({ ...options, host, background: true }));
  const exposition = new Exposition(engine);
  for (const [model, value] of Object.entries(options.accuracy ?? {})) setAccuracy(exposition, model, value);
  let http: HttpFront | undefined;
  let grpc: GrpcFront | undefined;
  const address = options.address ?? '127.0.0.1';
  try {
    http = await openHttp({
      engine,
      exposition,
      address,
      port: options.port ?? 0,
      reusePort: options.reusePort ?? false,
      token: options.token,
      openMetrics: options.openMetrics ?? false,
      modelControl: options.modelControl ?? false,
      limits: options.limits ?? {},
      log,
    });
    if (options.grpcPort !== undefined) grpc = await openGrpc(engine, address, options.grpcPort, options);
  } catch (error) {
    await http?.end(0, 0);
    await engine.drain();
    throw error;
  }
  const { port, announceEnd, end } = http;
  const stop = async (quietMs: number, patienceMs: number): Promise<void> => {
    await Promise.all([end(quietMs, patienceMs), grpc?.drain(patienceMs)]);
    await engine.drain();
    log?.event('stopped');
    log?.flush();
  };
  let stopping: Promise<void> | undefined;
  const close = (): Promise<void> => {
    stopping ??= stop(0, 1000);
    return stopping;
  };
  const server: RunningServer = {
    url: `http://${urlHost(address)}:${port}`,
    port,
    grpcPort: grpc?.port,
    engine,
    setAccuracy: (model, accuracy) => setAccuracy(exposition, model, accuracy),
    metrics: () => exposition.text(),
    drain: ({ delayMs = 0, patienceMs = 30_000 } = {}) => {
      stopping ??= (async () => {
        log?.event('draining');
        if (delayMs > 0) {
          announceEnd();
          grpc?.announceEnd();
          await sleep(delayMs);
        }
        // Without a delay nothing is announced before new connections are refused: an answer that ends its connection makes its client
        // come back, and it must find the next server and not this one's last moment.
        await stop(1000, patienceMs);
      })();
      return stopping;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  try {
    await settled(engine, options.modelControl === true);
  } catch (error) {
    await server.close();
    throw error;
  }
  log?.event('ready', {
    url: server.url,
    models: engine.versions().map(({ model, version }) => `${model}/${version}`),
  });
  return server;
}

function openGrpc(
  engine: MeteredEngine,
  host: string,
  port: number,
  { token, modelControl = false, limits }: ServerOptions,
): Promise<GrpcFront> {
  return startGrpc({
    engine,
    host,
    port,
    modelControl,
    ...(token === undefined ? {} : { token }),
    ...(limits?.maxBodyBytes === undefined ? {} : { maxMessageBytes: limits.maxBodyBytes }),
  });
}

/** Waits until no model is loading any more. */
async function settled(engine: Engine, tolerant: boolean): Promise<void> {
  for (;;) {
    const versions = engine.versions();
    const loading = versions.some(({ state }) => state === 'loading');
    if (engine.ready && !loading) return;
    const failed = versions.filter(({ state }) => state === 'unavailable');
    if (!loading && failed.length > 0) {
      if (tolerant) return;
      throw new ModelError(failed.map(problemOf) as [Problem, ...Problem[]]);
    }
    await sleep(5);
  }
}

function problemOf({ model, version, error }: ServedVersion): Problem {
  return {
    code: 'model-unavailable',
    message: `the model ${model} version ${version} cannot be served${error === undefined ? '' : `: ${error}`}`,
    fix: 'Mend the file, or leave the model out with --models; --model-control starts the server without it.',
  };
}

function setAccuracy(exposition: Exposition, model: string, accuracy: number): void {
  if (!(accuracy >= 0 && accuracy <= 1)) {
    throw new InputError({
      code: 'bad-accuracy',
      message: 'an accuracy is a number from 0 to 1',
      found: String(accuracy),
      fix: 'Give a share, such as 0.93.',
    });
  }
  exposition.setAccuracy(model, accuracy);
}

/** What a client on this machine writes for an address to listen on. */
function urlHost(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}
