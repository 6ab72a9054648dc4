import type { Engine } from '../data/index.ts';
import type { Host } from '../host/index.ts';
import type { CountedSamples } from '../statistics/index.ts';
import { counted } from '../text/index.ts';
import { type BinnedColumn, binClasses, binNumbers } from './bins.ts';
import type { ComparedColumn, LeftColumn } from './compared-column.ts';
import { countClasses, countNumbers } from './count-values.ts';
import type { DriftRows } from './drift-rows.ts';

/** A column's rows by bins, and its values where it is of numbers. */
export interface CountedColumn {
  readonly column: ComparedColumn;
  readonly bins: BinnedColumn;
  readonly values?: CountedSamples;
  /** What the bins and the values are, for a sentence: `10 bins`, `450 values`. */
  readonly counted: Readonly<Record<'bins' | 'values', string>>;
}

/** Columns of no more classes never tell rows apart. */
const fewestToTellApart = 20;

/** Each column counted on both sides, or why it was not. */
export async function* countedColumns(
  columns: readonly ComparedColumn[],
  bins: number,
  { reference, current }: { readonly reference: DriftRows; readonly current: DriftRows },
  engine: Engine,
  host: Host,
): AsyncGenerator<CountedColumn | LeftColumn> {
  const numbers = columns.filter(({ kind }) => kind === 'numbers');
  const progress = host.progress('Comparing the columns');
  try {
    let done = 0;
    const names = numbers.map(({ name }) => name);
    for await (const one of countNumbers(engine, reference, current, names)) {
      const column = numbers[done++];
      if (column === undefined) break;
      progress.update(done, columns.length);
      const binned = binNumbers(one, bins);
      const values = one.exact
        ? counted(reference.rows + current.rows - one.missing.reference - one.missing.current, 'value')
        : `values by ${counted(one.counts.values.length, 'cell')}`;
      const words = { bins: counted(binned.labels.length, 'bin'), values };
      yield { column, bins: binned, values: one.counts, counted: words };
    }
    const classes = columns.filter(({ kind }) => kind === 'classes');
    for (const [index, column] of classes.entries()) {
      const one = await countClasses(engine, reference, current, column.name);
      progress.update(numbers.length + index + 1, columns.length);
      const present = reference.rows - one.missing.reference;
      if (one.referenceClasses > fewestToTellApart && one.referenceClasses > present / 2) {
        const why = `it has ${counted(one.referenceClasses, 'value')} in ${counted(present, 'row')}: it tells rows apart rather than describing them. Add it to "ignore" to say so`;
        yield { ...column, status: 'skipped', why };
        continue;
      }
      const binned = binClasses(one);
      yield { column, bins: binned, counted: { bins: counted(binned.labels.length, 'class', 'classes'), values: '' } };
    }
  } finally {
    progress.end();
  }
}
