import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { arrayOf, type Feeds, type Outputs, readModelFacts, type Tensor } from '../../../core/onnx/index.ts';
import { durationMs, type EndpointSource, policyDefaults } from '../../../core/policy/index.ts';
import { InputError, ModelError, PeerError, type Place, SluiceError } from '../../../core/problem/index.ts';
import { counted, excerpt } from '../../../core/text/index.ts';
import { repositoryPath } from '../../../github/index.ts';
import type { Answer, Specs, Target, TensorProtocol } from '../../../smoke/index.ts';
import type { RunnableModel } from '../model-run.ts';
import type { SourceOptions } from './judge-predictions.ts';

/** A model behind a server, run as one that is here: the same wiring of columns, the same reading of outputs. */
export interface Endpoint extends RunnableModel, AsyncDisposable {
  /** How messages call it: address and model, nothing secret. */
  readonly shown: string;
}

const mostAnswerBytes = 256 * 1024 * 1024;
const tries = 4;
const passingStatus: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const passingCodes: ReadonlySet<string> = new Set(['connection-lost', 'connection-refused', 'timeout']);
const defaults = policyDefaults.endpoint;

/**
 * Opens a model server and asks it for the inputs and outputs of its model, or reads them off the ONNX file that the policy names. Throws a
 * `SluiceError` that says what to do where the server is not there, is not ready, or nobody says what the model takes.
 */
export async function openEndpoint(
  source: EndpointSource,
  place: Place,
  { directory, host, environment }: Pick<SourceOptions, 'directory' | 'host' | 'environment'>,
): Promise<Endpoint> {
  const target: Target = {
    url: new URL(source.url),
    headers: tokenOf(source, environment, place, (secret) => host.secret(secret)),
    timeoutMs: durationMs(source.timeout ?? defaults.timeout) ?? 30_000,
    maxAnswerBytes: mostAnswerBytes,
    ...(source.model === undefined ? {} : { model: source.model }),
    ...(source.version === undefined ? {} : { version: source.version }),
  };
  const { openProtocol } = await import('../../../smoke/index.ts');
  const name = source.protocol ?? defaults.protocol;
  const protocol = await openProtocol(name, target, source.format === undefined ? {} : { format: source.format });
  const close = () => protocol[Symbol.asyncDispose]();
  try {
    if (protocol.kind !== 'tensor') throw new TypeError(`${name} takes no tensors`);
    const readiness = await protocol.ready();
    if (!readiness.ready) throw new PeerError({ ...readiness.problem, place });
    const specs = await specsOf(source, protocol, place, directory);
    const shown = `${target.url.protocol}//${target.url.host}${source.model === undefined ? '' : `/${source.model}`}${source.version === undefined ? '' : `:${source.version}`}`;
    const sending = new Sending(protocol, specs, source, { shown, place });
    return {
      ...specs,
      shown,
      // One address, model and version is one model, as far as anybody here can tell.
      facts: { sha256: `${name} ${shown}`, externalFiles: [] },
      run: (feeds, names) => sending.run(feeds, names),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function tokenOf(
  { token_env: variable }: EndpointSource,
  environment: SourceOptions['environment'],
  place: Place,
  secret: (value: string) => void,
): Target['headers'] {
  if (variable === undefined) return {};
  const token = environment[variable]?.trim() ?? '';
  if (token === '') {
    throw new InputError({
      code: 'no-token',
      message: `token_env names ${excerpt(variable, 60)}, which is ${environment[variable] === undefined ? 'not set' : 'empty'}`,
      place,
      fix: 'Set it in the workflow under "env:" of this step, from a secret.',
    });
  }
  secret(token);
  return { authorization: `Bearer ${token}` };
}

async function specsOf(
  { signature }: EndpointSource,
  protocol: TensorProtocol,
  place: Place,
  directory: string,
): Promise<Specs> {
  if (signature !== undefined) {
    if (repositoryPath(signature, directory) === undefined) {
      throw new InputError({
        code: 'outside-repository',
        message: `${excerpt(signature)} lies outside of the repository`,
        place,
        fix: 'Name a file inside the repository.',
      });
    }
    const { inputs, outputs } = await readModelFacts(resolve(directory, signature), { place, name: signature });
    return { inputs, outputs };
  }
  const { inputs = [], outputs = [] } = (await protocol.describe()) ?? {};
  if (inputs.length > 0 && outputs.length > 0) return { inputs, outputs };
  throw new ModelError({
    code: 'unknown-signature',
    message: `the server does not tell the inputs and outputs of its model by the protocol ${protocol.name}`,
    place,
    fix: 'Name an ONNX file that has the same ones: "endpoint: { ..., signature: models/churn.onnx }".',
  });
}

/** Requests of a few rows, some at a time, each tried again where that may help. */
class Sending {
  readonly #protocol: TensorProtocol;
  readonly #specs: Specs;
  readonly #rows: number;
  readonly #most: number;
  readonly #named: { readonly shown: string; readonly place: Place };
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  /** What ended one request for good: none is begun after it. */
  #failure: { readonly reason: unknown } | undefined;

  constructor(protocol: TensorProtocol, specs: Specs, source: EndpointSource, named: { shown: string; place: Place }) {
    this.#protocol = protocol;
    this.#specs = specs;
    this.#named = named;
    this.#most = source.concurrency ?? defaults.concurrency;
    // A model that fixes its rows takes no fewer.
    const fixed = specs.inputs.map(({ shape }) => shape[0]).find((size) => typeof size === 'number' && size > 0);
    this.#rows = typeof fixed === 'number' ? Number.POSITIVE_INFINITY : (source.batch ?? defaults.batch);
  }

  async run(feeds: Feeds, names: readonly string[] = this.#specs.outputs.map(({ name }) => name)): Promise<Outputs> {
    const rows = Object.values(feeds)[0]?.dims[0] ?? 0;
    const parts: Promise<Outputs>[] = [];
    for (let from = 0; from < rows; from += this.#rows) {
      const to = Math.min(rows, from + this.#rows);
      const some = to - from === rows ? feeds : mapped(feeds, (tensor) => rowsOf(tensor, from, to, rows));
      parts.push(this.#inTurn(() => this.#send(some, to - from)));
    }
    const settled = await Promise.allSettled(parts);
    if (this.#failure !== undefined) throw this.#failure.reason;
    const answers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    return Object.fromEntries(
      this.#specs.outputs.flatMap(({ name }) => {
        const tensors = names.includes(name) ? answers.flatMap((answer) => answer[name] ?? []) : [];
        if (tensors.length === 0) return [];
        const whole = tensors.length === answers.length ? joined(tensors) : undefined;
        if (whole === undefined) throw this.#uneven(name);
        return [[name, whole] as const];
      }),
    );
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#running >= this.#most) await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#running++;
    try {
      if (this.#failure !== undefined) throw this.#failure.reason;
      return await work();
    } catch (reason) {
      this.#failure ??= { reason };
      throw reason;
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #send(feeds: Feeds, rows: number): Promise<Outputs> {
    for (let attempt = 1; ; attempt++) {
      try {
        // All outputs, whichever are read: answers without names have them in their order.
        const answer: Answer<Outputs> = await this.#protocol.infer(feeds, this.#specs);
        if (answer.value !== undefined) return this.#ofRows(answer.value, rows);
        if (attempt >= tries || !passingStatus.has(answer.status)) throw this.#refused(answer, rows);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        const [problem] = error.problems;
        if (attempt >= tries || !passingCodes.has(problem.code)) {
          throw new PeerError({ place: this.#named.place, ...problem });
        }
      }
      await sleep(100 * 2 ** attempt);
    }
  }

  /** The answer, if it has an entry for each row: two that have one too many and one too few would else become rows of others. */
  #ofRows(outputs: Outputs, rows: number): Outputs {
    return mapped(outputs, (tensor, name) => {
      const { dims, data } = tensor;
      if (dims[0] === rows && (rows === 0 || data.length % rows === 0)) return tensor;
      if (rows === 1 && data.length >= 1) return { ...tensor, dims: [1, ...dims] } as Tensor;
      throw new PeerError({
        code: 'wrong-rows',
        message: `the output "${excerpt(name, 60)}" of ${excerpt(this.#named.shown, 200)} does not have one entry a row`,
        place: this.#named.place,
        found: `${tensor.type} [${dims.slice(0, 8).join(', ')}] for ${counted(rows, 'row')}`,
        expected: `${rows} as the first dimension`,
        fix: 'Serve a model whose outputs have the rows of its inputs as their first dimension; one that takes a single row a request needs "batch: 1".',
      });
    });
  }

  #uneven(name: string): PeerError {
    return new PeerError({
      code: 'uneven-answers',
      message: `the output "${excerpt(name, 60)}" of ${excerpt(this.#named.shown, 200)} is not alike in all answers`,
      place: this.#named.place,
      found: 'another type or width, or none at all, for some of the rows',
      fix: 'See whether several models answer at this address.',
    });
  }

  #refused({ status, refusal }: Answer<Outputs>, rows: number): PeerError {
    return new PeerError({
      code: 'endpoint-refused',
      message: `${excerpt(this.#named.shown, 200)} does not predict ${counted(rows, 'evaluation row')}`,
      place: this.#named.place,
      found: `HTTP ${status}${refusal === undefined ? '' : `: ${excerpt(refusal, 200)}`}`,
      fix:
        status === 401 || status === 403
          ? 'Give a token: "endpoint: { ..., token_env: SLUICE_ENDPOINT_TOKEN }".'
          : 'Look into the log of the server; fewer rows a request: "batch: 8".',
    });
  }
}

function mapped(feeds: Feeds, of: (tensor: Tensor, name: string) => Tensor): Feeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, of(tensor, name)]));
}

function rowsOf(tensor: Tensor, from: number, to: number, rows: number): Tensor {
  const width = tensor.data.length / rows;
  return {
    ...tensor,
    data: tensor.data.slice(from * width, to * width),
    dims: [to - from, ...tensor.dims.slice(1)],
  } as Tensor;
}

/** The answers of several requests as one of all their rows; undefined where they are not of one type and width. */
function joined(tensors: readonly Tensor[]): Tensor | undefined {
  const [first, ...others] = tensors;
  if (first === undefined) throw new TypeError('no tensor to join');
  if (others.length === 0) return first;
  const wide = ({ dims, data }: Tensor) => data.length / (dims[0] ?? 0);
  if (others.some((other) => other.type !== first.type || wide(other) !== wide(first))) return undefined;
  const rows = tensors.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
  const length = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const dims = [rows, ...first.dims.slice(1)];
  if (first.type === 'string') {
    return { type: 'string', data: tensors.flatMap(({ data }) => Array.from(data, String)), dims };
  }
  const data = new (arrayOf[first.type] as new (length: number) => { set(part: unknown, at: number): void })(length);
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  return { ...first, data, dims } as unknown as Tensor;
}
