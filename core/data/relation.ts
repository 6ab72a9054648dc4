import { DataError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { rowNumberColumn } from './table.ts';

/** What a reader made of a file: the parts of a SELECT, and what was learnt on the way. */
export interface Relation {
  /** Expressions of the data columns. */
  readonly select: readonly string[];
  /** The expression that counts rows from 1 in file order. */
  readonly rowNumber: string;
  readonly from: string;
  readonly rows: number;
  /** Of the bytes that were read; it may still be worked out while the rows are asked for. */
  readonly sha256: Promise<string>;
  /** How a CSV is written, in words. */
  readonly dialect?: string;
}

/** A statement over more columns than this takes DuckDB minutes to plan, before it reads a row. */
const mostColumns = 20_000;

/**
 * Throws a `DataError` for a header that cannot be worked with: too many names, one that is there twice, or one that Sluice uses. DuckDB
 * does not tell apart names that differ in case only and renames the second; a check on it would then read the wrong column.
 */
export function refuseBadNames(names: readonly string[], file: string, line?: number): void {
  const place = { file, ...(line === undefined ? {} : { line }) };
  if (names.length > mostColumns) {
    throw new DataError({
      code: 'too-many-columns',
      message: 'the file has more columns than can be worked with',
      place,
      found: `${names.length} columns`,
      expected: `at most ${mostColumns}`,
      fix: 'Leave out the columns that neither the model nor a check reads.',
    });
  }
  const seen = new Map<string, string>();
  for (const name of names) {
    const key = name.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw new DataError({
        code: 'duplicate-column',
        message: `the column name "${excerpt(name)}" is there twice`,
        place,
        ...(other === name ? {} : { found: `"${excerpt(other)}" and "${excerpt(name)}", which differ only in case` }),
        fix: 'Rename one of the two.',
      });
    }
    if (key === rowNumberColumn) {
      throw new DataError({
        code: 'reserved-column',
        message: `the column name "${excerpt(name)}" is one that Sluice uses itself`,
        place,
        fix: 'Rename the column.',
      });
    }
    seen.set(key, name);
  }
}
