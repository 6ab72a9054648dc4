import { resolve } from 'node:path';
import {
  type ColumnBatch,
  type ColumnValues,
  type DigestedTable,
  type Engine,
  missingColumn,
  readBatches,
  readColumns,
} from '../../core/data/index.ts';
import type { EffectivePolicy, Policy } from '../../core/policy/index.ts';
import { DataError, type Place, PolicyError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { repositoryRoot } from '../../github/index.ts';
import { counted } from './number-text.ts';

/** The rows a model is judged on. */
export interface EvaluationRows {
  readonly policy: NonNullable<Policy['evaluation']>;
  readonly table: DigestedTable;
  /** What the table is open in. */
  readonly engine: Engine;
  /** The policy line that names the source. */
  readonly place: Place;
  /** The first of `targets`. */
  readonly target: ColumnValues;
  /** One column a label where the policy names several, else one. */
  readonly targets: readonly { readonly name: string; readonly values: ColumnValues }[];
  /**
   * Whole columns in file order. All but the targets are read anew each time, since of many rows no more than is needed can be held.
   * `place` is where a column that is not there was named.
   */
  columns(names: readonly string[], place?: Place): Promise<readonly ColumnValues[]>;
  /** Columns batch by batch, `rows` each: for what looks at every row and needs none again. */
  batches(names: readonly string[], rows: number): AsyncIterable<ColumnBatch>;
}

/**
 * Opens the evaluation source and reads its target. `text` names columns that the model takes as text although they may look like
 * numbers. Throws when the file lies outside the repository or is empty, lacks a column, or a label is missing.
 */
export async function openEvaluation(
  effective: EffectivePolicy,
  directory: string,
  engine: Engine,
  text: readonly string[] = [],
): Promise<EvaluationRows> {
  const policy = effective.policy.evaluation;
  if (policy === undefined) {
    throw new PolicyError({
      code: 'gate-without-evaluation',
      message: 'metrics and fairness need rows to judge on',
      place: effective.placeOf(['gates']),
      fix: 'Add "evaluation: { source: data/test.csv, target: label }".',
    });
  }
  const place = effective.placeOf(['evaluation', 'source']);
  const table = await engine.open(resolve(directory, policy.source), {
    place,
    name: policy.source,
    within: repositoryRoot(directory),
    text,
  });
  if (table.rows === 0) {
    throw new DataError({
      code: 'no-rows',
      message: `${excerpt(policy.source)} has no rows`,
      place,
      expected: 'at least one row to judge on',
      fix: 'Write the evaluation rows to it, or name another file.',
    });
  }
  const kept = new Map<string, ColumnValues>();
  const columns = async (names: readonly string[], at: Place = place): Promise<readonly ColumnValues[]> => {
    const [first, ...rest] = names
      .filter((name) => !table.columns.some((column) => column.name === name))
      .map((name) => missingColumn(name, policy.source, table.columns, at));
    if (first !== undefined) throw new DataError([first, ...rest]);
    const missing = names.filter((name) => !kept.has(name));
    const read = missing.length === 0 ? kept : await readColumns(engine, table, missing);
    return names.map((name) => {
      const values = kept.get(name) ?? read.get(name);
      if (values === undefined) throw new TypeError(`column ${name} was not read`);
      return values;
    });
  };
  const at = effective.placeOf(['evaluation', 'target']);
  const names = [policy.target].flat();
  const read = await columns(names, at);
  const targets = read.map((values, index) => ({ name: names[index] ?? '', values }));
  for (const { name, values } of targets) {
    kept.set(name, values);
    requireSingleValues(table, { name, source: policy.source }, at);
    requireLabels(values, { name, source: policy.source }, at);
  }
  const [target] = read;
  if (target === undefined) throw new TypeError('the target was not read');
  return {
    policy,
    table,
    engine,
    place,
    target,
    targets,
    columns,
    batches: (wanted, rows) => readBatches(engine, table, wanted, { rows }),
  };
}

interface TargetColumn {
  readonly name: string;
  readonly source: string;
}

/** A list or a record would else be read as the text it is written as. */
function requireSingleValues({ columns }: DigestedTable, { name: target, source }: TargetColumn, place: Place): void {
  const { sqlType = '' } = columns.find(({ name, type }) => name === target && type === 'other') ?? {};
  if (!/\[|^(STRUCT|MAP|UNION|BLOB)\b/.test(sqlType)) return;
  throw new DataError({
    code: 'target-type',
    message: `column "${excerpt(target)}" of ${excerpt(source)} does not hold one label a row`,
    place,
    found: excerpt(sqlType),
    expected: 'numbers, text or booleans',
    fix: 'Write the label into a column of its own.',
  });
}

function requireLabels(target: ColumnValues, policy: TargetColumn, place: Place): void {
  const missing: number[] = [];
  let count = 0;
  if (target.nulls === 0) return;
  for (const [row, value] of target.values.entries()) {
    if (value !== null && !(typeof value === 'number' && Number.isNaN(value))) continue;
    count++;
    if (missing.length < 3) missing.push(row + 1);
  }
  throw new DataError({
    code: 'missing-labels',
    message: `${counted(count, 'label')} of column "${excerpt(policy.name)}" in ${excerpt(policy.source)} ${count === 1 ? 'is' : 'are'} empty or NaN`,
    place,
    found: `row ${missing.join(', ')}${count > missing.length ? ', ...' : ''}`,
    expected: 'a label in every row',
    fix: 'Leave those rows out of the evaluation file, or fill in what is true of them.',
  });
}
