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
/** Columns a scan: distinct values are counted exactly, and each column's take memory while they are. */
const columnsAtOnce = 50;

/** Reads what `sluice init` needs to know of a table. */
export async function readTableFacts(engine: Engine, table: Table): Promise<TableFacts> {
  const columns: ColumnFacts[] = [];
  for (let first = 0; first < table.columns.length; first += columnsAtOnce) {
    columns.push(...(await readColumnFacts(engine, table, table.columns.slice(first, first + columnsAtOnce))));
  }
  const names = table.columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const [row = {}] = await engine.query(`SELECT count(DISTINCT hash(${names})) AS distinct_rows FROM ${table.sql}`);
  const duplicateShare = table.rows === 0 ? 0 : 1 - Number(row['distinct_rows']) / table.rows;
  return { table, columns, duplicateShare };
}

async function readColumnFacts(
  engine: Engine,
  table: Table,
  columns: readonly Column[],
): Promise<readonly ColumnFacts[]> {
  const aggregates = columns.flatMap((column, index) => {
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
  const facts: ColumnFacts[] = [];
  for (const [index, column] of columns.entries()) {
    const distinct = Number(row[`distinct_${index}`]);
    const values = isListable(column) && distinct <= fewValues ? await valuesOf(engine, table, column) : [];
    const finite = row[`finite_${index}`] === true;
    facts.push({
      column,
      nulls: Number(row[`nulls_${index}`]),
      distinct,
      ...(finite ? { range: { min: Number(row[`min_${index}`]), max: Number(row[`max_${index}`]) } } : {}),
      ...(values.length === 0 ? {} : { values }),
    });
  }
  return facts;
}

export function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number';
}

function isListable(column: Column): boolean {
  return column.type === 'string' || column.type === 'integer' || column.type === 'boolean';
}

async function valuesOf(engine: Engine, table: Table, column: Column): Promise<NonNullable<ColumnFacts['values']>> {
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
