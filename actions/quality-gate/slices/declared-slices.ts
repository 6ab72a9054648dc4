import { type ExpressionSandbox, openExpressionSandbox } from '../../../core/data/index.ts';
import {
  type EffectivePolicy,
  isCondition,
  type SliceCondition,
  type SliceCut,
  type SliceDeclaration,
} from '../../../core/policy/index.ts';
import { DataError, type Place, PolicyError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import { expressionColumns } from '../expression-columns.ts';
import { counted } from '../number-text.ts';
import { mostSubsets, type Subset } from '../subsets.ts';
import { type Cut, cutByEdges, cutByValue, intersectionOf, subsetsOf } from './cut.ts';

/** A slice, and the declaration of the policy that it is of. */
export interface DeclaredSlice extends Subset {
  readonly declared: SliceDeclaration;
}

/**
 * The slices that the policy declares, with their rows. Throws a `PolicyError` with the policy's line for a condition that is not one plain
 * expression of a row, a `DataError` for a column that is not there or makes too many slices.
 */
export async function slicesOf(
  { policy }: { readonly policy: EffectivePolicy },
  rows: EvaluationRows,
): Promise<readonly DeclaredSlice[]> {
  const declarations = rows.policy.slices ?? [];
  await using sandbox = declarations.some(isCondition) ? await openExpressionSandbox() : undefined;
  const slices: DeclaredSlice[] = [];
  for (const [index, declared] of declarations.entries()) {
    const path = ['evaluation', 'slices', index];
    const parts =
      sandbox !== undefined && isCondition(declared)
        ? [await rowsWhere(declared, rows, sandbox, policy.placeOf([...path, 'where']))]
        : subsetsOf(await cutOf(declared, rows, policy.placeOf(path)));
    // Two declarations may cut the same column: the same slice is judged once.
    slices.push(
      ...parts
        .filter((part) => !slices.some((known) => known.name === part.name))
        .map((part) => ({ ...part, declared })),
    );
  }
  return slices;
}

/** The rows a condition is true of; as in SQL's WHERE, not those where it is NULL. */
async function rowsWhere(
  { name, where }: SliceCondition,
  rows: EvaluationRows,
  sandbox: ExpressionSandbox,
  place: Place,
): Promise<Subset> {
  const refused = (why: string) =>
    new PolicyError({
      code: 'slice-condition',
      message: `the condition of the slice ${name} may not be evaluated: ${why}`,
      place,
      expected:
        'one SQL condition of a row: columns, numbers, text, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL and plain functions such as lower',
      fix: 'Write such a condition; what needs more belongs into a column of the evaluation file.',
    });
  const read = await sandbox.read(where);
  if ('refused' in read) throw refused(read.refused);
  const columns = await expressionColumns(read.columns, rows, place);
  const found = await sandbox.evaluate(where, columns, rows.table.rows);
  if ('refused' in found) throw refused(found.refused);
  const { values } = found;
  const holds = (value: number) => value !== 0 && !Number.isNaN(value);
  const list = new Int32Array(values.reduce((count, value) => count + (holds(value) ? 1 : 0), 0));
  let at = 0;
  for (let row = 0; row < values.length; row++) if (holds(values[row] ?? 0)) list[at++] = row;
  return { name, rows: list };
}

async function cutOf(declared: SliceDeclaration, rows: EvaluationRows, place: Place): Promise<Cut> {
  const cuts: readonly SliceCut[] = Array.isArray(declared) ? declared : isCondition(declared) ? [] : [declared];
  const each: Cut[] = [];
  for (const cut of cuts) each.push(await oneCut(cut, rows, place));
  const whole = intersectionOf(each);
  if (whole.names.length > mostSubsets) {
    throw new DataError({
      code: 'too-many-slices',
      message: `${cuts.map((cut) => `"${excerpt(columnOf(cut), 40)}"`).join(' and ')} make ${counted(whole.names.length, 'slice')}`,
      place,
      expected: `at most ${mostSubsets}`,
      fix: 'Cut fewer or coarser columns.',
    });
  }
  return whole;
}

async function oneCut(cut: SliceCut, rows: EvaluationRows, place: Place): Promise<Cut> {
  const name = columnOf(cut);
  const [column] = await rows.columns([name], place);
  if (column === undefined) throw new TypeError(`column ${name} was not read`);
  const edges = typeof cut === 'string' ? undefined : cut[name];
  if (edges !== undefined && column.kind === 'string') {
    throw new DataError({
      code: 'slice-type',
      message: `the slice column "${excerpt(name)}" holds text, and edges cut numbers`,
      place,
      fix: `Write the column alone ("- ${excerpt(name, 40)}"): each of its values is a slice then.`,
    });
  }
  if (edges !== undefined) return cutByEdges(name, column, edges);
  const whole = cutByValue(name, column);
  if (whole.names.length > mostSubsets) {
    throw new DataError({
      code: 'too-many-slices',
      message: `the slice column "${excerpt(name)}" has ${counted(whole.names.length, 'value')}`,
      place,
      expected: `at most ${mostSubsets}`,
      fix:
        column.kind === 'number'
          ? `Cut it with edges: "- { ${excerpt(name, 40)}: [0, 25, 65] }".`
          : 'Slice by a coarser column.',
    });
  }
  return whole;
}

function columnOf(cut: SliceCut): string {
  return typeof cut === 'string' ? cut : (Object.keys(cut)[0] ?? '');
}
