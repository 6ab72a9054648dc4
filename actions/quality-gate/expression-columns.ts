import { type ExpressionColumn, missingColumn } from '../../core/data/index.ts';
import { DataError, type Place } from '../../core/problem/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';

/**
 * The columns of the evaluation file that an expression names, whatever their case, as SQL has it. Throws a `DataError` that names every
 * column that is not there.
 */
export async function expressionColumns(
  names: readonly string[],
  rows: EvaluationRows,
  place: Place,
): Promise<readonly ExpressionColumn[]> {
  const found = [...new Set(names)].map((name) => ({ name, column: columnNamed(name, rows) }));
  const [first, ...rest] = found
    .filter(({ column }) => column === undefined)
    .map(({ name }) => missingColumn(name, rows.policy.source, rows.table.columns, place));
  if (first !== undefined) throw new DataError([first, ...rest]);
  const columns = [...new Set(found.flatMap(({ column }) => column ?? []))];
  const values = await rows.columns(columns, place);
  return columns.flatMap((name, at): readonly ExpressionColumn[] => {
    const of = values[at];
    return of === undefined ? [] : [[name, of]];
  });
}

/** The file's own spelling of a column. */
export function columnNamed(wanted: string, { table }: EvaluationRows): string | undefined {
  return table.columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())?.name;
}
