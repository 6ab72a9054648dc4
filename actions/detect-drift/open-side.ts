import { dirname, resolve } from 'node:path';
import { conditionSql, duckdbLiterals, type Engine, missingColumn } from '../../core/data/index.ts';
import type { DriftRows } from '../../core/drift/index.ts';
import type { DriftPolicy, DriftSide, EffectivePolicy } from '../../core/policy/index.ts';
import { DataError, type Place, PolicyError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { repositoryRoot } from '../../github/index.ts';

export type SideName = 'reference' | 'current';

/** Files that the run names, absolute or relative to its working directory; they take the place of the policy's. */
export interface GivenFiles {
  readonly reference?: string | undefined;
  readonly current?: string | undefined;
}

/** Folders besides the repository that the files of a run lie in. */
export function foldersOf(given: GivenFiles, directory: string): readonly string[] {
  return [given.reference, given.current].flatMap((file) =>
    file === undefined ? [] : [dirname(resolve(directory, file))],
  );
}

/** Whether both sides are known. A policy may leave them to the run. */
export function namesBothSides(drift: DriftPolicy, given: GivenFiles = {}): boolean {
  return (['reference', 'current'] as const).every((side) => (given[side] ?? drift[side]) !== undefined);
}

/**
 * Opens one side. Throws a `PolicyError` when neither the run nor the policy names it, and a `DataError` for a file that cannot be read,
 * conditions that do not fit its columns, and no rows.
 */
export async function openSide(
  side: SideName,
  drift: DriftPolicy,
  given: GivenFiles,
  {
    policy,
    directory,
    workingDirectory,
    engine,
  }: {
    readonly policy: EffectivePolicy;
    /** What the policy's paths are relative to. */
    readonly directory: string;
    /** What the run's are. */
    readonly workingDirectory: string;
    readonly engine: Engine;
  },
): Promise<DriftRows> {
  const place = policy.placeOf(['drift', side]);
  const own: DriftSide | undefined = drift[side];
  const { source, where } =
    typeof own === 'string' ? { source: own, where: undefined } : { source: own?.source, where: own?.where };
  const file = given[side];
  if (file === undefined && source === undefined) {
    throw new PolicyError({
      code: `no-${side}`,
      message: `nothing says what the ${side} data is`,
      place,
      fix: `Write "${side}: data/....parquet" under "drift", or name the file when it runs (input "${side}", flag --${side}).`,
    });
  }
  const table =
    file === undefined
      ? await engine.open(resolve(directory, source ?? ''), {
          name: source ?? '',
          within: repositoryRoot(directory),
          place: policy.placeOf(typeof own === 'string' ? ['drift', side] : ['drift', side, 'source']),
        })
      : await engine.open(resolve(workingDirectory, file), { name: file });
  const conditions = Object.entries(where ?? {});
  if (conditions.length === 0) return filled({ table, sql: table.sql, rows: table.rows, chosenBy: [] }, side, place);

  const problems: Problem[] = [];
  const clauses = conditions.flatMap(([name, condition]) => {
    const at = policy.placeOf(['drift', side, 'where', name]);
    const column = table.columns.find((one) => one.name === name);
    const clause =
      column === undefined
        ? missingColumn(name, table.file, table.columns, at)
        : conditionSql(column, condition, duckdbLiterals, at);
    if (typeof clause === 'string') return [clause];
    problems.push(clause);
    return [];
  });
  const [first, ...others] = problems;
  if (first !== undefined) throw new DataError([first, ...others]);
  const sql = `(SELECT * FROM ${table.sql} WHERE ${clauses.join(' AND ')}) AS "chosen rows"`;
  const [answer = {}] = await engine.query(`SELECT count(*) AS n FROM ${sql}`);
  return filled({ table, sql, rows: Number(answer['n']), chosenBy: conditions.map(([name]) => name) }, side, place);
}

function filled(rows: DriftRows, side: SideName, place: Place): DriftRows {
  if (rows.rows > 0) return rows;
  throw new DataError({
    code: 'no-rows',
    message: `the ${side} data has no rows, and no rows prove nothing`,
    place,
    found: `${excerpt(rows.table.file)}${rows.chosenBy.length === 0 ? '' : `, none of whose ${rows.table.rows} rows meets the conditions`}`,
    fix: rows.chosenBy.length === 0 ? 'Check what writes the file.' : 'Widen "where", or check what writes the file.',
  });
}
