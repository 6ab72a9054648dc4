import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../host/index.ts';
import { SluiceError } from '../problem/index.ts';
import { excerpt, printable } from '../text/index.ts';
import { spillPrefix } from './duckdb-error.ts';
import type { Engine } from './engine.ts';
import { openSealedDatabase } from './own-database.ts';
import { quoteIdentifier } from './quoting.ts';
import { refusalOf } from './select-tree.ts';
import { rowNumberColumn, type Table } from './table.ts';

export interface SandboxLimits {
  /** Of one SELECT. @default 60 */
  readonly seconds?: number;
  /** Of the tables and the SELECT together, before it goes to disk. @default 2GB */
  readonly memoryLimit?: string;
  /** What may go to disk of them. @default 10GB */
  readonly spillLimit?: string;
}

/** What a SELECT found. */
export interface SelectedRows {
  /** Rows of the table "data", each counted once; where the answer does not say which those are, rows of the answer. */
  readonly total: number;
  /** The first of them by their numbers. Undefined where the answer does not say which rows of "data" it holds. */
  readonly rows?: readonly number[];
  /** The answer's own columns and first rows, where it does not hold rows of "data". */
  readonly answer?: { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] };
}

/** A place to run SELECTs of others in. */
export interface SelectSandbox extends AsyncDisposable {
  /** Why a text is no SELECT that may be run on tables of these names; undefined where it is. Nothing is run. */
  refusal(sql: string, tables: readonly string[]): Promise<string | undefined>;
  /** Runs it on copies of the tables, or says why it cannot. */
  select(sql: string, tables: ReadonlyMap<string, Table>): Promise<SelectedRows | { readonly refused: string }>;
}

const rowsTold = 10;
const longestValue = 500;

/**
 * Starts a DuckDB of its own, in memory: no file, no network, no extension and no setting can be reached from it, so that even a SELECT
 * that got past the reading of its parts would find nothing but the tables. They are copied from `engine`, which can read files.
 */
export async function openSelectSandbox(
  engine: Pick<Engine, 'chunks'>,
  { host, seconds = 60, memoryLimit = '2GB', spillLimit = '10GB' }: SandboxLimits & { readonly host?: Host } = {},
): Promise<SelectSandbox> {
  const directory = await mkdtemp(join(tmpdir(), spillPrefix));
  const settings = {
    memory_limit: memoryLimit,
    temp_directory: join(directory, 'spill'),
    max_temp_directory_size: spillLimit,
  };
  const { instance, connection } = await openSealedDatabase(settings, host);
  const loaded = new Map<string, string>();

  const parse = async (sql: string): Promise<string> => {
    const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR) AS tree', [sql]);
    return String(reader.getRowObjectsJS()[0]?.['tree']);
  };
  const refusal = async (sql: string, tables: readonly string[]) =>
    refusalOf(JSON.parse(await parse(sql)), new Set(tables));

  const load = async (name: string, table: Table): Promise<void> => {
    if (loaded.get(name) === table.sql) return;
    const columns = [
      ...table.columns.map((column) => `${quoteIdentifier(column.name)} ${column.sqlType}`),
      `${quoteIdentifier(rowNumberColumn)} BIGINT`,
    ];
    await connection.run(`CREATE OR REPLACE TABLE ${quoteIdentifier(name)} (${columns.join(', ')})`);
    const appender = await connection.createAppender(name);
    const names = table.columns.map((column) => quoteIdentifier(column.name));
    const number = `CAST(${quoteIdentifier(rowNumberColumn)} AS BIGINT)`;
    try {
      for await (const chunk of engine.chunks(`SELECT ${[...names, number].join(', ')} FROM ${table.sql}`))
        appender.appendDataChunk(chunk);
      appender.flushSync();
    } finally {
      close(appender);
    }
    loaded.set(name, table.sql);
  };

  const limited = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const timer = setTimeout(() => connection.interrupt(), seconds * 1000);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    refusal,
    async select(sql, tables) {
      // Checked again here, so that nothing unchecked can be run by mistake.
      const tree = await parse(sql);
      const refused = refusalOf(JSON.parse(tree), new Set(tables.keys()));
      if (refused !== undefined) return { refused };
      try {
        for (const [name, table] of tables) await load(name, table);
        return await limited(async () => {
          // What was judged is what is run: the parser's reading, written out again.
          const written = await connection.runAndReadAll('SELECT json_deserialize_sql($1::JSON) AS statement', [tree]);
          const statement = String(written.getRowObjectsJS()[0]?.['statement']).replace(/;\s*$/, '');
          const described = await connection.runAndReadAll(`DESCRIBE ${statement}`);
          const columns = described.getRowObjectsJS().map((row) => String(row['column_name']));
          return columns.includes(rowNumberColumn)
            ? await rowsOfData(statement, (text) => connection.runAndReadAll(text))
            : await rowsOfAnswer(statement, columns, (text) => connection.runAndReadAll(text));
        });
      } catch (error) {
        // What is wrong with a file is for whoever reads it.
        if (error instanceof SluiceError) throw error;
        return { refused: wordsOf(error, seconds) };
      }
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Closing flushes, and fails again where rows did not fit; that was said already. */
function close(appender: { closeSync(): void }): void {
  try {
    appender.closeSync();
  } catch {
    // Nothing more can be written.
  }
}

type Ask = (sql: string) => Promise<{ getRowObjectsJS(): readonly Readonly<Record<string, unknown>>[] }>;

async function rowsOfData(statement: string, ask: Ask): Promise<SelectedRows> {
  const row = quoteIdentifier(rowNumberColumn);
  const reader = await ask(`
    WITH failing AS MATERIALIZED (SELECT DISTINCT ${row} AS r FROM (${statement}\n) AS answer WHERE ${row} IS NOT NULL)
    SELECT r, (SELECT count(*) FROM failing) AS total FROM failing ORDER BY r LIMIT ${rowsTold}`);
  const rows = reader.getRowObjectsJS();
  return { total: Number(rows[0]?.['total'] ?? 0), rows: rows.map(({ r }) => Number(r)) };
}

async function rowsOfAnswer(statement: string, columns: readonly string[], ask: Ask): Promise<SelectedRows> {
  const names = columns.map((_, index) => `c${index}`);
  const values = names.map((name) => `left(CAST(${name} AS VARCHAR), ${longestValue}) AS ${name}`);
  const reader = await ask(`
    WITH answer(${names.join(', ')}) AS MATERIALIZED (${statement}\n)
    SELECT ${values.join(', ')}, (SELECT count(*) FROM answer) AS total FROM answer LIMIT ${rowsTold}`);
  const rows = reader.getRowObjectsJS();
  return {
    total: Number(rows[0]?.['total'] ?? 0),
    answer: {
      columns,
      rows: rows.map((row) => names.map((name) => (row[name] === null ? null : String(row[name])))),
    },
  };
}

/** The first line of DuckDB's words, which say the rest of the statement after it; none of them holds a value of the data. */
function wordsOf(error: unknown, seconds: number): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  if (/interrupt/i.test(line)) return `it takes longer than ${seconds} seconds`;
  if (/out of memory|failed to offload/i.test(line)) return 'it takes more memory than there is for it';
  if (/^(Conversion|Invalid Input|Out of Range) Error/i.test(line))
    return `it cannot be worked out on these rows (${line.split(':')[0]?.toLowerCase()})`;
  return excerpt(printable(line), 160);
}
