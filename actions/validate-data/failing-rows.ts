import { type Column, type Engine, fileOfRow, rowNumberColumn, type Table } from '../../core/data/index.ts';
import type { FailingRows } from '../../core/report/index.ts';
import { besideTable, type Question, type Reach, reachOf } from './beside.ts';
import type { Dialect } from './dialect.ts';
import type { Measurements } from './measure.ts';
import type { Failing } from './planned-check.ts';
import { masked, type Subject } from './subject.ts';
import { numbersOf, rowsShown } from './take-measures.ts';

/** Checks whose rows are fetched together. */
const checksAtOnce = 100;
/** Columns shown beside a check's own, so that a reader recognizes the row. */
const columnsShown = 6;
const longestValue = 500;

/**
 * The first rows of each failure, in file order: their numbers in one scan for all failures, their values in another that reads
 * nothing but these rows. Sensitive columns are not even read.
 */
export async function sampleFailing(
  engine: Pick<Engine, 'query'>,
  { table, isSensitive }: Pick<Subject, 'table' | 'isSensitive'>,
  failures: readonly Failing[],
  measurements: Measurements,
  dialect: Dialect,
): Promise<readonly FailingRows[]> {
  const samples: FailingRows[] = [];
  for (let from = 0; from < failures.length; from += checksAtOnce) {
    const part = failures.slice(from, from + checksAtOnce);
    const numbers = await firstRows(engine, table, part, measurements, dialect);
    const columns = part.map(({ columns: own }) => withContext(own, table));
    const open = columns.flat().filter((column) => !isSensitive(column));
    const values = await fetchRows(engine, table, numbers.flat(), open, dialect);
    for (const [index, { total, by }] of part.entries()) {
      if (by.kind === 'answer') {
        samples.push({ total, columns: by.columns, rows: by.rows.map((values) => ({ values })) });
        continue;
      }
      const shown = columns[index] ?? [];
      samples.push({
        total,
        columns: shown.map((column) => column.name),
        rows: (numbers[index] ?? []).map((row) => ({
          ...(table.ordered === false ? {} : fileOfRow(table, row)),
          values: shown.map((column) => (isSensitive(column) ? masked : (values.get(row)?.get(column.name) ?? null))),
        })),
      });
    }
  }
  return samples;
}

/** One scan for all failures of a place: rows alone, other tables, the order of rows. */
async function firstRows(
  engine: Pick<Engine, 'query'>,
  table: Table,
  failures: readonly Failing[],
  measurements: Measurements,
  dialect: Dialect,
): Promise<readonly (readonly number[])[]> {
  const row = dialect.identifier(rowNumberColumn);
  const first = new Map<number, readonly number[]>();
  const questions = new Map<Reach, (Question & { readonly index: number })[]>();
  for (const [index, { by, where }] of failures.entries()) {
    if (by.kind === 'copies' || by.kind === 'conflicts') first.set(index, measurements.first(by));
    else if (by.kind === 'listed') first.set(index, by.rows);
    else if (by.kind === 'answer') first.set(index, []);
    else questions.set(reachOf(by), [...(questions.get(reachOf(by)) ?? []), { condition: by, where, index }]);
  }
  for (const asked of questions.values()) {
    const beside = besideTable(table, asked, dialect);
    const lists = asked.map(
      (question) => `${dialect.least(row, rowsShown, beside.breaks(question))} AS f${question.index}`,
    );
    const [answer = {}] = await engine.query(`SELECT ${lists.join(', ')} FROM ${beside.sql}`);
    for (const { index } of asked) first.set(index, numbersOf(answer[`f${index}`]));
  }
  return failures.map((_, index) => first.get(index) ?? []);
}

async function fetchRows(
  engine: Pick<Engine, 'query'>,
  table: Table,
  numbers: readonly number[],
  columns: readonly Column[],
  dialect: Dialect,
): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
  const wanted = [...new Set(numbers)].sort((one, other) => one - other);
  if (wanted.length === 0) return new Map();
  const distinct = [...new Map(columns.map((column) => [column.name, column])).values()];
  const row = dialect.identifier(rowNumberColumn);
  const shown = distinct.map((column, index) => `${dialect.shown(column, longestValue)} AS v${index}`);
  const rows = await engine.query(
    `SELECT ${[`${row} AS r`, ...shown].join(', ')} FROM ${table.sql} WHERE ${row} IN (${wanted.join(', ')})`,
  );
  return new Map(
    rows.map((found) => [
      Number(found['r']),
      new Map(
        distinct.flatMap((column, index): [string, string][] => {
          const value = found[`v${index}`];
          return value === null || value === undefined ? [] : [[column.name, String(value)]];
        }),
      ),
    ]),
  );
}

/** A check's own columns first, then the file's leading ones. */
function withContext(own: readonly Column[], table: Table): readonly Column[] {
  const others = table.columns.filter((column) => !own.some((one) => one.name === column.name));
  return [...own, ...others].slice(0, columnsShown);
}
