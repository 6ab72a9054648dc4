import {
  type Column,
  type ColumnValues,
  missingColumn,
  quoteIdentifier,
  readColumns,
  rowNumberColumn,
  type Table,
} from '../../../core/data/index.ts';
import { metricOf, pick, rowsOf, type Sample } from '../../../core/metrics/index.ts';
import { policyDefaults, type WeakSlicePolicy } from '../../../core/policy/index.ts';
import { DataError, type Place } from '../../../core/problem/index.ts';
import type { IntervalsFigure } from '../../../core/report/index.ts';
import type { Interval } from '../../../core/statistics/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import { changeOf } from '../metric-gate.ts';
import { metricIntervals } from '../metric-interval.ts';
import { counted, numberText, pValueText } from '../number-text.ts';
import type { SliceJudgement } from '../slice-gate.ts';
import type { Subject } from '../subject.ts';
import type { Subset } from '../subsets.ts';
import { bandedColumn } from './banded-column.ts';
import { findWeakSlices, type Losses, type WeakSlice } from './weak-slices.ts';

/** Rows that are searched where the policy asks for the search; of more, as many are drawn evenly. A slice of one in a hundred still has a thousand. */
const mostRows = 100_000;
/** Where nobody asked: a look in passing, which takes a fraction of the time. */
const mostRowsUnasked = 20_000;
const crossedUnasked = 10;
/** Fewer rows than this show no slice. */
const leastRows = 100;

/**
 * Looks for slices that the candidate is weak on and nobody declared, shows them, and warns of them where the policy asks for that: a warning of every model's
 * hard rows in every run would be read by nobody. What the baseline is as weak on is shown, not warned of: no change of this model made it so. Nothing of it can fail, and nothing of it is a judgement: `judged` says whether another check stands for the report. `declared`
 * slices have checks of their own.
 */
export async function weakSliceChecks(
  subject: Subject,
  rows: EvaluationRows,
  { judged, declared }: { readonly judged: boolean; readonly declared: readonly Pick<Subset, 'name'>[] },
): Promise<SliceJudgement> {
  const search = rows.policy.weak_slices ?? {};
  const measure = measureOf(subject.pair.candidate);
  if (search === 'off' || measure === undefined || subject.broken !== undefined || rows.table.rows < leastRows) {
    return { checks: [], figures: [] };
  }
  const most = rows.policy.weak_slices === undefined ? mostRowsUnasked : mostRows;
  const searched = drawnRows(rows.table.rows, most);
  const candidate = searched === undefined ? subject.pair.candidate : picked(subject.pair.candidate, searched);
  const baseline =
    subject.pair.baseline === undefined || searched === undefined
      ? subject.pair.baseline
      : picked(subject.pair.baseline, searched);
  const columns = await columnsOf(
    rows,
    search,
    subject.policy.placeOf(['evaluation', 'weak_slices', 'columns']),
    searched === undefined ? undefined : { rows: searched.length, below: drawnBelow(rows.table.rows, most) },
  );
  const { length: count } = measure.losses(candidate).values;
  const minRows = search.min_rows ?? Math.max(policyDefaults.min_rows, Math.ceil(count / 100));
  const losses = measure.losses(candidate);
  const gap = gapOf(search.min_gap ?? measure.minGap, measure, candidate);
  const { found, candidates } = findWeakSlices({
    columns: columns.map(([name, values]) => bandedColumn(name, values, minRows)),
    losses,
    minRows,
    minGap: gap,
    maxQ: policyDefaults.weak_slices.max_q,
    most: search.most ?? policyDefaults.weak_slices.most,
    ...(rows.policy.weak_slices === undefined ? { crossed: crossedUnasked } : {}),
  });
  if (found.length === 0) return { checks: [], figures: [] };
  const level = subject.level === 'off' ? policyDefaults.evidence : subject.level;
  const on = (sample: Sample, seed: string) => measure.interval(sample, { level, seed: `${subject.seed}/${seed}` });
  const all = on(candidate, 'all rows');
  const told = found.map((slice) => {
    const ofBaseline = baseline === undefined ? undefined : measure.losses(picked(baseline, slice.rows));
    const meanOfBaseline = ofBaseline === undefined ? undefined : mean(ofBaseline.values);
    const known =
      meanOfBaseline !== undefined &&
      baseline !== undefined &&
      meanOfBaseline - mean(measure.losses(baseline).values) >= gap;
    return { slice, interval: on(picked(candidate, slice.rows), slice.name), known, meanOfBaseline };
  });
  const figure: IntervalsFigure = {
    kind: 'intervals',
    id: 'weak-slices',
    title: `Weak slices: ${measure.name}`,
    metric: measure.name,
    rows: [
      barOf('all rows', all),
      ...told.map(({ slice, interval, known }) =>
        barOf(`${slice.name}${known ? ' (the baseline too)' : ''}`, interval),
      ),
    ],
  };
  const names = new Set(declared.map(({ name }) => name));
  const asked = rows.policy.weak_slices !== undefined;
  const warned = asked && judged ? told.filter(({ slice, known }) => !known && !names.has(slice.name)) : [];
  const drawn = searched === undefined ? '' : ` of ${counted(count, 'row')} drawn evenly`;
  return {
    figures: [figure],
    checks: warned.map(({ slice, interval, meanOfBaseline }) => ({
      id: `gate/weak_slices[${slice.name}]`,
      title: `${measure.name} where ${slice.name}`,
      section: 'gate',
      status: 'warn',
      message: messageOf(slice, interval, { all, candidates, drawn, measure, meanOfBaseline }),
      observed: interval.estimate,
      unit: measure.unit,
      evidence: interval,
      place: subject.policy.placeOf(['evaluation', 'weak_slices']),
    })),
  };
}

function messageOf(
  slice: WeakSlice,
  interval: Interval,
  of: {
    readonly all: Interval;
    readonly candidates: number;
    readonly drawn: string;
    readonly measure: Measure;
    readonly meanOfBaseline: number | undefined;
  },
): string {
  const { all, candidates, drawn, measure, meanOfBaseline } = of;
  const apart = numberText(Math.abs(interval.estimate - all.estimate));
  return [
    `${measure.name} is ${numberText(interval.estimate)} on the ${counted(slice.rows.length, 'row')}${drawn} where ${excerpt(slice.name)}`,
    ` (between ${numberText(interval.lower)} and ${numberText(interval.upper)}), ${apart} worse than the ${numberText(all.estimate)} of all rows;`,
    ` the weakest of ${counted(candidates, 'slice')} looked at: ${pValueText('q', slice.q)}.`,
    ...(meanOfBaseline === undefined
      ? []
      : [` The baseline's is ${numberText(measure.valueOf(meanOfBaseline))} there.`]),
    ' Name it under evaluation.slices to hold it to a bound.',
  ].join('');
}

function barOf(name: string, { n, estimate, lower, upper }: Interval): IntervalsFigure['rows'][number] {
  return { name, n, estimate, lower, upper };
}

/** What a row costs, and the metric that is its mean. */
interface Measure {
  readonly name: 'accuracy' | 'mae';
  readonly unit: 'share' | 'none';
  readonly minGap: number | string;
  losses(sample: Sample): Losses;
  valueOf(meanLoss: number): number;
  interval(sample: Sample, certainty: { readonly level: number; readonly seed: string }): Interval;
}

/** Whether rows are right, or by how much they are off; undefined where rows have no prediction of their own. */
function measureOf({ task }: Sample): Measure | undefined {
  if (task === 'ranking') return undefined;
  const name = task === 'regression' ? 'mae' : 'accuracy';
  return {
    name,
    unit: task === 'regression' ? 'none' : 'share',
    minGap: task === 'regression' ? policyDefaults.weak_slices.min_gap_of_errors : policyDefaults.weak_slices.min_gap,
    losses: lossesOf,
    valueOf: (loss) => (task === 'regression' ? loss : 1 - loss),
    interval(sample, certainty) {
      const measured = metricIntervals(
        [{ metric: metricOf(name, task), options: {} }],
        { candidate: sample },
        certainty,
      );
      const interval = measured.get(name)?.candidate;
      if (interval === undefined) throw new TypeError(`${name} was not measured`);
      return interval;
    },
  };
}

function lossesOf(sample: Sample): Losses {
  const values = new Float64Array(rowsOf(sample));
  if (sample.task === 'classification') {
    for (let row = 0; row < values.length; row++) values[row] = sample.actual[row] === sample.predicted[row] ? 0 : 1;
    return { kind: 'share', values };
  }
  if (sample.task === 'multilabel') {
    const { length: width } = sample.labels;
    for (let at = 0; at < sample.actual.length; at++) {
      if (sample.actual[at] !== sample.predicted[at]) values[Math.floor(at / width)] = 1;
    }
    return { kind: 'share', values };
  }
  if (sample.task !== 'regression') return { kind: 'size', values };
  for (let row = 0; row < values.length; row++) {
    values[row] = Math.abs((sample.actual[row] ?? 0) - (sample.predicted[row] ?? 0));
  }
  return { kind: 'size', values };
}

function gapOf(written: number | string, measure: Measure, sample: Sample): number {
  const { change, relative } = changeOf(written);
  return relative ? change * Math.abs(measure.valueOf(mean(measure.losses(sample).values))) : change;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function picked(sample: Sample, rows: Int32Array): Sample {
  return pick(sample, rows);
}

/** 2^32 divided by the golden ratio: multiples of it, modulo 2^32, are spread evenly and follow no period of the file. */
const stride = 2_654_435_761;

/** The rows that are searched; undefined: all of them. */
export function drawnRows(rows: number, most = mostRows): Int32Array | undefined {
  if (rows <= most) return undefined;
  const below = drawnBelow(rows, most);
  const list: number[] = [];
  for (let row = 0; row < rows; row++) if (Math.imul(row + 1, stride) >>> 0 < below) list.push(row);
  return Int32Array.from(list);
}

function drawnBelow(rows: number, most: number): number {
  return Math.floor((most / rows) * 2 ** 32);
}

/** The columns to look at, of the drawn rows: numbers and text, without what is true. */
async function columnsOf(
  rows: EvaluationRows,
  search: Exclude<WeakSlicePolicy, 'off'>,
  place: Place,
  drawn: { readonly rows: number; readonly below: number } | undefined,
): Promise<readonly (readonly [string, ColumnValues])[]> {
  const { policy, table, engine } = rows;
  const truth = new Set([policy.target].flat());
  const named = search.columns ?? [
    ...new Set([...(policy.features ?? table.columns.map(({ name }) => name)), ...(policy.ignore ?? [])]),
  ];
  const [first, ...rest] = (search.columns ?? [])
    .filter((name) => !table.columns.some((column) => column.name === name))
    .map((name) => missingColumn(name, policy.source, table.columns, place));
  if (first !== undefined) throw new DataError([first, ...rest]);
  const columns = table.columns.filter(
    ({ name, type }) => named.includes(name) && !truth.has(name) && type !== 'other',
  );
  // Integers beyond what a number holds exactly are ids; for bands it does not matter.
  const asRead = columns.map((column) => (isNumeric(column) ? { ...column, type: 'number' as const } : column));
  const select = columns.map(({ name, ...column }) => {
    const quoted = quoteIdentifier(name);
    return `CAST(${quoted} AS ${isNumeric({ name, ...column }) ? 'DOUBLE' : 'VARCHAR'}) AS ${quoted}`;
  });
  if (select.length === 0) return [];
  const where =
    drawn === undefined ? '' : ` WHERE (${quoteIdentifier(rowNumberColumn)} * ${stride}) % ${2 ** 32} < ${drawn.below}`;
  const part: Table = {
    ...table,
    sql: `(SELECT ${select.join(', ')} FROM ${table.sql}${where})`,
    columns: asRead,
    rows: drawn?.rows ?? table.rows,
  };
  return [
    ...(await readColumns(
      engine,
      part,
      asRead.map(({ name }) => name),
    )),
  ];
}

function isNumeric({ type }: Column): boolean {
  return type === 'integer' || type === 'number' || type === 'boolean';
}
