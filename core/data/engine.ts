import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import type { Host } from '../host/index.ts';
import { loadDuckDb } from '../native/index.ts';
import type { DataError } from '../problem/index.ts';
import { columnTypeOf } from './column-type.ts';
import { loadCsv } from './csv-file.ts';
import { dataErrorOf, spillPrefix } from './duckdb-error.ts';
import { openParquet } from './parquet-file.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import { inspectSource, type SourceOptions } from './source-file.ts';
import { rowNumberColumn, type Table } from './table.ts';

export interface EngineOptions {
  readonly host?: Host;
  /** Memory DuckDB may take before it goes to disk: `2GB`. @default 2GB */
  readonly memoryLimit?: string;
  /** @default the number of processors */
  readonly threads?: number;
  /**
   * The only directories DuckDB itself may read, whatever SQL it is given; no network, no extension, no setting can be changed. Without
   * it every local file may be opened.
   */
  readonly directories?: readonly string[];
}

export interface OpenOptions extends SourceOptions {
  /** Columns of a CSV to keep as text although they look like numbers or dates. Names that are not there are ignored. */
  readonly text?: readonly string[];
}

/** A database that lives as long as a run. */
export interface Engine extends AsyncDisposable {
  /** Opens a CSV or Parquet file. Throws a `DataError` with one problem that names file, line and fix. */
  open(file: string, options?: OpenOptions): Promise<Table>;
  /**
   * The rows a statement gives. Integers come as numbers where those are exact, else as bigint; lists as arrays.
   * Throws a `DataError` when a file turns out to be damaged.
   */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** The answer in columns, a few thousand rows at a time, in order: for reading much. */
  chunks(sql: string): AsyncIterable<DuckDBDataChunk>;
  close(): Promise<void>;
}

/** Starts DuckDB in memory, with a private directory to spill to. */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const duckdb = await loadDuckDb(options.host === undefined ? {} : { host: options.host });
  const directory = await mkdtemp(join(tmpdir(), spillPrefix));
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit ?? '2GB',
    threads: String(options.threads ?? availableParallelism()),
    temp_directory: join(directory, 'spill'),
    max_temp_directory_size: '20GB',
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await instance.connect();
  // Timestamps with a zone are compared and shown as UTC wherever the job runs.
  await connection.run("SET TimeZone = 'UTC'").catch(() => undefined);
  if (options.directories !== undefined) {
    const allowed = await Promise.all(options.directories.map(async (path) => `${await realpath(path)}${sep}`));
    await connection.run(`SET allowed_directories = [${allowed.map(quoteLiteral).join(', ')}]`);
    await connection.run('SET enable_external_access = false');
  }
  await connection.run('SET lock_configuration = true');
  return new DuckDbEngine(instance, connection, directory);
}

class DuckDbEngine implements Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #directory: string;
  /** Canonical path of each open file, and what to call it. */
  readonly #files = new Map<string, string>();
  #opened = 0;

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, directory: string) {
    this.#instance = instance;
    this.#connection = connection;
    this.#directory = directory;
  }

  async open(file: string, options: OpenOptions = {}): Promise<Table> {
    const source = await inspectSource(file, options);
    const name = `source ${++this.#opened}`;
    const run = (sql: string) => this.#run(sql);
    const relation =
      source.format === 'csv'
        ? await loadCsv(run, source, `${name} rows`, new Set(options.text))
        : await openParquet(run, source);
    this.#files.set(source.path, source.name);
    const sql = quoteIdentifier(name);
    try {
      await run(
        `CREATE VIEW ${sql} AS SELECT ${[...relation.select, `${relation.rowNumber} AS ${quoteIdentifier(rowNumberColumn)}`].join(', ')} FROM ${relation.from}`,
      );
      const described = await run(`SELECT column_name, column_type FROM (DESCRIBE ${sql})`);
      const columns = described
        .map((row) => ({ name: String(row['column_name']), sqlType: String(row['column_type']) }))
        .filter((column) => column.name !== rowNumberColumn)
        .map((column) => ({ ...column, type: columnTypeOf(column.sqlType) }));
      return { file: source.name, sql, columns, rows: relation.rows, sha256: relation.sha256 };
    } catch (error) {
      throw dataErrorOf(error, { file: source.name }, [source.path]) ?? error;
    }
  }

  async query(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    try {
      return await this.#run(sql, values);
    } catch (error) {
      throw this.#dataError(error) ?? error;
    }
  }

  async *chunks(sql: string): AsyncGenerator<DuckDBDataChunk> {
    // A connection of its own: questions asked meanwhile would end this answer.
    const connection = await this.#instance.connect();
    try {
      // Not `run`, which would hold the whole answer a second time before the first row of it is read.
      const result = await connection.stream(sql);
      for (
        let chunk = await result.fetchChunk();
        chunk !== null && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      ) {
        yield chunk;
      }
    } catch (error) {
      throw this.#dataError(error) ?? error;
    } finally {
      connection.closeSync();
    }
  }

  async close(): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
    await rm(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    const reader = await this.#connection.runAndReadAll(
      sql,
      values === undefined ? undefined : ([...values] as DuckDBValue[]),
    );
    return reader
      .getRowObjectsJS()
      .map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])));
  }

  #dataError(error: unknown): DataError | undefined {
    const text = error instanceof Error ? error.message : '';
    const mentioned = [...this.#files].filter(([path]) => text.includes(path)).map(([, name]) => name);
    const all = [...this.#files.values()];
    const file = mentioned.length === 1 ? mentioned[0] : all.length === 1 ? all[0] : undefined;
    return dataErrorOf(error, file === undefined ? {} : { file }, [...this.#files.keys()]);
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  return Array.isArray(value) ? value.map(plain) : value;
}
