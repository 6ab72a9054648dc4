import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpAnswer, type HttpClient, type HttpRequest, openHttp } from '../http/index.ts';
import { PeerError, type Place, type Problem, SluiceError } from '../problem/index.ts';
import { excerpt, nearestName, parsedJson } from '../text/index.ts';
import { artifactPath, type Fields, fieldsOf, textOf } from './rest-answer.ts';
import type { TrackingServer } from './tracking-server.ts';

/** A version of a registered model. */
export interface ModelVersion {
  readonly name: string;
  /** MLflow counts them from 1. */
  readonly version: string;
  /** The run that made it; empty when it was registered by hand. */
  readonly run: string;
}

/** A run and the last value of each of its metrics. */
export interface Run {
  readonly id: string;
  /** What MLflow's pages call it. */
  readonly name: string;
  /** `FINISHED`, `RUNNING`, `FAILED`, ... */
  readonly status: string;
  /** Milliseconds of the epoch. */
  readonly startedAt: number;
  /** NaN and infinity are as they were logged. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** A file that was brought. */
export interface Download {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface ReaderOptions {
  /** The policy line that named the server: every problem carries it. */
  readonly place: Place;
  /** Milliseconds one answer may take, a download's aside. @default 30000 */
  readonly timeoutMs?: number;
  /** Milliseconds before another try after an answer that may pass; doubled each time. @default 500 */
  readonly patienceMs?: number;
}

/** More than any answer about one model, run or folder. */
const mostAnswerBytes = 16 * 1024 * 1024;
/** Milliseconds a whole file may take. */
const downloadTimeoutMs = 30 * 60_000;
const tries = 3;
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const api = '/api/2.0/mlflow';
const proxied = '/api/2.0/mlflow-artifacts/artifacts';

/** Starts no connection. Throws an `InputError` for an address that no request may go to. */
export function openMlflow(server: TrackingServer, options: ReaderOptions): MlflowReader {
  return new MlflowReader(server, options);
}

/**
 * A tracking server's REST API (MLflow 2 and 3), as far as it is read here. Everything that keeps an answer from coming, and every answer that
 * is a refusal, is a `PeerError` that says what to do; what may pass (429, 502, 503, 504, a connection that breaks) is tried three times.
 */
export class MlflowReader implements AsyncDisposable {
  /** The server as messages show it: scheme, host and port. */
  readonly origin: string;
  readonly #http: HttpClient;
  readonly #place: Place;
  readonly #patienceMs: number;

  constructor({ url, headers, ca }: TrackingServer, { place, timeoutMs = 30_000, patienceMs = 500 }: ReaderOptions) {
    this.origin = url.origin;
    this.#place = place;
    this.#patienceMs = patienceMs;
    const bare = new URL(url);
    // In the headers already.
    bare.username = '';
    bare.password = '';
    const target = { url: bare, headers, timeoutMs, maxAnswerBytes: mostAnswerBytes };
    this.#http = this.#located(() => openHttp({ ...target, ...(ca === undefined ? {} : { ca }) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  /** The version an alias names. */
  async versionOf(model: string, alias: string): Promise<ModelVersion> {
    const answer = await this.#ask('registered-models/alias', { name: model, alias }, async (refusal) => {
      const problem = {
        code: 'unknown-alias',
        message: `the model "${excerpt(model)}" has no alias "${excerpt(alias)}"`,
      };
      if (!/alias/i.test(refusal)) {
        return {
          code: 'unknown-model',
          message: `${this.origin} has no registered model "${excerpt(model)}"`,
          found: excerpt(refusal, 200),
          fix: 'Register it (mlflow.register_model), or correct the name.',
        };
      }
      const known = await this.#aliasesOf(model);
      const near = nearestName(alias, known);
      return {
        ...problem,
        found: known.length === 0 ? 'no alias at all' : known.map((each) => excerpt(each, 40)).join(', '),
        fix:
          near === undefined
            ? `Set it: mlflow.MlflowClient().set_registered_model_alias(name, alias, version).`
            : `Did you mean "${excerpt(near)}"?`,
      };
    });
    const version = fieldsOf(answer['model_version']);
    return {
      name: textOf(version, 'name') ?? model,
      version: textOf(version, 'version') ?? this.#notMlflow('a model version without a number'),
      run: textOf(version, 'run_id') ?? '',
    };
  }

  /** Where the files of a version are, as a URI of the artifact store. */
  async filesOf({ name, version }: ModelVersion): Promise<string> {
    const answer = await this.#ask('model-versions/get-download-uri', { name, version }, async (refusal) => ({
      code: 'unknown-version',
      message: `${this.origin} has no version ${excerpt(version)} of "${excerpt(name)}"`,
      found: excerpt(refusal, 200),
      fix: 'Point the alias at a version that is there.',
    }));
    return textOf(answer, 'artifact_uri') ?? this.#notMlflow('a version without files');
  }

  async run(id: string): Promise<Run> {
    const answer = await this.#ask('runs/get', { run_id: id }, async (refusal) => ({
      code: 'unknown-run',
      message: `${this.origin} has no run "${excerpt(id)}"`,
      found: excerpt(refusal, 200),
      fix: "Give the run's id, 32 hexadecimal digits in the address of its page.",
    }));
    return this.#runOf(answer['run']);
  }

  /** The run of an experiment that finished and was started last. */
  async latestRun(experiment: string): Promise<Run> {
    const named = await this.#ask('experiments/get-by-name', { experiment_name: experiment }, async (refusal) => ({
      code: 'unknown-experiment',
      message: `${this.origin} has no experiment "${excerpt(experiment)}"`,
      found: excerpt(refusal, 200),
      fix: 'Correct the name: it is the one that mlflow.set_experiment was given.',
    }));
    const id = textOf(fieldsOf(named['experiment']), 'experiment_id') ?? this.#notMlflow('an experiment without an id');
    const found = await this.#json({
      method: 'POST',
      path: `${api}/runs/search`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        experiment_ids: [id],
        filter: "attributes.status = 'FINISHED'",
        order_by: ['attributes.start_time DESC'],
        max_results: 1,
      }),
    });
    const [latest] = Array.isArray(found['runs']) ? found['runs'] : [];
    if (latest === undefined) {
      throw this.#problem({
        code: 'no-run',
        message: `the experiment "${excerpt(experiment)}" has no run that finished`,
        fix: 'Wait for the training to end, or name a run by its id.',
      });
    }
    return this.#runOf(latest);
  }

  /** The names of the files in a folder of the artifact store; folders in it are left out. */
  async list(uri: string): Promise<readonly string[]> {
    const path = this.#pathOf(uri);
    const { status, body } = await this.#request({
      method: 'GET',
      path: `${proxied}?path=${encodeURIComponent(path)}`,
    });
    if (status !== 200) throw this.#refused(status, body);
    const { files } = fieldsOf(parsedJson(new TextDecoder().decode(body)));
    return (Array.isArray(files) ? files : []).flatMap((entry: unknown) => {
      const { path: name, is_dir: folder } = fieldsOf(entry);
      return typeof name === 'string' && folder !== true ? [name] : [];
    });
  }

  /**
   * Brings the file `name` of a folder of the artifact store to `file`, at most `maxBytes` of it; what is there is replaced.
   */
  async download(uri: string, name: string, file: string, maxBytes: number): Promise<Download> {
    const path = `${this.#pathOf(uri)}/${artifactPath(name) ?? this.#outside(name)}`;
    const hash = createHash('sha256');
    let received = 0;
    try {
      const answer = await this.#http.stream({
        method: 'GET',
        path: `${proxied}/${path.split('/').map(encodeURIComponent).join('/')}`,
        timeoutMs: downloadTimeoutMs,
        maxAnswerBytes: maxBytes,
      });
      const { status, chunks } = answer;
      if (status !== 200) {
        const parts: Uint8Array[] = [];
        for await (const { bytes } of chunks) parts.push(bytes);
        if (status === 404 || status === 500) throw this.#missing(name, uri, status);
        throw this.#refused(status, Buffer.concat(parts));
      }
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        for await (const { bytes } of chunks) {
          received += bytes.length;
          hash.update(bytes);
          yield bytes;
        }
      };
      await pipeline(Readable.from(counted()), createWriteStream(file));
    } catch (error) {
      await rm(file, { force: true });
      throw this.#withPlace(error);
    }
    return { bytes: received, sha256: hash.digest('hex') };
  }

  async #aliasesOf(model: string): Promise<readonly string[]> {
    const { registered_model: found } = await this.#ask('registered-models/get', { name: model }, undefined).catch(
      (): Fields => ({}),
    );
    const { aliases } = fieldsOf(found);
    return (Array.isArray(aliases) ? aliases : []).flatMap((each: unknown) => textOf(fieldsOf(each), 'alias') ?? []);
  }

  #runOf(answer: unknown): Run {
    const run = fieldsOf(answer);
    const info = fieldsOf(run['info']);
    const { metrics } = fieldsOf(run['data']);
    const id = textOf(info, 'run_id') ?? this.#notMlflow('a run without an id');
    return {
      id,
      name: textOf(info, 'run_name') ?? id,
      status: textOf(info, 'status') ?? 'UNKNOWN',
      startedAt: Number(info['start_time']),
      metrics: new Map(
        (Array.isArray(metrics) ? metrics : []).flatMap((each: unknown) => {
          const metric = fieldsOf(each);
          const key = textOf(metric, 'key');
          // What is no number in JSON is written as text: "NaN", "Infinity".
          return key === undefined ? [] : [[key, Number(metric['value'] ?? Number.NaN)] as const];
        }),
      ),
    };
  }

  /** The path below the proxy that a URI of the store means. */
  #pathOf(uri: string): string {
    const [, authority = '', rest = ''] = /^mlflow-artifacts:(?:\/\/([^/]*))?(?:\/(.*))?$/s.exec(uri) ?? [];
    const own = authority === '' || authority === new URL(this.origin).host;
    if (!uri.startsWith('mlflow-artifacts:') || !own) {
      throw this.#problem({
        code: 'artifacts-not-proxied',
        message: `${this.origin} does not hand out the files itself`,
        found: excerpt(uri.replace(/\/\/[^/@]*@/, '//***@'), 200),
        expected: 'files under mlflow-artifacts:/',
        fix: 'Start "mlflow server" with --artifacts-destination (and not --no-serve-artifacts), or bring the file in an earlier step and name it.',
      });
    }
    return artifactPath(rest) ?? this.#outside(rest);
  }

  #outside(path: string): never {
    throw this.#problem({
      code: 'artifact-path',
      message: `"${excerpt(path)}" is not a path inside the model's files`,
      fix: 'Write the path from the folder of the model, such as model.onnx.',
    });
  }

  #missing(name: string, uri: string, status: number): PeerError {
    return this.#problem({
      code: 'missing-artifact',
      message: `${this.origin} has no file "${excerpt(name)}" among the model's files`,
      found: `HTTP ${status} under ${excerpt(uri, 200)}`,
      fix: "Look at the version's artifacts in MLflow, and log the model again where its file was removed.",
    });
  }

  /** A question by GET. `unknown` says what is wrong where the server knows no such thing. */
  async #ask(
    method: string,
    parameters: Readonly<Record<string, string>>,
    unknown: ((refusal: string) => Promise<Problem>) | undefined,
  ): Promise<Fields> {
    return this.#json({ method: 'GET', path: `${api}/${method}?${new URLSearchParams(parameters)}` }, unknown);
  }

  async #json(request: HttpRequest, unknown?: (refusal: string) => Promise<Problem>): Promise<Fields> {
    const { status, body } = await this.#request(request);
    const answer = fieldsOf(parsedJson(new TextDecoder().decode(body)));
    if (status === 200) {
      return Object.keys(answer).length > 0 || request.method === 'POST'
        ? answer
        : this.#notMlflow('something other than JSON');
    }
    // MLflow says 400 and INVALID_PARAMETER_VALUE of an alias that is not there.
    const code = textOf(answer, 'error_code');
    const isUnknown = code === 'RESOURCE_DOES_NOT_EXIST' || (code === 'INVALID_PARAMETER_VALUE' && status === 400);
    if (isUnknown && unknown !== undefined) {
      throw this.#problem(await unknown(this.#http.hide(textOf(answer, 'message') ?? code)));
    }
    throw this.#refused(status, body);
  }

  /** The answer of any status, at the last try of several. */
  async #request(request: HttpRequest): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#http.request(request);
        if (attempt >= tries || !passing.has(answer.status)) return answer;
      } catch (error) {
        const broken = error instanceof SluiceError && error.problems[0].code === 'connection-lost';
        if (attempt >= tries || !broken) throw this.#withPlace(error);
      }
      await sleep(this.#patienceMs * 2 ** (attempt - 1));
    }
  }

  #refused(status: number, body: Uint8Array): PeerError {
    const text = new TextDecoder().decode(body);
    const words = textOf(fieldsOf(parsedJson(text)), 'message') ?? text;
    const found = `HTTP ${status}${/^\s*(<|$)/.test(words) ? '' : `: ${excerpt(this.#http.hide(words), 200)}`}`;
    if (status === 401 || status === 403) {
      return this.#problem({
        code: 'mlflow-unauthorized',
        message: `${this.origin} does not let us ${status === 401 ? 'in' : 'read that'}`,
        found,
        fix: 'Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, from secrets of one who may read it. They go only to the server that MLFLOW_TRACKING_URI names.',
      });
    }
    if (status === 404) {
      return this.#problem({
        code: 'not-mlflow',
        message: `${this.origin} does not answer as an MLflow tracking server`,
        found,
        fix: 'Give the address of "mlflow server", with the path it is served below; a scoring server ("mlflow models serve") has no registry.',
      });
    }
    return this.#problem({
      code: 'mlflow-refused',
      message: `${this.origin} refused`,
      found,
      fix: status >= 500 ? "Look into MLflow's log, then run it again." : 'Look into what MLflow says.',
    });
  }

  #notMlflow(what: string): never {
    throw this.#problem({
      code: 'not-mlflow',
      message: `${this.origin} does not answer as an MLflow tracking server`,
      found: what,
      fix: 'Give the address of "mlflow server", with the path it is served below.',
    });
  }

  #problem(problem: Problem): PeerError {
    return new PeerError({ place: this.#place, ...problem });
  }

  #located<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.#withPlace(error);
    }
  }

  #withPlace(error: unknown): unknown {
    if (!(error instanceof SluiceError)) return error;
    const [first, ...rest] = error.problems;
    return new PeerError([{ place: this.#place, ...first }, ...rest.map((each) => ({ place: this.#place, ...each }))]);
  }
}
