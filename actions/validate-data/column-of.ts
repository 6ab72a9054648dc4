import { type Column, missingColumn, type Table } from '../../core/data/index.ts';
import { describeProblem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type Demand, settled } from './planned-check.ts';

/** A demand for each named column; for one that the file lacks, a check that says so and cannot be judged. */
export function eachColumn(
  check: string,
  names: readonly string[],
  table: Table,
  demandOf: (column: Column, name: string) => Demand,
): readonly Demand[] {
  return names.map((columnName) => {
    const name = `${check}[${excerpt(columnName)}]`;
    const column = table.columns.find((candidate) => candidate.name === columnName);
    const demand = column === undefined ? lacking(name, check, [columnName], table) : demandOf(column, name);
    return { ...demand, column: columnName };
  });
}

/** A demand on several columns together. */
export function allColumns(
  check: string,
  names: readonly string[],
  table: Table,
  demandOf: (columns: readonly Column[], name: string) => Demand,
): readonly Demand[] {
  const unique = [...new Set(names)];
  const name = `${check}[${unique.map((one) => excerpt(one)).join(', ')}]`;
  const columns = unique.map((one) => table.columns.find((column) => column.name === one));
  const missing = unique.filter((_, index) => columns[index] === undefined);
  if (missing.length > 0) return [lacking(name, check, missing, table)];
  return [
    demandOf(
      columns.filter((column) => column !== undefined),
      name,
    ),
  ];
}

function lacking(name: string, check: string, missing: readonly string[], table: Table): Demand {
  const messages = missing.map((one) => describeProblem(missingColumn(one, table.file, table.columns)));
  const title = `${missing.map((one) => excerpt(one, 60)).join(', ')} ${check}`;
  return settled(name, title, { outcome: 'unjudged', message: sentence(messages.join(' ')) });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
