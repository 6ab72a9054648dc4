import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import type { Host } from '../host/index.ts';
import { DataError } from '../problem/index.ts';
import { columnTypeOf } from './column-type.ts';
import { loadCsv } from './csv-file.ts';
import { digestFile } from './digest.ts';
import { dataErrorOf, spillPrefix } from './duckdb-error.ts';
import { loadJsonLines } from './json-lines-file.ts';
import { type LocatedFile, locateSource } from './located-source.ts';
import { openDatabase } from './own-database.ts';
import { openParquet } from './parquet-file.ts';
import { type PrivateDirectory, privateDirectory } from './private-directory.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import type { Relation } from './relation.ts';
import type { SourceOptions } from './source-file.ts';
import { type SourceLimits, sourceLimits } from './source-limits.ts';
import { type DigestedTable, rowNumberColumn, type Table } from './table.ts';
import { type OpenedFile, uniteRelations } from './united-relation.ts';

export interface EngineOptions {
  readonly host?: Host;
  /** Memory DuckDB may take before it goes to disk: `2GB`. @default 2GB */
  readonly memoryLimit?: string;
  /** @default the number of processors */
  readonly threads?: number;
  /**
   * The only directories DuckDB itself may read, whatever SQL it is given; no network, no extension, no setting can be changed. Without
   * it every local file may be opened. Where they are still being found out, DuckDB starts meanwhile.
   */
  readonly directories?: readonly string[] | Promise<readonly string[]>;
  /** What a source may bring onto the disk when it is downloaded or unpacked. @default `sourceLimits` */
  readonly limits?: SourceLimits;
}

export interface OpenOptions extends SourceOptions {
  /** Columns of a CSV to keep as text although they look like numbers or dates. Names that are not there are ignored. */
  readonly text?: readonly string[];
}

/** A database that lives as long as a run. */
export interface Engine extends AsyncDisposable {
  /**
   * Opens CSV, JSON lines or Parquet: a file, the files a pattern matches as one table, `s3://` objects, or what a `.dvc` file points to.
   * Throws a `DataError` with one problem that names file, line and fix.
   */
  open(file: string, options?: OpenOptions): Promise<DigestedTable>;
  /** The same, for who asks about the rows at once: the digest is worked out meanwhile. */
  openAhead(file: string, options?: OpenOptions): Promise<{ readonly table: Table; readonly sha256: Promise<string> }>;
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
  const found = Promise.resolve(options.directories);
  // It is asked for below, and may fail before.
  found.catch(() => undefined);
  const own = await privateDirectory(spillPrefix);
  const directory = own.path;
  const settings = {
    memory_limit: options.memoryLimit ?? '2GB',
    threads: String(options.threads ?? availableParallelism()),
    temp_directory: join(directory, 'spill'),
    max_temp_directory_size: '20GB',
  };
  const { instance, connection } = await openDatabase(settings, options.host).catch(async (error: unknown) => {
    await own.remove();
    throw error;
  });
  const engine = new DuckDbEngine(instance, connection, own, options.limits ?? sourceLimits);
  try {
    const directories = await found;
    if (directories !== undefined) {
      const allowed = await Promise.all(
        // What was downloaded or unpacked lies in the engine's own.
        [...directories, directory].map(async (path) => `${await realpath(path)}${sep}`),
      );
      await connection.run(`SET allowed_directories = [${allowed.map(quoteLiteral).join(', ')}]`);
      await connection.run('SET enable_external_access = false');
    }
    await connection.run('SET lock_configuration = true');
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

class DuckDbEngine implements Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #directory: PrivateDirectory;
  /** Canonical path of each open file, and what to call it. */
  readonly #files = new Map<string, string>();
  #opened = 0;
  readonly #limits: SourceLimits;

  constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    directory: PrivateDirectory,
    limits: SourceLimits,
  ) {
    this.#limits = limits;
    this.#instance = instance;
    this.#connection = connection;
    this.#directory = directory;
  }

  async open(file: string, options: OpenOptions = {}): Promise<DigestedTable> {
    const { table, sha256 } = await this.openAhead(file, options);
    return { ...table, sha256: await sha256 };
  }

  async openAhead(
    file: string,
    options: OpenOptions = {},
  ): Promise<{ readonly table: Table; readonly sha256: Promise<string> }> {
    const name = `source ${++this.#opened}`;
    const folder = join(this.#directory.path, `brought ${this.#opened}`);
    await mkdir(folder, { mode: 0o700 });
    const source = await locateSource(file, options, folder, this.#limits);
    const run = (sql: string) => this.#run(sql);
    const opened: OpenedFile[] = [];
    for (const [index, located] of source.files.entries()) {
      const relation = await this.#load(located, `${name} rows ${index}`, options);
      opened.push({ name: located.stored.name, relation });
    }
    const [{ stored }] = source.files;
    const shown = source.files.length === 1 ? stored.name : source.name;
    const paths = source.files.map(({ plain }) => plain.path);
    for (const { plain, stored } of source.files) this.#files.set(plain.path, stored.name);
    const sql = quoteIdentifier(name);
    try {
      await run(`CREATE VIEW ${sql} AS ${await uniteRelations(run, opened, source.partitions)}`);
      const described = await run(`SELECT column_name, column_type FROM (DESCRIBE ${sql})`);
      const columns = described
        .map((row) => ({ name: String(row['column_name']), sqlType: String(row['column_type']) }))
        .filter((column) => column.name !== rowNumberColumn)
        .map((column) => ({ ...column, type: columnTypeOf(column.sqlType) }));
      const files = opened.map(({ name, relation: { rows } }) => ({ file: name, rows }));
      const sha256 = digestOf(opened);
      // Whoever leaves before asking for it leaves its failure too.
      sha256.catch(() => undefined);
      const dialect = opened[0]?.relation.dialect;
      const table: Table = {
        file: shown,
        sql,
        columns,
        rows: files.reduce((sum, { rows }) => sum + rows, 0),
        format: stored.format,
        ...(dialect === undefined ? {} : { dialect }),
        ...(files.length > 1 ? { files } : {}),
      };
      return { table, sha256 };
    } catch (error) {
      if (error instanceof DataError) throw error;
      throw dataErrorOf(error, { file: shown }, paths) ?? error;
    }
  }

  /** Opens one file; its digest is that of what is stored. */
  async #load({ stored, plain }: LocatedFile, name: string, options: OpenOptions): Promise<Relation> {
    const run = (sql: string) => this.#run(sql);
    const text = new Set(options.text);
    const relation =
      plain.format === 'csv'
        ? await loadCsv(run, plain, name, text)
        : plain.format === 'jsonl'
          ? await loadJsonLines(run, plain, name, text)
          : await openParquet(run, plain);
    if (stored === plain) return relation;
    await relation.sha256;
    await rm(plain.path);
    return { ...relation, sha256: digestFile(stored.path) };
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
    await this.#directory.remove();
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

/** Of one file its own; of several, of the lines that `sha256sum` would print. */
async function digestOf(files: readonly OpenedFile[]): Promise<string> {
  const [first, ...others] = files;
  if (first !== undefined && others.length === 0) return first.relation.sha256;
  const lines = await Promise.all(files.map(async ({ name, relation }) => `${await relation.sha256}  ${name}\n`));
  return createHash('sha256').update(lines.join('')).digest('hex');
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  return Array.isArray(value) ? value.map(plain) : value;
}
