import {
  type BinnedColumn,
  type ComparedColumn,
  type CountedColumn,
  type DriftJudgement,
  titleOf,
} from '../../core/drift/index.ts';
import type { Figure, HistogramFigure, IntervalsFigure } from '../../core/report/index.ts';
import type { CountedSamples } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';

const mostHistograms = 12;
const mostRows = 60;
const bars = 24;
/** The part of both sides that the drawn range covers; what is beyond is in the outer bars. */
const drawnShare = 0.99;

/** The distributions of a column, small enough to be kept until it is known which are drawn. */
export interface DrawnColumn extends Pick<HistogramFigure, 'labels' | 'series'> {
  readonly column: ComparedColumn;
}

/** Each measure over the columns with its intervals, the worst first; and the distributions of the columns that moved most. */
export function driftFigures(
  judgements: readonly DriftJudgement[],
  columns: readonly DrawnColumn[],
): readonly Figure[] {
  const moved = judgements.toSorted((one, other) => excess(other) - excess(one));
  const overview = [...new Set(moved.map(({ of }) => of.measure))].map((measure): IntervalsFigure => {
    const own = moved.filter(({ of }) => of.measure === measure);
    const lines = new Set(own.map(({ of: { bound } }) => bound.fail ?? bound.warn));
    const [line] = lines;
    return {
      kind: 'intervals',
      id: `drift/${measure}`,
      title: `${measure} by column, chance taken out`,
      metric: measure,
      ...(line === undefined || lines.size > 1 ? {} : { bound: line }),
      rows: own.slice(0, mostRows).map(({ of: { column, measured } }) => {
        const { estimate, lower, upper, n } = measured.interval;
        return { name: titleOf(column), n, estimate, lower, upper };
      }),
    };
  });
  const drawn = new Map(columns.map((one) => [one.column, one]));
  const worst = [...new Set(moved.map(({ of }) => of.column))].slice(0, mostHistograms);
  const histograms = worst.flatMap((column, index) => {
    const found = drawn.get(column);
    if (found === undefined) return [];
    const { labels, series } = found;
    const figure: HistogramFigure = {
      kind: 'histogram',
      // A number, since two names may look alike.
      id: `drift/column-${index + 1}`,
      title: `${titleOf(column)}: reference and current`,
      ...(labels === undefined ? {} : { labels }),
      series,
    };
    return [figure];
  });
  return [...overview.filter(({ rows }) => rows.length > 1), ...histograms];
}

/** How far above its highest bound, as a multiple of it. */
function excess({ of: { bound, measured } }: DriftJudgement): number {
  return measured.interval.estimate / (bound.fail ?? bound.warn ?? 1);
}

/** What is drawn of a column: bars of equal width over most of its numbers, or one for each class. */
export function drawnColumn({ column, bins, values }: CountedColumn): DrawnColumn {
  const range = values === undefined ? undefined : rangeOf(values);
  // Few different values are drawn as what they are.
  if (values === undefined || range === undefined || bins.labels.every((label) => !/[≤>–]|^all$/.test(label))) {
    const edges = [...bins.labels.map((_, bar) => bar), bins.labels.length];
    const shown = shownBars(bins);
    return {
      column,
      // A class may be a whole document.
      labels: shown.labels.map((label) => excerpt(label)),
      series: [
        { name: 'reference', edges: edges.slice(0, shown.labels.length + 1), counts: [...shown.reference] },
        { name: 'current', edges: edges.slice(0, shown.labels.length + 1), counts: [...shown.current] },
      ],
    };
  }
  const [least, most] = range;
  const edges = Array.from({ length: bars + 1 }, (_, bar) => least + ((most - least) * bar) / bars);
  const countsOf = (side: Float64Array) => {
    const counts = new Array<number>(bars).fill(0);
    for (const [at, value] of values.values.entries()) {
      const bar = Math.min(bars - 1, Math.max(0, Math.floor(((value - least) / (most - least)) * bars)));
      counts[bar] = (counts[bar] ?? 0) + (side[at] ?? 0);
    }
    return counts;
  };
  return {
    column,
    series: [
      { name: 'reference', edges, counts: countsOf(values.reference) },
      { name: 'current', edges, counts: countsOf(values.current) },
    ],
  };
}

const mostBars = 16;

/** The bins of most rows, and the rest as one bar. */
function shownBars({ labels, reference, current }: BinnedColumn): BinnedColumn {
  if (labels.length <= mostBars) return { labels, reference, current };
  const order = labels
    .map((_, index) => index)
    .toSorted(
      (one, other) => (reference[other] ?? 0) + (current[other] ?? 0) - (reference[one] ?? 0) - (current[one] ?? 0),
    );
  const kept = order.slice(0, mostBars - 1).toSorted((one, other) => one - other);
  const rest = order.slice(mostBars - 1);
  const part = (counts: Float64Array) =>
    Float64Array.from([
      ...kept.map((index) => counts[index] ?? 0),
      rest.reduce((sum, index) => sum + (counts[index] ?? 0), 0),
    ]);
  return {
    labels: [...kept.map((index) => labels[index] ?? ''), `${rest.length} more`],
    reference: part(reference),
    current: part(current),
  };
}

/** From where to where most values of both sides are; undefined where that is one value. */
function rangeOf({ values, reference, current }: CountedSamples): readonly [number, number] | undefined {
  const within = [reference, current].flatMap((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return [];
    const at = (share: number) => {
      let below = 0;
      return values.find((_, index) => {
        below += counts[index] ?? 0;
        return below >= share * total && below > 0;
      });
    };
    return [at((1 - drawnShare) / 2), at((1 + drawnShare) / 2)];
  });
  const ends = within.filter((value) => value !== undefined);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  return least < most && Number.isFinite(most - least) ? [least, most] : undefined;
}
