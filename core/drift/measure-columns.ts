import type { Engine } from '../data/index.ts';
import type { Host } from '../host/index.ts';
import { type DriftBound, type DriftMeasure, policyDefaults } from '../policy/index.ts';
import { counted, excerpt } from '../text/index.ts';
import type { ComparedColumn, LeftColumn } from './compared-column.ts';
import { type CountedColumn, countedColumns } from './counted-columns.ts';
import { measures } from './drift-measures.ts';
import type { DriftRows } from './drift-rows.ts';
import type { MeasuredBound } from './judge-drift.ts';

/** What is measured of columns, and how surely. */
export interface ColumnsToMeasure {
  readonly bounds: readonly (readonly [DriftMeasure, DriftBound])[];
  /** Of numbers. @default policyDefaults.drift.bins */
  readonly bins?: number | undefined;
  /** Fewer rows on either side are not measured. @default policyDefaults.drift.min_rows */
  readonly minRows?: number | undefined;
  /** `off`: the observed distance decides. */
  readonly level: number | 'off';
}

/** A column that was not measured, or not by one measure. */
export interface UnmeasuredColumn extends LeftColumn {
  readonly measure?: DriftMeasure;
}

/** Every column by every measure that is asked of it, and where that cannot be. Bounds are not judged yet. */
export async function measureColumns(
  columns: readonly ComparedColumn[],
  sides: { readonly reference: DriftRows; readonly current: DriftRows },
  { bounds, bins = policyDefaults.drift.bins, minRows: least = policyDefaults.drift.min_rows, level }: ColumnsToMeasure,
  room: {
    readonly engine: Engine;
    readonly host: Host;
    /** Is told of every column that was counted. */
    readonly counted?: (column: CountedColumn) => void;
  },
): Promise<{ readonly measured: readonly MeasuredBound[]; readonly left: readonly UnmeasuredColumn[] }> {
  const { reference, current } = sides;
  const few = [reference, current].find(({ rows }) => rows < least);
  if (few !== undefined) {
    const why = `${counted(few.rows, 'row')} of ${excerpt(few.table.file)}, fewer than min_rows (${least})`;
    return { measured: [], left: columns.map((column) => ({ ...column, status: 'skipped', why })) };
  }
  const measured: MeasuredBound[] = [];
  const left: UnmeasuredColumn[] = [];
  const seed = `${reference.table.sha256}/${current.table.sha256}`;
  for await (const column of countedColumns(columns, bins, sides, room.engine, room.host)) {
    if ('why' in column) {
      left.push(column);
      continue;
    }
    room.counted?.(column);
    const taken = measureColumn(column, bounds, { level, seed, least });
    measured.push(...taken.measured);
    left.push(...taken.left);
  }
  return { measured, left };
}

/** One column by every measure that is asked of it, and where that cannot be. */
function measureColumn(
  counts: CountedColumn,
  bounds: readonly (readonly [DriftMeasure, DriftBound])[],
  { level, seed, least }: { readonly level: number | 'off'; readonly seed: string; readonly least: number },
): { readonly measured: readonly MeasuredBound[]; readonly left: readonly UnmeasuredColumn[] } {
  const { column, values } = counts;
  const measured: MeasuredBound[] = [];
  const left: UnmeasuredColumn[] = [];
  for (const [name, bound] of bounds) {
    const asked = Array.isArray(bound.columns);
    if (Array.isArray(bound.columns) && !bound.columns.includes(column.name)) continue;
    const measure = measures[name];
    if (measure.of === 'values' && values === undefined) {
      const why = `${name} measures numbers, and these are classes`;
      if (asked) left.push({ ...column, status: 'error', why, measure: name });
      continue;
    }
    if (measure.of === 'values' && values !== undefined && valuesOn(values) < least) {
      const why = `on one side fewer than min_rows (${least}) rows have a number`;
      left.push({ ...column, status: 'skipped', why, measure: name });
      continue;
    }
    const found = measure.measure(counts, { level, seed: `${seed}/${column.name}/${name}` });
    const numbers = [found.observed, found.interval.estimate, found.interval.lower, found.interval.upper];
    if (numbers.every(Number.isFinite))
      measured.push({ column, measure: name, bound, measured: found, counted: counts.counted[measure.of] });
    else
      left.push({
        ...column,
        status: 'error',
        why: `${name} of these values is no number to judge by`,
        measure: name,
      });
  }
  return { measured, left };
}

function valuesOn({ reference, current }: NonNullable<CountedColumn['values']>): number {
  const sum = (counts: Float64Array) => counts.reduce((all, count) => all + count, 0);
  return Math.min(sum(reference), sum(current));
}
