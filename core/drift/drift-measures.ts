import type { DriftMeasure } from '../policy/index.ts';
import {
  type CountedSamples,
  chiSquareTest,
  type Distance,
  driftInterval,
  hellingerDistance,
  type Interval,
  jensenShannonDistance,
  kolmogorovSmirnov,
  kolmogorovSmirnovPValue,
  kullbackLeiblerDivergence,
  populationStabilityIndex,
  totalVariation,
  wassersteinDistance,
} from '../statistics/index.ts';
import type { BinnedColumn } from './bins.ts';

/** What a measure may look at. */
export interface MeasuredColumn {
  readonly bins: BinnedColumn;
  /** Of a number column, the values themselves; a sample without values cannot be measured by them. */
  readonly values?: CountedSamples;
}

/** How far a column has moved, and how sure that is. */
export interface Measured {
  /** The plain formula on these rows. */
  readonly observed: number;
  /** Of the distance beyond chance. */
  readonly interval: Interval;
  /** Of a test, as information: no decision rests on it. */
  readonly pValue?: number;
}

export interface Measure {
  /** What it needs: `bins` any column, `values` numbers. */
  readonly of: 'bins' | 'values';
  measure(column: MeasuredColumn, certainty: Certainty): Measured;
}

export interface Certainty {
  /** `off`: the observed distance decides. */
  readonly level: number | 'off';
  readonly seed: string;
}

/** Cells of the values that are resampled. */
const resampledCells = 200;

/** The policy's measures. */
export const measures: Readonly<Record<DriftMeasure, Measure>> = {
  psi: ofBins(populationStabilityIndex, 'plain'),
  kl: ofBins(kullbackLeiblerDivergence, 'plain'),
  jensen_shannon: ofBins(jensenShannonDistance, 'square'),
  hellinger: ofBins(hellingerDistance, 'square'),
  total_variation: ofBins(
    (baseline, canary) => totalVariation({ baseline: Array.from(baseline), canary: Array.from(canary) }),
    'square',
  ),
  chi2: {
    of: 'bins',
    measure: (column, certainty) => ({
      ...ofBins((reference, current) => chiSquareTest(reference, current).cramersV, 'square').measure(
        column,
        certainty,
      ),
      pValue: chiSquareTest(column.bins.reference, column.bins.current).pValue,
    }),
  },
  ks: {
    of: 'values',
    measure: ({ values }, certainty) => {
      const samples = valuesOf(values);
      const observed = kolmogorovSmirnov(samples);
      return {
        observed,
        interval: intervalOfValues(samples, observed, kolmogorovSmirnov, certainty),
        pValue: kolmogorovSmirnovPValue(observed, totalOf(samples.reference), totalOf(samples.current)),
      };
    },
  },
  wasserstein: {
    of: 'values',
    measure: ({ values }, certainty) => {
      const samples = valuesOf(values);
      const unit = unitOf(samples);
      const distance = (of: CountedSamples) => wassersteinDistance(of) / unit;
      const observed = distance(samples);
      return { observed, interval: intervalOfValues(samples, observed, distance, certainty) };
    },
  },
};

function ofBins(distance: Distance, scale: 'plain' | 'square'): Measure {
  return {
    of: 'bins',
    measure: ({ bins: { reference, current } }, { level, seed }) => {
      const observed = distance(reference, current);
      const interval =
        level === 'off'
          ? pointOf(observed, totalOf(reference) + totalOf(current))
          : driftInterval(reference, current, distance, { level, seed, scale });
      return { observed, interval };
    },
  };
}

/** The interval on coarser values, moved by what coarseness took from the distance. */
function intervalOfValues(
  samples: CountedSamples,
  observed: number,
  distance: (samples: CountedSamples) => number,
  { level, seed }: Certainty,
): Interval {
  if (level === 'off') return pointOf(observed, totalOf(samples.reference) + totalOf(samples.current));
  const cells = coarser(samples);
  const lost = observed - distance(cells);
  const interval = driftInterval(
    cells.reference,
    cells.current,
    (reference, current) => distance({ values: cells.values, reference, current }),
    { level, seed, scale: 'square' },
  );
  const moved = (value: number) => Math.max(0, value + lost);
  return {
    ...interval,
    estimate: moved(interval.estimate),
    lower: moved(interval.lower),
    upper: moved(interval.upper),
  };
}

/** The values in at most so many cells of about equal shares, each by its largest value. */
function coarser({ values, reference, current }: CountedSamples): CountedSamples {
  if (values.length <= resampledCells) return { values, reference, current };
  const [n, m] = [totalOf(reference), totalOf(current)];
  const cells: { value: number; reference: number; current: number }[] = [];
  let [open, below] = [{ value: 0, reference: 0, current: 0 }, 0];
  for (const [index, value] of values.entries()) {
    const [one, other] = [reference[index] ?? 0, current[index] ?? 0];
    open = { value, reference: open.reference + one, current: open.current + other };
    below += (one / n + other / m) / 2;
    if (below * resampledCells >= cells.length + 1 || index === values.length - 1) {
      cells.push(open);
      open = { value, reference: 0, current: 0 };
    }
  }
  return {
    values: Float64Array.from(cells, (cell) => cell.value),
    reference: Float64Array.from(cells, (cell) => cell.reference),
    current: Float64Array.from(cells, (cell) => cell.current),
  };
}

/** What a distance of values is told in: the reference's standard deviation; where it has none, the current data's; where neither has, the distance itself. */
function unitOf(samples: CountedSamples): number {
  const { values, reference, current } = samples;
  return deviationOf(values, reference) || deviationOf(values, current) || wassersteinDistance(samples) || 1;
}

function deviationOf(values: Float64Array, counts: Float64Array): number {
  const total = totalOf(counts);
  // Squares of large values are beyond what a number holds.
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const sum = (term: (scaled: number) => number) =>
    values.reduce((all, value, index) => all + (term(value / largest) * (counts[index] ?? 0)) / total, 0);
  const mean = sum((value) => value);
  return largest * Math.sqrt(sum((value) => (value - mean) ** 2));
}

function pointOf(observed: number, n: number): Interval {
  return { estimate: observed, lower: observed, upper: observed, level: 1, method: 'point', n };
}

function valuesOf(values: CountedSamples | undefined): CountedSamples {
  if (values === undefined) throw new TypeError('only numbers can be measured by their values');
  return values;
}

function totalOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
