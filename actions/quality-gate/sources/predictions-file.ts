import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import {
  type ColumnValues,
  type DigestedTable,
  type Engine,
  missingColumn,
  openEngine,
  readColumns,
} from '../../../core/data/index.ts';
import type { PredictionsSource } from '../../../core/policy/index.ts';
import { DataError, type Place } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { type BaseFiles, repositoryRoot } from '../../../github/index.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import { LabelNames } from '../label-names.ts';
import { counted } from '../number-text.ts';
import type { RowPredictor, Task } from '../row-predictor.ts';

/** What the policy says of a file of predictions. */
export interface PredictionsFile {
  readonly source: PredictionsSource;
  /** How messages call it. */
  readonly shown: string;
  readonly place: Place;
  readonly task: Task | undefined;
  readonly classes?: RowPredictor['classes'];
  readonly threshold?: number | undefined;
}

/** The file as it is checked out. */
export async function openPredictions(
  of: PredictionsFile,
  rows: EvaluationRows,
  directory: string,
): Promise<RowPredictor> {
  const path = pathOf(of.source);
  const table = await rows.engine.open(resolve(directory, path), {
    place: of.place,
    name: path,
    within: repositoryRoot(directory),
    text: [],
  });
  return predictorOf(of, table, rows.engine, rows, resolve(directory, path) === resolve(directory, rows.policy.source));
}

/** The file in the base commit; undefined when that has none. */
export async function openPredictionsAtBase(
  of: PredictionsFile,
  base: BaseFiles,
  rows: EvaluationRows,
): Promise<RowPredictor | undefined> {
  const path = pathOf(of.source);
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-predictions-'));
  try {
    const file = join(temporary, basename(path));
    if (!(await base.fetchTo(path, file))) return undefined;
    // The gate's own engine reads nothing outside of the repository.
    await using engine = await openEngine({ directories: [temporary] });
    const table = await engine.open(file, { place: of.place, name: path, within: temporary, text: [] });
    return await predictorOf(of, table, engine, rows, false);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

export function pathOf(source: PredictionsSource): string {
  return typeof source === 'string' ? source : source.path;
}

/**
 * Reads what was predicted, whole: it is as much as the gate holds of any model's predictions. Throws a `DataError` where a column is not there or
 * empty, and where nothing shows that the predictions are of the evaluation rows: by a key, or by the truth beside them, row by row.
 */
async function predictorOf(
  of: PredictionsFile,
  table: DigestedTable,
  engine: Engine,
  rows: EvaluationRows,
  sameFile: boolean,
): Promise<RowPredictor> {
  const { source, shown, place } = of;
  const said = typeof source === 'string' ? { path: source } : source;
  const has = (name: string) => table.columns.some((column) => column.name === name);
  const optional = (named: string | undefined, ...usual: readonly string[]) => named ?? usual.find(has);
  const label = optional(said.label, 'y_pred');
  const scores = said.scores === undefined ? (has('y_score') ? ['y_score'] : []) : [said.scores].flat();
  const value = optional(said.value, ...(of.task === 'ranking' ? ['y_score', 'y_pred'] : ['y_pred', 'y_score']));
  const truth = optional(said.truth, 'y_true', ...[rows.policy.target].flat().slice(0, 1));
  const key = said.key;

  const names = [label, ...scores, value, truth, key].filter((name) => name !== undefined);
  const [missing, ...others] = [...new Set(names)]
    .filter((name) => !has(name))
    .map((name) => missingColumn(name, shown, table.columns, place));
  if (missing !== undefined) throw new DataError([missing, ...others]);
  const columns = await readColumns(engine, table, [...new Set(names)]);
  const task = of.task ?? taskOf(label === undefined ? undefined : columns.get(label), scores.length > 0, of);
  const ofTask =
    task === 'regression' || task === 'ranking' ? [value] : task === 'multilabel' ? scores : [label, ...scores];
  if (ofTask.every((name) => name === undefined)) {
    throw new DataError({
      code: 'no-predictions',
      message: `${excerpt(shown)} has no column of predictions`,
      place,
      found: table.columns
        .map(({ name }) => excerpt(name, 40))
        .slice(0, 12)
        .join(', '),
      expected: 'y_pred, or y_score',
      fix: 'Name them: "predictions: { path: ..., label: predicted, scores: [p_no, p_yes] }".',
    });
  }

  const order = await orderOf({ key, shown, place }, table, columns, rows);
  if (!sameFile && truth === undefined && key === undefined) throw unaligned(shown, place);
  if (!sameFile && truth !== undefined) requireSameTruth(columns.get(truth), { truth, shown, place }, order, rows);

  const at = (row: number) => order?.[row] ?? row;
  const cells = (name: string, from: number, to: number) => {
    const column = columns.get(name);
    return Array.from({ length: to - from }, (_, index) => cellAt(column, at(from + index), name, of));
  };
  const numbers = (name: string, from: number, to: number) => {
    const column = columns.get(name);
    if (column?.kind !== 'number') throw notNumbers(name, of);
    return Float64Array.from({ length: to - from }, (_, index) => column.values[at(from + index)] ?? Number.NaN);
  };
  return {
    task,
    path: shown,
    place,
    columns: [],
    classes: of.classes,
    threshold: of.threshold,
    identity: [table.sha256, source, of.classes, of.threshold],
    async predict({ from, to }) {
      if (task === 'regression' || task === 'ranking') return { values: numbers(value ?? '', from, to) };
      const width = scores.length;
      const each = scores.map((name) => numbers(name, from, to));
      const interleaved = Float64Array.from({ length: (to - from) * width }, (_, index) => {
        return each[index % width]?.[Math.floor(index / width)] ?? Number.NaN;
      });
      return {
        ...(label === undefined || task === 'multilabel' ? {} : { labels: cells(label, from, to) }),
        ...(width === 0 ? {} : { scores: { values: interleaved, width } }),
      };
    },
  };
}

/** By what the columns hold, where neither the policy nor its metrics say. */
function taskOf(label: ColumnValues | undefined, hasScores: boolean, { shown, place }: PredictionsFile): Task {
  if (hasScores || label?.kind === 'string') return 'classification';
  throw new DataError({
    code: 'unknown-task',
    message: `the predictions in ${excerpt(shown)} may be classes or numbers of a regression`,
    place,
    fix: 'Say which: "model: { task: regression }".',
  });
}

/** For each evaluation row, which row of the file is its; undefined: the same one. */
async function orderOf(
  { key, shown, place }: { readonly key: string | undefined; readonly shown: string; readonly place: Place },
  table: DigestedTable,
  columns: ReadonlyMap<string, ColumnValues>,
  rows: EvaluationRows,
): Promise<Int32Array | undefined> {
  if (key === undefined) {
    if (table.rows === rows.table.rows) return undefined;
    throw new DataError({
      code: 'unaligned',
      message: `${excerpt(shown)} is not of the evaluation rows`,
      place,
      found: counted(table.rows, 'row'),
      expected: `${counted(rows.table.rows, 'row')}, as ${excerpt(rows.policy.source)} has`,
      fix: 'Predict every evaluation row, in their order, or name a column that tells rows apart: "key: id".',
    });
  }
  const keys = columns.get(key);
  const spelled = (column: ColumnValues | undefined, row: number) => {
    const cell = column?.values[row];
    return cell === null || cell === undefined || Number.isNaN(cell) ? undefined : String(cell);
  };
  const rowOf = new Map<string, number>();
  for (let row = 0; row < table.rows; row++) {
    const name = spelled(keys, row);
    const before = name === undefined ? undefined : rowOf.get(name);
    if (name === undefined || before !== undefined) {
      throw new DataError({
        code: 'unaligned',
        message: `the key "${excerpt(key)}" of ${excerpt(shown)} does not tell its rows apart`,
        place,
        found:
          name === undefined
            ? `nothing in row ${row + 1}`
            : `${excerpt(name, 40)} in rows ${(before ?? 0) + 1} and ${row + 1}`,
        fix: 'Name a column with another value in each row.',
      });
    }
    rowOf.set(name, row);
  }
  const [wanted] = await rows.columns([key], place);
  const order = new Int32Array(rows.table.rows);
  const lost: number[] = [];
  for (let row = 0; row < order.length; row++) {
    const found = rowOf.get(spelled(wanted, row) ?? '\u0000');
    if (found === undefined) lost.push(row + 1);
    else order[row] = found;
  }
  if (lost.length === 0) return order;
  throw new DataError({
    code: 'unaligned',
    message: `${excerpt(shown)} has no prediction for ${counted(lost.length, 'evaluation row')}`,
    place,
    found: `none for row ${lost.slice(0, 3).join(', ')}${lost.length > 3 ? ', ...' : ''} by "${excerpt(key)}"`,
    fix: 'Predict every evaluation row.',
  });
}

/** The truth that stands beside the predictions is that of the evaluation rows, in every row. */
function requireSameTruth(
  found: ColumnValues | undefined,
  { truth, shown, place }: { readonly truth: string; readonly shown: string; readonly place: Place },
  order: Int32Array | undefined,
  rows: EvaluationRows,
): void {
  const names = new LabelNames(rows.target, [found?.kind === 'number' ? [0] : []]);
  const wrong: number[] = [];
  let count = 0;
  for (let row = 0; row < rows.table.rows; row++) {
    const [here, there] = [rows.target.values[row] ?? '', found?.values[order?.[row] ?? row] ?? ''];
    if (names.of(here) === names.of(there)) continue;
    count++;
    if (wrong.length < 3) wrong.push(row + 1);
  }
  if (count === 0) return;
  throw new DataError({
    code: 'unaligned',
    message: `"${excerpt(truth)}" of ${excerpt(shown)} is not the truth of the evaluation rows in ${counted(count, 'row')}`,
    place,
    found: `another one in row ${wrong.join(', ')}${count > wrong.length ? ', ...' : ''}`,
    fix: 'Predict the rows as they are now, in their order, or name a column that tells rows apart: "key: id".',
  });
}

function unaligned(shown: string, place: Place): DataError {
  return new DataError({
    code: 'unaligned',
    message: `nothing shows that ${excerpt(shown)} is of the evaluation rows, row by row`,
    place,
    expected: 'the truth beside the predictions (y_true), or a key',
    fix: 'Write the truth of each row into a column y_true, or name a column that tells rows apart: "key: id".',
  });
}

function cellAt(column: ColumnValues | undefined, row: number, name: string, of: PredictionsFile): string | number {
  const cell = column?.values[row];
  if (cell !== null && cell !== undefined && !Number.isNaN(cell)) return cell;
  throw new DataError({
    code: 'missing-prediction',
    message: `"${excerpt(name)}" of ${excerpt(of.shown)} is empty in row ${row + 1}`,
    place: of.place,
    fix: 'Predict every row.',
  });
}

function notNumbers(name: string, { shown, place }: PredictionsFile): DataError {
  return new DataError({
    code: 'not-numbers',
    message: `"${excerpt(name)}" of ${excerpt(shown)} holds text, and numbers are needed`,
    place,
    fix: 'Name the column with the numbers.',
  });
}
