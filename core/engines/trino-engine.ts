import type { Table } from '../data/index.ts';
import { isLoopbackHost } from '../http/index.ts';
import { DataError, InputError, PeerError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { decodeTrino } from './decode-value.ts';
import { describedTable } from './described-table.ts';
import { spentWords } from './spent-words.ts';
import type { OpenTableOptions, TableEngine } from './table-engine.ts';
import { tableReference } from './table-reference.ts';
import { TrinoClient } from './trino-client.ts';

/** Where a Trino is and who asks there. */
export interface TrinoPlace {
  readonly url: URL;
  readonly user: string;
  readonly catalog?: string | undefined;
  readonly schema?: string | undefined;
  readonly session?: Readonly<Record<string, string>> | undefined;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca?: string | undefined;
  /** Milliseconds a statement may take. */
  readonly withinMs: number;
  /** TRINO_PASSWORD and TRINO_ACCESS_TOKEN are read here. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly patienceMs?: number;
  /** Told how many of a statement's parts are done. */
  readonly progress?: (done: number, total: number) => void;
}

/** Starts no connection. Throws an `InputError` where a secret would go over the network unencrypted. */
export function openTrino(place: TrinoPlace): TableEngine {
  const authorization = authorizationOf(place);
  if (authorization !== undefined && place.url.protocol === 'http:' && !isLoopbackHost(place.url.hostname)) {
    throw new InputError({
      code: 'secret-in-the-clear',
      message: `the secret for Trino would go unencrypted to ${place.url.origin}`,
      expected: 'https://',
      fix: 'Write https:// in engines.trino.url, or take TRINO_PASSWORD and TRINO_ACCESS_TOKEN away from the step.',
    });
  }
  const client = new TrinoClient({
    server: {
      url: place.url,
      headers: authorization === undefined ? {} : { authorization },
      ...(place.ca === undefined ? {} : { ca: place.ca }),
      timeoutMs: 60_000,
      maxAnswerBytes: 256 * 2 ** 20,
    },
    session: { user: place.user, catalog: place.catalog, schema: place.schema, properties: place.session },
    withinMs: place.withinMs,
    ...(place.patienceMs === undefined ? {} : { patienceMs: place.patienceMs }),
  });
  return new TrinoEngine(client, place.progress);
}

class TrinoEngine implements TableEngine {
  readonly #client: TrinoClient;
  readonly #progress: ((done: number, total: number) => void) | undefined;
  #statements = 0;
  #bytes = 0;

  constructor(client: TrinoClient, progress: ((done: number, total: number) => void) | undefined) {
    this.#client = client;
    this.#progress = progress;
  }

  async open(name: string, options: OpenTableOptions = {}): Promise<Table> {
    const reference = tableReference(name);
    try {
      const { columns } = await this.#ask(`SELECT * FROM ${reference} LIMIT 0`);
      const { rows } = await this.#ask(`SELECT count(*) FROM ${reference}`);
      return describedTable(`trino:${name}`, reference, columns, Number(rows[0]?.[0]));
    } catch (error) {
      throw atTable(error, name, options);
    }
  }

  async query(sql: string): Promise<readonly Record<string, unknown>[]> {
    const { columns, rows } = await this.#ask(sql);
    return rows.map((row) =>
      Object.fromEntries(columns.map(({ name, type }, index) => [name, decodeTrino(row[index], type)])),
    );
  }

  cancel(): Promise<void> {
    return this.#client.cancel();
  }

  spent(): string {
    return spentWords(this.#statements, this.#bytes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  async #ask(sql: string) {
    const answer = await this.#client.query(sql, this.#progress);
    this.#statements++;
    this.#bytes += answer.bytes;
    return answer;
  }
}

/** What is wrong with a table is a problem of the data, at the policy's line. */
export function atTable(error: unknown, name: string, { place }: OpenTableOptions): unknown {
  if (!(error instanceof PeerError)) return error;
  const [problem] = error.problems;
  if (problem.code !== 'missing-table' && problem.code !== 'table-forbidden') return error;
  return new DataError({
    ...problem,
    message: `${problem.message}: ${excerpt(name)}`,
    ...(place === undefined ? {} : { place }),
  });
}

function authorizationOf({ user, environment }: TrinoPlace): string | undefined {
  const token = environment['TRINO_ACCESS_TOKEN'] ?? '';
  const password = environment['TRINO_PASSWORD'] ?? '';
  if (token !== '' && password !== '') {
    throw new InputError({
      code: 'two-secrets',
      message: 'both TRINO_PASSWORD and TRINO_ACCESS_TOKEN are set',
      fix: 'Set the one that Trino is to be asked with.',
    });
  }
  if (token !== '') return `Bearer ${token}`;
  return password === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
