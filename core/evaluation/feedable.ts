import {
  type Engine,
  firstUnsafe,
  integerTooLarge,
  isNumeric,
  isWide,
  quoteIdentifier,
  rowNumberColumn,
  type Table,
} from '../data/index.ts';
import type { RunnableType } from '../onnx/index.ts';
import { ModelError } from '../problem/index.ts';
import { counted, excerpt } from '../text/index.ts';
import type { Feeding, NamedModel } from './feeding.ts';

/** Which cells of a column do not fit an input, as a condition of SQL. */
interface Question {
  readonly feeding: Feeding;
  readonly column: string;
  readonly misfit: string;
  readonly problem: 'too-large' | { readonly expected: string };
}

/**
 * Throws where a cell does not fit an input: empty in a type that has no NaN, a fraction in an integer input, out of the integer's range;
 * or an integer that a double cannot hold exactly. Asked of all rows in one scan, before any is fed; of floating-point columns in
 * floating-point inputs nothing needs to be asked. Empty cells in float inputs become NaN, which is how NumPy and pandas hand them over.
 */
export async function requireFeedable(
  engine: Engine,
  table: Table,
  feedings: readonly Feeding[],
  { model, place }: NamedModel,
): Promise<void> {
  const questions = feedings.flatMap((feeding) =>
    feeding.columns.flatMap((column) => questionsOf(feeding, column, table)),
  );
  const counts = await countsOf(questions, engine, table);
  for (const [index, { feeding, column: name, misfit, problem }] of questions.entries()) {
    const count = counts[index] ?? 0;
    if (count === 0) continue;
    const identifier = quoteIdentifier(name);
    const number = quoteIdentifier(rowNumberColumn);
    const found = await engine.query(
      `SELECT ${number} AS "row", ${problem === 'too-large' ? `CAST(${identifier} AS DOUBLE)` : 'NULL'} AS "value" FROM ${table.sql} WHERE ${misfit} ORDER BY ${number} LIMIT 3`,
    );
    const rows = found.map(({ row }) => Number(row));
    if (problem === 'too-large') {
      const column = table.columns.find((each) => each.name === name);
      if (column !== undefined) throw integerTooLarge(column, table, Number(found[0]?.['value']), rows[0] ?? 0);
      continue;
    }
    throw new ModelError({
      code: 'input-value',
      message: `the input "${excerpt(feeding.input)}" of ${excerpt(model)} takes ${feeding.type}, and ${counted(count, 'value')} of the column "${excerpt(name)}" ${count === 1 ? 'does' : 'do'} not fit`,
      place,
      found: `row ${rows.join(', ')}${count > rows.length ? ', ...' : ''}`,
      expected: problem.expected,
      fix: 'Clean the column, or export the model with a float input for it.',
    });
  }
}

/** DuckDB plans a statement in time that grows with the square of what it asks. */
const questionsAtOnce = 500;

async function countsOf(questions: readonly Question[], engine: Engine, table: Table): Promise<readonly number[]> {
  const counts: number[] = [];
  for (let from = 0; from < questions.length; from += questionsAtOnce) {
    const some = questions.slice(from, from + questionsAtOnce);
    const select = some.map(({ misfit }, index) => `count(*) FILTER (WHERE ${misfit}) AS "misfits ${index}"`);
    const [answer] = await engine.query(`SELECT ${select.join(', ')} FROM ${table.sql}`);
    counts.push(...some.map((_, index) => Number(answer?.[`misfits ${index}`])));
  }
  return counts;
}

function questionsOf(feeding: Feeding, name: string, table: Table): readonly Question[] {
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined) return [];
  const questions: Question[] = [];
  const cell = isNumeric(column) ? `CAST(${quoteIdentifier(name)} AS DOUBLE)` : quoteIdentifier(name);
  if (isWide(column)) {
    questions.push({ feeding, column: name, misfit: `abs(${cell}) >= ${firstUnsafe}`, problem: 'too-large' });
  }
  const fits = fitOf(feeding.type, cell);
  if (fits !== undefined) {
    const { expected } = fits;
    questions.push({ feeding, column: name, misfit: `(${fits.condition}) IS NOT TRUE`, problem: { expected } });
  }
  return questions;
}

const bits = { int8: 8, uint8: 8, int16: 16, uint16: 16, int32: 32, uint32: 32, int64: 53, uint64: 53 } as const;

/** Which cells an input of this type can take; undefined when every one fits. */
function fitOf(
  type: RunnableType,
  cell: string,
): { readonly condition: string; readonly expected: string } | undefined {
  if (type === 'string') return { condition: `${cell} IS NOT NULL`, expected: 'text in every row' };
  if (type === 'bool') return { condition: `${cell} IN (0, 1)`, expected: '0, 1, true or false in every row' };
  if (!(type in bits)) return undefined;
  const size = bits[type as keyof typeof bits];
  const unsigned = type.startsWith('u');
  const lowest = unsigned ? 0 : size === 53 ? -(2 ** 53) : -(2 ** (size - 1));
  const highest = size === 53 ? 2 ** 53 : 2 ** (unsigned ? size : size - 1) - 1;
  return {
    // NaN is above every number to DuckDB.
    condition: `${cell} >= ${lowest} AND ${cell} <= ${highest} AND ${cell} = trunc(${cell})`,
    expected: `a whole number${size === 53 ? '' : ` from ${lowest} to ${highest}`} in every row`,
  };
}
