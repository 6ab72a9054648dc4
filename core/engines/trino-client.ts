import { type HttpAnswer, type HttpClient, type HttpTarget, openHttp, said } from '../http/index.ts';
import { PeerError, type Problem } from '../problem/index.ts';
import { parseExactly } from './decode-value.ts';
import { Patience } from './patience.ts';
import { interrupted, mostRows, tooManyRows, tooSlow, trinoWords } from './statement-problem.ts';
import { type TrinoColumn, type TrinoPage, type TrinoRefusal, trinoPage } from './trino-answer.ts';
import { trinoProblem } from './trino-problem.ts';

export interface TrinoSession {
  readonly user: string;
  readonly catalog?: string | undefined;
  readonly schema?: string | undefined;
  /** Session properties: `{ query_max_run_time: '10m' }`. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

export interface TrinoClientOptions {
  /** `authorization` alone belongs to its headers. */
  readonly server: HttpTarget;
  readonly session: TrinoSession;
  /** Milliseconds a statement may take; then it is cancelled. */
  readonly withinMs: number;
  /** Milliseconds to go on asking a server that answered before and now does not, or answers 429, 502, 503 or 504. @default 60000 */
  readonly patienceMs?: number;
}

export interface TrinoAnswer {
  readonly columns: readonly TrinoColumn[];
  readonly rows: readonly (readonly unknown[])[];
  readonly bytes: number;
  readonly warnings: readonly string[];
}

/** Statuses that gateways and load balancers answer with and that pass (https://trino.io/docs/current/develop/client-protocol.html). */
const passing = new Set([429, 502, 503, 504]);
/** A statement is put once more when the server no longer knows it: it was restarted. All of ours only read. */
const mostStarts = 3;

/**
 * Trino's client protocol: a statement is posted, and pages are fetched from where each says that the next one is. Every request goes to
 * the server that was named, with only the path of what it says, so that a token cannot be sent anywhere else.
 *
 * Own code, since the official `trino-client` brings axios, reads no numbers beyond 2^53, and neither retries nor bounds anything.
 */
export class TrinoClient implements AsyncDisposable {
  readonly #http: HttpClient;
  readonly #options: TrinoClientOptions;
  readonly #prefix: string;
  /** Where each running statement's next page is, by its id. */
  readonly #running = new Map<string, string>();
  #answered = false;
  #cancelled = false;

  constructor(options: TrinoClientOptions) {
    const { server } = options;
    this.#options = options;
    this.#prefix = server.url.pathname.replace(/\/+$/, '');
    // Paths of answers already have what the server's own URL has before them.
    this.#http = openHttp({ ...server, url: new URL(server.url.origin) });
  }

  /**
   * What a statement answers, whole. Throws a `PeerError` that says why there is none.
   * @param progress is told how many of the statement's parts are done
   */
  async query(sql: string, progress?: (done: number, total: number) => void): Promise<TrinoAnswer> {
    const deadline = performance.now() + this.#options.withinMs;
    for (let start = 1; ; start++) {
      const answer = await this.#once(sql, deadline, start < mostStarts, progress);
      if (answer !== 'lost') return answer;
    }
  }

  /** Ends every statement that runs. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    await Promise.all([...this.#running.values()].map((path) => this.#delete(path)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
    await this.#http[Symbol.asyncDispose]();
  }

  async #once(
    sql: string,
    deadline: number,
    again: boolean,
    progress: ((done: number, total: number) => void) | undefined,
  ): Promise<TrinoAnswer | 'lost'> {
    const rows: (readonly unknown[])[] = [];
    const warnings = new Set<string>();
    const patience = new Patience(this.#options.patienceMs ?? 60_000);
    let columns: readonly TrinoColumn[] = [];
    let page = await this.#page(patience, deadline, () => this.#post(sql));
    if (page === 'lost') throw this.#problem(notTrino(this.#options.server.url));
    const { id } = page;
    try {
      for (;;) {
        columns = page.columns ?? columns;
        rows.push(...(page.data ?? []));
        for (const { message } of page.warnings ?? []) warnings.add(said(message, this.#http.hide));
        const { completedSplits = 0, totalSplits = 0, processedBytes = 0 } = page.stats ?? {};
        progress?.(completedSplits, totalSplits);
        if (page.error !== undefined) {
          // "The server is still starting" comes as the statement's failure.
          if (page.error.errorName !== 'SERVER_STARTING_UP') throw this.#refused(page.error);
          await patience.wait(0, () => this.#refused(page === 'lost' ? {} : (page.error ?? {})));
          return 'lost';
        }
        if (page.nextUri === undefined) return { columns, rows, bytes: processedBytes, warnings: [...warnings] };
        if (rows.length > mostRows) throw this.#problem(tooManyRows(trinoWords));
        const path = this.#pathOf(page.nextUri);
        this.#running.set(id, path);
        page = await this.#page(patience, deadline, () => this.#http.request({ method: 'GET', path }));
        if (page === 'lost') {
          this.#running.delete(id);
          if (again && !this.#cancelled) return 'lost';
          throw this.#problem(forgotten());
        }
      }
    } catch (error) {
      const path = this.#running.get(id);
      if (path !== undefined) await this.#delete(path);
      throw error;
    } finally {
      this.#running.delete(id);
    }
  }

  #post(sql: string): Promise<HttpAnswer> {
    const { user, catalog, schema, properties = {} } = this.#options.session;
    const session = Object.entries(properties).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return this.#http.request({
      method: 'POST',
      path: `${this.#prefix}/v1/statement`,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'x-trino-user': user,
        'x-trino-source': 'sluice',
        'x-trino-time-zone': 'UTC',
        'x-trino-client-capabilities': 'PARAMETRIC_DATETIME',
        ...(catalog === undefined ? {} : { 'x-trino-catalog': catalog }),
        ...(schema === undefined ? {} : { 'x-trino-schema': schema }),
        ...(session.length === 0 ? {} : { 'x-trino-session': session.join(',') }),
      },
      body: sql,
    });
  }

  /** One page, asked for until it comes; `lost`: the server does not know the statement. */
  async #page(patience: Patience, deadline: number, ask: () => Promise<HttpAnswer>): Promise<TrinoPage | 'lost'> {
    for (;;) {
      if (this.#cancelled) throw this.#problem(interrupted(trinoWords));
      if (performance.now() > deadline) throw this.#problem(tooSlow(trinoWords, this.#options.withinMs));
      let problem: Problem;
      let pause = 0;
      try {
        const answer = await ask();
        if (answer.status === 200) {
          patience.renew();
          this.#answered = true;
          return this.#read(answer);
        }
        if (answer.status === 404 || answer.status === 410) return 'lost';
        problem = statusProblem(this.#options.server.url, answer, this.#http);
        if (!passing.has(answer.status)) throw this.#problem(problem);
        pause = 1000 * Number(/^\d{1,2}$/.exec(answer.headers['retry-after'] ?? '')?.[0] ?? 0);
      } catch (error) {
        // A wrong address is told at once; a server that answered before may come back.
        if (!(error instanceof PeerError) || !this.#answered || error.problems[0].code.startsWith('trino-'))
          throw error;
        problem = error.problems[0];
      }
      await patience.wait(pause, () => this.#problem(problem));
    }
  }

  #read(answer: HttpAnswer): TrinoPage {
    let json: unknown;
    try {
      json = parseExactly(Buffer.from(answer.body).toString('utf8'));
    } catch {
      throw this.#problem(notTrino(this.#options.server.url));
    }
    const page = trinoPage.safeParse(json);
    if (!page.success) throw this.#problem(notTrino(this.#options.server.url));
    return page.data;
  }

  #pathOf(nextUri: string): string {
    if (!URL.canParse(nextUri)) throw this.#problem(notTrino(this.#options.server.url));
    const { pathname, search } = new URL(nextUri);
    return `${pathname}${search}`;
  }

  async #delete(path: string): Promise<void> {
    // Who cancels is on the way out: a server that cannot be told ends the statement by itself, after five minutes.
    await this.#http.request({ method: 'DELETE', path, timeoutMs: 5000 }).catch(() => undefined);
  }

  #refused(error: TrinoRefusal): PeerError {
    return this.#problem(trinoProblem(error, this.#http.hide));
  }

  #problem(problem: Problem): PeerError {
    return new PeerError(problem);
  }
}

function statusProblem(url: URL, answer: HttpAnswer, { hide }: HttpClient): Problem {
  const found = said(Buffer.from(answer.body.slice(0, 2000)).toString('utf8'), hide);
  const words = { ...(found === '' ? {} : { found }) };
  switch (answer.status) {
    case 401:
      return {
        code: 'trino-unauthorized',
        message: `Trino at ${url.origin} does not know who asks (HTTP 401)`,
        ...words,
        fix: 'Give the step TRINO_PASSWORD (of the user that the policy names) or TRINO_ACCESS_TOKEN as an environment variable, from a secret.',
      };
    case 403:
      return {
        code: 'trino-forbidden',
        message: `Trino at ${url.origin} does not let this user in (HTTP 403)`,
        ...words,
        fix: 'Let the user of the policy run statements there, or name another one.',
      };
    default:
      return {
        code: passing.has(answer.status) ? 'server-busy' : 'trino-refused',
        message: `Trino at ${url.origin} answers with HTTP ${answer.status}`,
        ...words,
        fix: passing.has(answer.status)
          ? 'Try again when it is well; a gateway in front of it says that it is not.'
          : 'Check that the URL in the policy is that of a Trino coordinator.',
      };
  }
}

function notTrino(url: URL): Problem {
  return {
    code: 'trino-not-here',
    message: `what answers at ${url.origin} does not speak Trino's client protocol`,
    fix: 'Write the URL of the coordinator, such as https://trino.example.com, into engines.trino.url.',
  };
}

function forgotten(): Problem {
  return {
    code: 'trino-lost-statement',
    message: 'Trino no longer knows a statement that it ran',
    fix: 'Its coordinator was restarted more than once, or a gateway sends requests to different ones: have it keep a statement with its coordinator.',
  };
}
