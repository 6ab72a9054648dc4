import type { Engine } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import {
  type DriftPolicy,
  defaultsOf,
  driftBoundsOf,
  type EffectivePolicy,
  policyDefaults,
} from '../../core/policy/index.ts';
import { DataError, type Problem } from '../../core/problem/index.ts';
import { type Check, distinctIds, type Figure, type Notice, type Report } from '../../core/report/index.ts';
import { counted, excerpt } from '../../core/text/index.ts';
import { chooseColumns, type LeftColumn } from './compared-column.ts';
import { type CountedColumn, countedColumns } from './counted-columns.ts';
import { type DrawnColumn, drawnColumn, driftFigures } from './drift-figures.ts';
import { measures } from './drift-measures.ts';
import { type ColumnDistance, distancesOf } from './drift-metrics.ts';
import { type DriftRows, type GivenFiles, openSide } from './drift-rows.ts';
import { driftedShareCheck } from './drifted-share.ts';
import { type DriftJudgement, judgeDrift, type MeasuredBound } from './judge-drift.ts';
import { leftCheck, unmeasured } from './left-columns.ts';

export interface DriftToDetect {
  readonly policy: EffectivePolicy;
  /** What the policy's paths are relative to. Files it names outside the repository are refused. */
  readonly directory: string;
  readonly engine: Engine;
  readonly host: Host;
  readonly given?: GivenFiles;
  /** What given files are relative to. @default directory */
  readonly workingDirectory?: string;
}

/** What a drift check found. */
export interface DriftFound {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
  readonly sources: Report['sources'];
  /** The worst that was shown: a column above its bound to fail, to watch, or neither. */
  readonly drift: 'none' | 'warn' | 'fail';
  /** Columns above their bound to fail, or to watch where they have no other, for sure; the furthest first, at most a hundred. */
  readonly driftedColumns: readonly string[];
  /** Every column that was measured, by every measure. */
  readonly distances: readonly ColumnDistance[];
}

/**
 * Compares the current data with the reference by the policy's `drift`. A bound that is broken is a check with status `fail`; so is what cannot
 * be compared (`error`: a column that is gone or of another type). What cannot even be read is thrown: a `PolicyError` where no file is named,
 * a `DataError` with every problem of both files.
 */
export async function detectDrift(options: DriftToDetect): Promise<DriftFound> {
  const { policy, directory, engine, host, given = {}, workingDirectory = directory } = options;
  const drift = policy.policy.drift ?? {};
  const sides = await bothSides(drift, given, { policy, directory, workingDirectory, engine });
  const { reference, current } = sides;
  const choice = chooseColumns(drift, policy, reference, current);
  host.info(
    `${side('reference', reference)}; ${side('current', current)}; ${counted(choice.compared.length, 'column')} to compare`,
  );
  const { evidence: level } = defaultsOf(policy.policy);
  const measured: MeasuredBound[] = [];
  const left: LeftColumn[] = [...choice.left];
  const drawn: DrawnColumn[] = [];
  const checks: Check[] = [];

  const least = drift.min_rows ?? policyDefaults.drift.min_rows;
  const few = [reference, current].find(({ rows }) => rows < least);
  if (few !== undefined) {
    const why = `${counted(few.rows, 'row')} of ${excerpt(few.table.file)}, fewer than min_rows (${least})`;
    left.push(...choice.compared.map((column): LeftColumn => ({ ...column, status: 'skipped', why })));
  } else {
    const seed = `${reference.table.sha256}/${current.table.sha256}`;
    for await (const column of countedColumns(choice.compared, drift, sides, engine, host)) {
      if ('why' in column) {
        left.push(column);
        continue;
      }
      drawn.push(drawnColumn(column));
      const taken = measureColumn(column, drift, { level, seed, least });
      measured.push(...taken.measured);
      checks.push(...taken.left);
    }
  }
  const judgements = judgeDrift(measured, policy, level);
  const share = driftedShareCheck(drift, judgements, policy, level);
  checks.push(
    ...judgements.map(({ check }) => check),
    ...(share === undefined ? [] : [share]),
    ...unmeasured(drift, choice.compared, policy),
    ...left.map((column) => leftCheck(column)),
  );
  const ids = distinctIds(checks.map(({ id }) => id));
  return {
    checks: checks.map((check, index) => ({ ...check, id: ids[index] ?? check.id })),
    figures: driftFigures(judgements, drawn),
    notices: noticesOf(choice.added, current, policy),
    sources: sourcesOf(reference, current),
    drift: worstOf(judgements, share),
    driftedColumns: driftedColumnsOf(judgements),
    distances: distancesOf(judgements),
  };
}

/** One column by every measure that is asked of it, and where that cannot be. */
function measureColumn(
  counts: CountedColumn,
  drift: DriftPolicy,
  { level, seed, least }: { readonly level: number | 'off'; readonly seed: string; readonly least: number },
): { readonly measured: readonly MeasuredBound[]; readonly left: readonly Check[] } {
  const { column, values } = counts;
  const measured: MeasuredBound[] = [];
  const left: Check[] = [];
  for (const [name, bound] of driftBoundsOf(drift)) {
    const asked = Array.isArray(bound.columns);
    if (Array.isArray(bound.columns) && !bound.columns.includes(column.name)) continue;
    const measure = measures[name];
    if (measure.of === 'values' && values === undefined) {
      const why = `${name} measures numbers, and these are classes`;
      if (asked) left.push(leftCheck({ ...column, status: 'error', why }, name));
      continue;
    }
    if (measure.of === 'values' && values !== undefined && valuesOn(values) < least) {
      const why = `on one side fewer than min_rows (${least}) rows have a number`;
      left.push(leftCheck({ ...column, status: 'skipped', why }, name));
      continue;
    }
    const found = measure.measure(counts, { level, seed: `${seed}/${column.name}/${name}` });
    const numbers = [found.observed, found.interval.estimate, found.interval.lower, found.interval.upper];
    if (numbers.every(Number.isFinite))
      measured.push({ column, measure: name, bound, measured: found, counted: counts.counted[measure.of] });
    else
      left.push(
        leftCheck({ ...column, status: 'error', why: `${name} of these values is no number to judge by` }, name),
      );
  }
  return { measured, left };
}

interface BothSides {
  readonly reference: DriftRows;
  readonly current: DriftRows;
}

async function bothSides(
  drift: DriftPolicy,
  given: GivenFiles,
  context: Parameters<typeof openSide>[3],
): Promise<BothSides> {
  const problems: Problem[] = [];
  const open = async (name: 'reference' | 'current') => {
    try {
      return await openSide(name, drift, given, context);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const reference = await open('reference');
  const current = await open('current');
  const [first, ...others] = problems;
  if (first !== undefined) throw new DataError([first, ...others]);
  if (reference === undefined || current === undefined) throw new RangeError('a side is neither open nor refused');
  return { reference, current };
}

function noticesOf(added: readonly string[], current: DriftRows, policy: EffectivePolicy): readonly Notice[] {
  if (added.length === 0) return [];
  const names = added.slice(0, 8).map((name) => `"${excerpt(name, 40)}"`);
  return [
    {
      level: 'notice',
      message: `${excerpt(current.table.file)} has ${counted(added.length, 'column')} that the reference lacks, not compared: ${names.join(', ')}${added.length > names.length ? ', …' : ''}.`,
      place: policy.placeOf(['drift']),
    },
  ];
}

function sourcesOf(reference: DriftRows, current: DriftRows): Report['sources'] {
  const of = ({ table }: DriftRows) => ({ path: table.file, sha256: table.sha256, rows: table.rows });
  return reference.table.file === current.table.file ? [of(reference)] : [of(reference), of(current)];
}

function worstOf(judgements: readonly DriftJudgement[], share: Check | undefined): DriftFound['drift'] {
  if (share?.status === 'fail' || judgements.some(({ broken }) => broken === 'fail')) return 'fail';
  return share?.status === 'warn' || judgements.some(({ broken }) => broken === 'warn') ? 'warn' : 'none';
}

/** Drifted columns that are handed on by name. */
const mostNamed = 100;

function driftedColumnsOf(judgements: readonly DriftJudgement[]): readonly string[] {
  const beyond = judgements.filter(
    ({ broken, of }) => broken === 'fail' || (broken === 'warn' && of.bound.fail === undefined),
  );
  const excess = ({ of: { bound, measured } }: DriftJudgement) =>
    measured.interval.estimate / (bound.fail ?? bound.warn ?? 1);
  const names = beyond.toSorted((one, other) => excess(other) - excess(one)).map(({ of }) => of.column.name);
  // GitHub keeps a megabyte of outputs.
  return [...new Set(names)].slice(0, mostNamed);
}

function valuesOn({ reference, current }: NonNullable<CountedColumn['values']>): number {
  const sum = (counts: Float64Array) => counts.reduce((all, count) => all + count, 0);
  return Math.min(sum(reference), sum(current));
}

function side(name: string, { table, rows, chosenBy }: DriftRows): string {
  return `${name}: ${excerpt(table.file)}, ${counted(rows, 'row')}${chosenBy.length === 0 ? '' : ` of ${table.rows.toLocaleString('en-US')}`}`;
}
