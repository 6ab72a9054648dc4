import { type Column, type Engine, quoteIdentifier, type Table } from '../../core/data/index.ts';

/** What a column holds today, as far as bounds can be set from it. */
export interface ColumnFacts {
  readonly column: Column;
  readonly nulls: number;
  readonly distinct: number;
  /** Numbers only; absent when the column holds none or an infinite one. */
  readonly range?: { readonly min: number; readonly max: number };
  /** All values with their share of the rows that have one, most frequent first; only where there are at most `fewValues`. */
  readonly values?: readonly { readonly value: string | number | boolean; readonly share: number }[];
}

export interface TableFacts {
  readonly table: Table;
  readonly columns: readonly ColumnFacts[];
  /** Rows that repeat an earlier one, as a share of all. */
  readonly duplicateShare: number;
}

const fewValues = 20;

/** Reads what `sluice init` needs to know of a table: one scan for all columns, one for duplicates, one for each column of few values. */
export async function readTableFacts(engine: Engine, table: Table): Promise<TableFacts> {
  const names = table.columns.map((column) => quoteIdentifier(column.name));
  const aggregates = table.columns.flatMap((column, index) => {
    const name = quoteIdentifier(column.name);
    const counts = [`count(*) - count(${name}) AS nulls_${index}`, `count(DISTINCT ${name}) AS distinct_${index}`];
    if (!isNumeric(column)) return counts;
    const value = `CAST(${name} AS DOUBLE)`;
    return [
      ...counts,
      `min(${value}) AS min_${index}`,
      `max(${value}) AS max_${index}`,
      `coalesce(bool_and(isfinite(${value})), false) AS finite_${index}`,
    ];
  });
  const [row = {}] = await engine.query(`SELECT ${aggregates.join(', ')} FROM ${table.sql}`);
  const [duplicates = {}] = await engine.query(
    `SELECT coalesce(sum(n - 1), 0) / greatest(sum(n), 1) AS share FROM (SELECT count(*) AS n FROM ${table.sql} GROUP BY ${names.join(', ')})`,
  );
  const columns: ColumnFacts[] = [];
  for (const [index, column] of table.columns.entries()) {
    const distinct = Number(row[`distinct_${index}`]);
    const values = isListable(column) && distinct <= fewValues ? await valuesOf(engine, table, column) : undefined;
    const finite = row[`finite_${index}`];
    columns.push({
      column,
      nulls: Number(row[`nulls_${index}`]),
      distinct,
      ...(finite === true || finite === 1
        ? { range: { min: Number(row[`min_${index}`]), max: Number(row[`max_${index}`]) } }
        : {}),
      ...(values === undefined || values.length === 0 ? {} : { values }),
    });
  }
  return { table, columns, duplicateShare: Number(duplicates['share'] ?? 0) };
}

export function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number';
}

function isListable(column: Column): boolean {
  return column.type === 'string' || column.type === 'integer' || column.type === 'boolean';
}

async function valuesOf(engine: Engine, table: Table, column: Column): Promise<ColumnFacts['values']> {
  const name = quoteIdentifier(column.name);
  const rows = await engine.query(
    `SELECT ${name} AS value, count(*) / sum(count(*)) OVER () AS share FROM ${table.sql} WHERE ${name} IS NOT NULL GROUP BY ${name} ORDER BY share DESC, value`,
  );
  return rows.map(({ value, share }) => ({
    value:
      typeof value === 'bigint' || typeof value === 'number'
        ? Number(value)
        : typeof value === 'boolean'
          ? value
          : String(value),
    share: Number(share),
  }));
}
