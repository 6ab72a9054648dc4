import { type Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../core/problem/index.ts';
import type { Limits, ServingSettings } from '../server/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';

/** Flags of `serve`, as commander hands them over. Times in milliseconds. */
export interface ServeFlags extends CommonFlags {
  readonly host: string;
  readonly port: number;
  readonly grpcPort?: number;
  readonly reusePort?: boolean;
  readonly models?: readonly string[];
  readonly modelControl?: boolean;
  readonly tokenEnv?: string;
  readonly openMetrics?: boolean;
  readonly accuracy?: Readonly<Record<string, number>>;
  readonly log: 'json' | 'off';
  readonly logRate: number;
  readonly drainDelay?: number;
  readonly drainTimeout: number;
  readonly maxBatch?: number;
  readonly batchDelay?: number;
  readonly maxQueue?: number;
  readonly timeout?: number;
  readonly cache?: number;
  readonly cacheTtl?: number;
  readonly workers?: number | 'auto';
  readonly warmUp?: number;
  readonly maxBody?: number;
  readonly maxConnections?: number;
}

/** The variable a token is read from when `--token-env` names no other. */
const tokenVariable = 'SLUICE_SERVE_TOKEN';

export function addServeFlags(command: Command): Command {
  return addCommonFlags(
    command
      .option('--host <address>', 'address to listen on; 0.0.0.0 for every network', '127.0.0.1')
      .option('--port <port>', 'port for HTTP; 0 takes any that is free', port, 8000)
      .option('--grpc-port <port>', 'listen for gRPC, too', port)
      .option('--reuse-port', 'let another process listen on the same port, for a restart without a gap')
      .option('--models <names>', 'of a repository only these, separated by commas', names)
      .option('--model-control', 'clients may load and unload models')
      .option('--token-env <name>', `the variable with the bearer token clients must send (default: ${tokenVariable})`)
      .option('--open-metrics', '/metrics needs no token')
      .option('--accuracy <model=value>', 'accuracy of a model, shown as a metric; may be repeated', accuracy)
      .addOption(new Option('--log <form>', 'access log on standard output').choices(['json', 'off']).default('json'))
      .option('--log-rate <lines>', 'lines of the access log a second, of successes and refusals each', whole(1), 100)
      .option(
        '--drain-delay <time>',
        'after SIGTERM: not ready, but still answering (default: 5s, with --reuse-port 0)',
        duration,
      )
      .option('--drain-timeout <time>', 'then requests on their way may take this long', duration, 30_000)
      .option('--max-batch <rows>', 'rows that run together; 1 turns batching off (default: 32)', whole(1))
      .option('--batch-delay <time>', 'a request may wait this long for company (default: 0)', duration)
      .option('--max-queue <requests>', 'requests that may wait; the next gets 429 (default: 1024)', whole(1))
      .option('--timeout <time>', 'a request may take this long (default: 30s)', duration)
      .option('--cache <entries>', 'answers to keep; 0 keeps none (default: 0)', whole(0))
      .option('--cache-ttl <time>', 'how long an answer is kept (default: 60s)', duration)
      .option('--workers <number>', 'threads for each model, or auto: none for quick models (default: auto)', workers)
      .option('--warm-up <runs>', 'runs before a model is ready (default: 3)', whole(0))
      .option('--max-body <size>', 'largest request, such as 64MB (default: 64MB)', size)
      .option('--max-connections <number>', 'connections at once (default: 4096)', whole(1)),
  );
}

/** What of the flags the engine is told; what was not given keeps its default. */
export function settingsOf(flags: ServeFlags): Partial<ServingSettings> {
  const { maxBatch, batchDelay, maxQueue, timeout, cache, cacheTtl, workers, warmUp } = flags;
  return {
    ...(maxBatch === undefined ? {} : { maxBatchSize: maxBatch }),
    ...(batchDelay === undefined ? {} : { maxQueueDelayUs: batchDelay * 1000 }),
    ...(maxQueue === undefined ? {} : { maxQueueSize: maxQueue }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(cache === undefined ? {} : { cacheSize: cache }),
    ...(cacheTtl === undefined ? {} : { cacheTtlSeconds: cacheTtl / 1000 }),
    ...(workers === undefined ? {} : { workers }),
    ...(warmUp === undefined ? {} : { warmUpRuns: warmUp }),
  };
}

export function limitsOf({ maxBody, maxConnections }: ServeFlags): Partial<Limits> {
  return {
    ...(maxBody === undefined ? {} : { maxBodyBytes: maxBody }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}

/**
 * The token out of the environment; undefined: none is wanted. Throws an InputError when a variable was named, or is there, and holds
 * nothing: a server that was to have a token must not be open because a secret is missing.
 */
export function tokenOf(
  { tokenEnv }: ServeFlags,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const name = tokenEnv ?? tokenVariable;
  const token = environment[name]?.trim();
  if (tokenEnv === undefined && token === undefined) return undefined;
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new InputError({
    code: 'no-token',
    message:
      token === undefined || token === ''
        ? `the variable ${name} holds no token`
        : `the token in ${name} has characters that a header cannot carry`,
    fix:
      tokenEnv === undefined
        ? `Set ${name} to a token of printable ASCII characters, or unset it to serve without one.`
        : `Set ${name} to a token of printable ASCII characters, such as the output of openssl rand -hex 32.`,
  });
}

function port(text: string): number {
  const value = whole(0)(text);
  if (value > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535.');
  return value;
}

function whole(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least)) throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
    return value;
  };
}

function names(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

const milliseconds: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function duration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(us|ms|s|m)?$/.exec(text) ?? [];
  const factor = milliseconds[unit];
  if (number === '' || (factor === undefined && Number(number) !== 0)) {
    throw new InvalidArgumentError('expected a time with its unit: 100us, 500ms, 5s or 2m.');
  }
  return Number(number) * (factor ?? 0);
}

const bytes: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

function size(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)(kb|mb|gb)$/i.exec(text) ?? [];
  const factor = bytes[unit.toLowerCase()];
  if (factor === undefined || Number(number) === 0)
    throw new InvalidArgumentError('expected a size such as 512KB or 64MB.');
  return Number(number) * factor;
}

function workers(text: string): number | 'auto' {
  return text === 'auto' ? 'auto' : whole(1)(text);
}

function accuracy(text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const [, model, value] = /^(.+)=(\d*\.?\d+)$/.exec(text) ?? [];
  if (model === undefined || !(Number(value) <= 1)) {
    throw new InvalidArgumentError('expected a model and a share from 0 to 1, such as churn=0.93.');
  }
  return { ...before, [model]: Number(value) };
}
