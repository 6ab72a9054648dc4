import type { Engine } from '../../core/data/index.ts';
import {
  chooseColumns,
  type DriftJudgement,
  type DriftRows,
  judgeDrift,
  measureColumns,
  titleOf,
} from '../../core/drift/index.ts';
import type { Host } from '../../core/host/index.ts';
import { type DriftPolicy, defaultsOf, driftBoundsOf, type EffectivePolicy } from '../../core/policy/index.ts';
import { DataError, type Problem } from '../../core/problem/index.ts';
import { type Check, distinctIds, type Figure, type Notice, type Report } from '../../core/report/index.ts';
import { counted, excerpt } from '../../core/text/index.ts';
import { type DrawnColumn, drawnColumn, driftFigures } from './drift-figures.ts';
import { type ColumnDistance, distancesOf } from './drift-metrics.ts';
import { driftedShareCheck } from './drifted-share.ts';
import { leftCheck, unmeasured } from './left-columns.ts';
import { type GivenFiles, openSide } from './open-side.ts';

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
  const choice = chooseColumns(drift, (key) => policy.placeOf(['drift', key]), reference, current);
  host.info(
    `${side('reference', reference)}; ${side('current', current)}; ${counted(choice.compared.length, 'column')} to compare`,
  );
  const { evidence: level } = defaultsOf(policy.policy);
  const drawn: DrawnColumn[] = [];
  const { measured, left } = await measureColumns(
    choice.compared,
    sides,
    { bounds: driftBoundsOf(drift), bins: drift.bins, minRows: drift.min_rows, level },
    { engine, host, counted: (column) => drawn.push(drawnColumn(column)) },
  );
  const judgements = judgeDrift(measured, level, 'drift');
  const share = driftedShareCheck(drift, judgements, policy, level);
  const checks = [
    ...left.filter(({ measure }) => measure !== undefined).map(leftCheck),
    ...judgements.map((judgement) => checkOf(judgement, policy)),
    ...(share === undefined ? [] : [share]),
    ...unmeasured(drift, choice.compared, policy),
    ...[...choice.left, ...left.filter(({ measure }) => measure === undefined)].map(leftCheck),
  ];
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

function checkOf({ of: { column, measure, bound }, found }: DriftJudgement, policy: EffectivePolicy): Check {
  const role = column.role === 'feature' ? '' : `${column.role}/`;
  return {
    id: `drift/${role}${measure}[${excerpt(column.name)}]`,
    title: `${titleOf(column)} ${measure} ≤ ${[bound.warn, bound.fail].filter((one) => one !== undefined).join(', ')}`,
    section: 'drift',
    ...found,
    place: policy.placeOf(['drift', measure]),
  };
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

function side(name: string, { table, rows, chosenBy }: DriftRows): string {
  return `${name}: ${excerpt(table.file)}, ${counted(rows, 'row')}${chosenBy.length === 0 ? '' : ` of ${table.rows.toLocaleString('en-US')}`}`;
}
