/** What a column of a data file holds, in few numbers. Of a column whose values no report may show: how many only. */
export interface ColumnProfile {
  readonly name: string;
  /** `integer`, `number`, `string`, `boolean`, `date`, `timestamp`, `other`. */
  readonly type: string;
  /** Rows without a value. */
  readonly missing: number;
  /** About how many different values: 2 % off, mostly. */
  readonly different: number;
  /** Least and greatest, of numbers, dates and times. */
  readonly min?: string;
  readonly max?: string;
  readonly mean?: number;
  /** Standard deviation of a sample. */
  readonly std?: number;
  /** The most frequent values, most frequent first, where there are few different ones. */
  readonly top?: readonly { readonly value: string; readonly rows: number }[];
  /** Rows in each of ten parts of equal width from `min` to `max`. */
  readonly bars?: readonly number[];
}

const blocks = '▁▂▃▄▅▆▇█';

/** Counts as a row of blocks, the tallest for the largest; a count of zero is a gap. */
export function sparkline(counts: readonly number[]): string {
  const largest = Math.max(...counts, 1);
  return counts
    .map((count) => (count === 0 ? ' ' : (blocks[Math.min(7, Math.floor((count / largest) * 8))] ?? blocks[7])))
    .join('');
}

/** The distribution of a column in words: a small histogram, or its most frequent values with their shares of the rows that have one. */
export function distributionOf({ bars, top, missing }: ColumnProfile, rows: number): string {
  if (bars !== undefined) return sparkline(bars);
  const filled = rows - missing;
  return (top ?? [])
    .map(({ value, rows: count }) => `${value} ${Number(((count / filled) * 100).toPrecision(3))} %`)
    .join(', ');
}

/** `12 (0.4 %)`; `0` where there is none. */
export function shareOf(missing: number, rows: number): string {
  return missing === 0 ? '0' : `${missing} (${Number(((missing / rows) * 100).toPrecision(2))} %)`;
}

/** `35.2 ± 8.1`. */
export function spreadOf({ mean, std }: ColumnProfile): string {
  if (mean === undefined) return '';
  const figure = (value: number) => String(Number(value.toPrecision(4)));
  return std === undefined ? figure(mean) : `${figure(mean)} ± ${figure(std)}`;
}
