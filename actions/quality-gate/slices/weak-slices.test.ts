import { describe, expect, it } from 'vitest';
import { randomOf } from '../../../core/statistics/index.ts';
import { bandedColumn } from './banded-column.ts';
import type { Cut } from './cut.ts';
import { findWeakSlices, type Losses, type WeakSliceSearch } from './weak-slices.ts';

const countries = ['KR', 'US', 'JP', 'UK', 'DE'];

/** Rows with nothing to find: numbers, texts, a rare text, an id. */
function columnsOf(seed: string, rows: number): { readonly cuts: readonly Cut[]; readonly age: Float64Array } {
  const { unit: random } = randomOf(seed);
  const numbers = (of: () => number) => Float64Array.from({ length: rows }, of);
  const age = numbers(() => Math.floor(18 + 60 * random()));
  const country = Array.from({ length: rows }, () => countries[Math.floor(random() ** 2 * 5)] ?? 'KR');
  const column = (name: string, values: Float64Array | readonly string[]) =>
    bandedColumn(name, values instanceof Float64Array ? { kind: 'number', values } : { kind: 'string', values }, 30);
  const sex = numbers(() => (random() < 0.5 ? 1 : 0));
  const id = Array.from({ length: rows }, (_, row) => `c${row}`);
  return {
    age,
    cuts: [
      column('age', age),
      column('country', country),
      column('sex', sex),
      ...Array.from({ length: 5 }, (_, at) =>
        column(
          `x${at}`,
          numbers(() => random() * 10),
        ),
      ),
      column('id', id),
    ],
  };
}

function search(cuts: readonly Cut[], losses: Losses, more: Partial<WeakSliceSearch> = {}): WeakSliceSearch {
  return { columns: cuts, losses, minRows: 30, minGap: 0.05, maxQ: 0.05, most: 5, ...more };
}

const isIn = (cut: Cut | undefined, name: string, row: number): boolean =>
  cut !== undefined && cut.names[cut.parts[row] ?? -1] === name;

describe('a model without a weak slice', () => {
  it.each([
    ['that is wrong at random', 'share', 0, 800],
    ['that is seldom wrong', 'share', 0.02, 800],
    ['of many rows', 'share', 0.3, 6_000],
    ['whose errors are skewed and have few large ones', 'size', 0, 800],
  ] as const)('%s is told of none in nine of ten runs, although hundreds are tried', (_, kind, rate, rows) => {
    const share = rate === 0 ? 0.15 : rate;
    let none = 0;
    let tried = 0;
    const runs = 60;
    for (let run = 0; run < runs; run++) {
      const { cuts } = columnsOf(`columns ${run}`, rows);
      const { unit: random } = randomOf(`losses ${run}`);
      const values = Float64Array.from({ length: rows }, () =>
        kind === 'share' ? (random() < share ? 1 : 0) : Math.exp(4 * random() ** 4),
      );
      // Any gap counts here: what chance makes is left to the q-values alone.
      const { found, candidates } = findWeakSlices(search(cuts, { kind, values }, { minGap: 0 }));
      if (found.length === 0) none++;
      tried += candidates;
    }
    expect(none / runs).toBeGreaterThanOrEqual(0.9);
    expect(tried / runs).toBeGreaterThan(300);
  });
});

describe('a weak slice', () => {
  const planted = (kind: Losses['kind'], of: (cuts: readonly Cut[], row: number) => boolean, run: number) => {
    const rows = 2_000;
    const { cuts } = columnsOf(`columns ${run}`, rows);
    const { unit: random } = randomOf(`losses ${run}`);
    const values = Float64Array.from({ length: rows }, (_, row) => {
      const weak = of(cuts, row);
      return kind === 'share' ? (random() < (weak ? 0.5 : 0.1) ? 1 : 0) : (weak ? 3 : 1) * -Math.log(1 - random());
    });
    return findWeakSlices(search(cuts, { kind, values }));
  };

  /** Every run tells of `name` first; with what is left, one in twenty looks like a slice by chance. */
  const foundFirst = (kind: Losses['kind'], name: string, of: (cuts: readonly Cut[], row: number) => boolean) => {
    let others = 0;
    for (let run = 0; run < 20; run++) {
      const [first, ...more] = planted(kind, of, run).found;
      expect(first?.name).toBe(name);
      if (more.length > 0) others++;
    }
    expect(others).toBeLessThanOrEqual(3);
  };

  it.each(['share', 'size'] as const)('of one column is found, and told once: %s', (kind) => {
    foundFirst(kind, 'country=US', (cuts, row) => isIn(cuts[1], 'country=US', row));
  });

  it.each(['share', 'size'] as const)('of two columns is found, not the columns it lies in: %s', (kind) => {
    foundFirst(kind, 'country=KR, sex=1', (cuts, row) =>
      [isIn(cuts[1], 'country=KR', row), isIn(cuts[2], 'sex=1', row)].every(Boolean),
    );
  });

  it('is found beside another one', () => {
    const weak = (cuts: readonly Cut[], row: number) =>
      isIn(cuts[1], 'country=JP', row) || isIn(cuts[3], cuts[3]?.names[4] ?? '', row);
    const { found } = planted('share', weak, 0);
    expect(found.map(({ name }) => name.replace(/≥.*/, '')).sort()).toEqual(['country=JP', 'x0']);
  });

  it('is the same in every run', () => {
    const weak = (cuts: readonly Cut[], row: number) => isIn(cuts[2], 'sex=1', row);
    expect(planted('share', weak, 3)).toEqual(planted('share', weak, 3));
  });

  it('that is too small, or too little weaker, is none', () => {
    const rows = 4_000;
    const { cuts } = columnsOf('few', rows);
    const values = Float64Array.from({ length: rows }, (_, row) =>
      (isIn(cuts[2], 'sex=1', row) ? row % 10 < 3 : row % 10 < 2) ? 1 : 0,
    );
    const found = (more: Partial<WeakSliceSearch>) =>
      findWeakSlices(search(cuts, { kind: 'share', values }, more)).found.length;
    expect(found({ minGap: 0.04 })).toBeGreaterThan(0);
    expect(found({ minGap: 0.2 })).toBe(0);
    expect(found({ minRows: 2_500, minGap: 0.04 })).toBe(0);
  });
});

describe('the bands of a column', () => {
  it('are the values where they are few, fifths where numbers are many, and nothing of an id', () => {
    const numbers = Float64Array.from({ length: 1_000 }, (_, row) => row / 7);
    expect(bandedColumn('x', { kind: 'number', values: numbers }, 30).names).toEqual([
      'x<28.6',
      'x=[28.6, 57.1)',
      'x=[57.1, 85.7)',
      'x=[85.7, 114)',
      'x≥114',
      'x=empty',
    ]);
    const texts = numbers.length;
    const rare = Array.from({ length: texts }, (_, row) => (row < 10 ? 'rare' : row % 2 === 0 ? 'even' : null));
    expect(bandedColumn('t', { kind: 'string', values: rare }, 30).names).toEqual(['t=even', 't=empty']);
    const ids = Array.from({ length: 6_000 }, (_, row) => `c${row}`);
    expect(bandedColumn('id', { kind: 'string', values: ids }, 30).names).toEqual([]);
  });
});
