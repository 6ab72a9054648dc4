import type { CountedSamples } from '../statistics/index.ts';
import type { CountedClasses, CountedNumbers, Sides } from './count-values.ts';

/** A column's rows on both sides by the same bins. */
export interface BinnedColumn {
  readonly labels: readonly string[];
  readonly reference: Float64Array;
  readonly current: Float64Array;
}

interface Bin extends Sides {
  readonly label: string;
}

/** Numbers of no more different values than this are counted value by value. */
const fewValues = 20;
/** Classes of fewer rows on both sides together are counted as one: chance makes more of them than drift does (`driftInterval`). */
const fewestRows = 10;
/**
 * Of the smaller side, that a bin of numbers should have. Of 100 rows in ten bins the resampled PSI is so wide that a true one of 0.35 is shown to be
 * above 0.1 in 6 of 100 samples, in five bins (0.42) in 45.
 */
const rowsABin = 20;

const otherLabel = '(other)';
const missingLabel = '(no value)';

/**
 * Numbers by bins of equal shares in the reference: ends at its quantiles, equal ends merged, the first and the last open, so that values
 * beyond anything the reference had are counted too. Few different values are classes of their own. Rows without a value are a bin.
 */
export function binNumbers({ counts, missing }: CountedNumbers, bins: number): BinnedColumn {
  const rows = { reference: sumOf(counts.reference), current: sumOf(counts.current) };
  const values = Array.from(counts.values).filter((_, index) => (counts.reference[index] ?? 0) > 0);
  if (values.length <= fewValues && rows.reference >= 5 * values.length) {
    const listed = Array.from(counts.values, (value, index) => ({
      label: String(value),
      reference: counts.reference[index] ?? 0,
      current: counts.current[index] ?? 0,
    }));
    const known = listed.filter((bin) => bin.reference > 0);
    return columnOf(pooled([...known, added(listed.filter((bin) => bin.reference === 0))]), missing);
  }
  const most = Math.max(2, Math.floor(Math.min(rows.reference, rows.current) / rowsABin));
  const ends = withoutEmptyBins(quantileEnds(counts, Math.min(bins, most)), counts);
  const found = [...ends, Number.POSITIVE_INFINITY].map((end, index) => ({
    label: labelOf(ends[index - 1], end),
    reference: 0,
    current: 0,
  }));
  let at = 0;
  for (const [index, value] of counts.values.entries()) {
    while (value > (ends[at] ?? Number.POSITIVE_INFINITY)) at++;
    const bin = found[at];
    if (bin === undefined) continue;
    bin.reference += counts.reference[index] ?? 0;
    bin.current += counts.current[index] ?? 0;
  }
  return columnOf(found, missing);
}

/** Classes as they are; rare ones and those beyond the most frequent together. */
export function binClasses({ listed, others, missing }: CountedClasses): BinnedColumn {
  const named = listed.map(({ name, reference, current }) => ({ label: name, reference, current }));
  return columnOf(pooled([...named, { label: otherLabel, ...others }]), missing);
}

/** Where the reference's values are cut into `bins` equal shares: its quantiles (NumPy's), each once. */
export function quantileEnds(counts: CountedSamples, bins: number): readonly number[] {
  const total = sumOf(counts.reference);
  const ends = new Set<number>();
  if (total === 0) return [];
  let [index, below] = [-1, 0];
  const valueAt = (rank: number): number => {
    while (below <= rank && index + 1 < counts.values.length) below += counts.reference[++index] ?? 0;
    return counts.values[index] ?? Number.NaN;
  };
  for (let part = 1; part < bins; part++) {
    const position = ((total - 1) * part) / bins;
    const low = valueAt(Math.floor(position));
    const [keptIndex, keptBelow] = [index, below];
    const high = valueAt(Math.min(Math.floor(position) + 1, total - 1));
    // The next quantile may lie at the lower of the two.
    [index, below] = [keptIndex, keptBelow];
    const share = position - Math.floor(position);
    ends.add(share === 0 || low === high ? low : low + share * (high - low));
  }
  return [...ends];
}

/** The ends but those between neighbouring values of the reference: quantiles that fall between two of them. */
function withoutEmptyBins(ends: readonly number[], { values, reference }: CountedSamples): readonly number[] {
  let [at, filled] = [0, false];
  return ends.filter((end) => {
    for (; at < values.length && (values[at] ?? 0) <= end; at++) filled ||= (reference[at] ?? 0) > 0;
    const kept = filled;
    if (kept) filled = false;
    return kept;
  });
}

/** Bins of too few rows on both sides together, as one; the last bin is that of all others. */
function pooled(bins: readonly Bin[]): readonly Bin[] {
  const others = bins.at(-1);
  const named = bins.slice(0, -1);
  const isRare = (bin: Bin) => bin.reference + bin.current < fewestRows;
  const rare = added([...named.filter(isRare), ...(others === undefined ? [] : [others])]);
  const kept = named.filter((bin) => !isRare(bin));
  return rare.reference + rare.current === 0 ? kept : [...kept, rare];
}

function added(bins: readonly Bin[]): Bin {
  const sum = (side: keyof Sides) => bins.reduce((total, bin) => total + bin[side], 0);
  return { label: otherLabel, reference: sum('reference'), current: sum('current') };
}

function columnOf(bins: readonly Bin[], missing: Sides): BinnedColumn {
  const all = missing.reference + missing.current === 0 ? bins : [...bins, { label: missingLabel, ...missing }];
  return {
    labels: all.map(({ label }) => label),
    reference: Float64Array.from(all, (bin) => bin.reference),
    current: Float64Array.from(all, (bin) => bin.current),
  };
}

function labelOf(above: number | undefined, end: number): string {
  const text = (value: number) => String(Number(value.toPrecision(4)));
  if (above === undefined) return end === Number.POSITIVE_INFINITY ? 'all' : `≤ ${text(end)}`;
  return end === Number.POSITIVE_INFINITY ? `> ${text(above)}` : `${text(above)} – ${text(end)}`;
}

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
