import type { DuckDBConnection } from '@duckdb/node-api';
import type { Host } from '../host/index.ts';
import type { loadDuckDb } from '../native/index.ts';
import { excerpt, printable } from '../text/index.ts';
import type { ColumnValues } from './column-values.ts';
import { openSealedDatabase } from './own-database.ts';
import { quoteIdentifier } from './quoting.ts';
import { readTree } from './row-expression-tree.ts';
import { rowNumberColumn } from './table.ts';

/** What an expression reads: a column's name and its values, row by row. */
export type ExpressionColumn = readonly [name: string, values: Pick<ColumnValues, 'kind' | 'values'>];

/** What an expression is made of, or why it is none that may be evaluated. */
export type ReadExpression = { readonly columns: readonly string[] } | { readonly refused: string };

/** The numbers an expression gives; NaN where it gives none. Or why it cannot be evaluated on these rows. */
export type ExpressionValues = { readonly values: Float64Array } | { readonly refused: string };

/** As the policy's schema has it. */
const longestExpression = 2000;

/** Rows in the sandbox at a time. */
const blockRows = 65_536;
/** The most that DuckDB takes into one chunk. */
const chunkRows = 2048;

const table = 'evaluation rows';
const statementOf = (sql: string) => `SELECT (\n${sql}\n) AS value FROM ${quoteIdentifier(table)}`;

/** A place to evaluate expressions of others in: DuckDB without files, network, extensions or settings that can be changed. */
export interface ExpressionSandbox extends AsyncDisposable {
  /** The names that an expression reads, in its own spelling, without evaluating anything. */
  read(sql: string): Promise<ReadExpression>;
  /** Evaluates an expression on every row. `columns` are all that it can see. */
  evaluate(sql: string, columns: readonly ExpressionColumn[], rows: number): Promise<ExpressionValues>;
}

/** Starts DuckDB in memory with nothing in it and no way out. */
export async function openExpressionSandbox(options: { readonly host?: Host } = {}): Promise<ExpressionSandbox> {
  const settings = {
    memory_limit: '1GB',
    threads: '1',
    temp_directory: '',
  };
  const { duckdb, instance, connection } = await openSealedDatabase(settings, options.host);

  const read = async (sql: string): Promise<ReadExpression> => {
    if (sql.length > longestExpression) return { refused: `it is longer than ${longestExpression} characters` };
    const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR) AS tree', [statementOf(sql)]);
    return readTree(JSON.parse(String(reader.getRowObjectsJS()[0]?.['tree'])), table);
  };

  return {
    read,
    async evaluate(sql, columns, rows) {
      // Checked again here, so that nothing unchecked can be evaluated by mistake.
      const checked = await read(sql);
      if ('refused' in checked) return checked;
      // DuckDB knows names of its own: rowid, current_user.
      const known = new Set(columns.map(([name]) => name.toLowerCase()));
      const unknown = checked.columns.find((name) => !known.has(name.toLowerCase()));
      if (unknown !== undefined) return { refused: `it reads "${excerpt(unknown, 40)}", which is no column` };
      const types = columns.map(([, { kind }]) => (kind === 'number' ? 'DOUBLE' : 'VARCHAR'));
      // A table needs a column, and a constant needs none.
      const declared = [
        `${quoteIdentifier(rowNumberColumn)} DOUBLE`,
        ...columns.map(([name], at) => `${quoteIdentifier(name)} ${types[at]}`),
      ];
      const values = new Float64Array(rows);
      try {
        await connection.run(`CREATE OR REPLACE TABLE ${quoteIdentifier(table)} (${declared.join(', ')})`);
        const described = await connection.runAndReadAll(`DESCRIBE ${statementOf(sql)}`);
        const type = String(described.getRowObjectsJS()[0]?.['column_type']);
        if (!/^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type)) {
          return { refused: `it gives ${excerpt(type, 40)}, not a number` };
        }
        for (let from = 0; from < rows; from += blockRows) {
          const to = Math.min(rows, from + blockRows);
          await connection.run(`DELETE FROM ${quoteIdentifier(table)}`);
          await fill(duckdb, connection, columns, from, to);
          const result = await connection.stream(`SELECT CAST(value AS DOUBLE) FROM (${statementOf(sql)})`);
          let row = from;
          for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; ) {
            const vector = chunk.getColumnVector(0);
            for (let at = 0; at < chunk.rowCount; at++) values[row++] = numberOf(vector.getItem(at));
            chunk = await result.fetchChunk();
          }
          if (row !== to) return { refused: `it gives ${row - from} values for ${to - from} rows` };
        }
        return { values };
      } catch (error) {
        return { refused: wordsOf(error) };
      }
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function fill(
  duckdb: Awaited<ReturnType<typeof loadDuckDb>>,
  connection: DuckDBConnection,
  columns: readonly ExpressionColumn[],
  from: number,
  end: number,
): Promise<void> {
  const types = [duckdb.DOUBLE, ...columns.map(([, { kind }]) => (kind === 'number' ? duckdb.DOUBLE : duckdb.VARCHAR))];
  const appender = await connection.createAppender(table);
  try {
    for (let at = from; at < end; at += chunkRows) {
      const to = Math.min(end, at + chunkRows);
      const chunk = duckdb.DuckDBDataChunk.create(types, to - at);
      chunk.setColumnValues(
        0,
        Array.from({ length: to - at }, (_, row) => at + row),
      );
      for (const [index, [, { values }]] of columns.entries()) {
        const block: Iterable<number | string | null> = values.slice(at, to);
        // A column's reader makes NaN of an empty value; SQL knows an empty value, and `coalesce` needs it.
        chunk.setColumnValues(
          index + 1,
          Array.from(block, (value) => (Number.isNaN(value) ? null : value)),
        );
      }
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

/** The first line of DuckDB's words, which say the rest of the statement after it. */
function wordsOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return excerpt(printable(line), 160);
}
