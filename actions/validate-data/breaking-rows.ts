import { type Column, quoteIdentifier, quoteLiteral } from '../../core/data/index.ts';
import type { PlainCondition } from './measure.ts';

/** The words in which engines differ where they say which rows break a check. */
export interface BreakingWords {
  isMissing(column: Column): string;
  /** True of NaN in a column that may hold it; undefined of others. */
  isNaN(column: Column): string | undefined;
  /** A number as a literal that compares with the column exactly. */
  number(value: number, column: Column): string;
  timestamp(value: string): string;
  /** The column as what text is compared with. */
  compared(column: Column): string;
  /** True where a column's text is in a list; null where it is missing. Undefined: `IN` serves as well. */
  isListed?(column: Column, values: readonly string[]): string | undefined;
  /** True of text that a pattern of RE2 does not match as a whole. */
  unmatched(name: string, pattern: string): string;
  /** A number from text, or null. */
  tryNumber(name: string): string;
}

/** True of rows that break a check; null or false of all others. NaN breaks none but `missing`: engines order it where they like. */
export function breakingRows(condition: PlainCondition, words: BreakingWords): string {
  const { column } = condition;
  const name = quoteIdentifier(column.name);
  const nan = words.isNaN(column);
  const exceptNaN = nan === undefined ? '' : ` AND NOT ${nan}`;
  switch (condition.kind) {
    case 'missing':
      return words.isMissing(column);
    case 'outside': {
      const end = (bound: number | string) =>
        typeof bound === 'number' ? words.number(bound, column) : words.timestamp(bound);
      return `${outside(name, condition, end)}${exceptNaN}`;
    }
    case 'unaccepted':
    case 'forbidden': {
      const texts = condition.values.filter((listed) => typeof listed === 'string');
      const found = texts.length === condition.values.length ? words.isListed?.(column, texts) : undefined;
      if (found !== undefined) return condition.kind === 'forbidden' ? found : `NOT ${found}`;
      const values = condition.values.map((listed) =>
        typeof listed === 'number'
          ? words.number(listed, column)
          : typeof listed === 'boolean'
            ? String(listed)
            : quoteLiteral(listed),
      );
      const listed = condition.kind === 'forbidden' ? 'IN' : 'NOT IN';
      return `${words.compared(column)} ${listed} (${values.join(', ')})${exceptNaN}`;
    }
    case 'unmatched':
      return words.unmatched(name, condition.pattern);
    case 'mislength':
      return outside(`length(${name})`, condition, String);
    case 'unnumeric':
      return `${name} IS NOT NULL AND ${words.tryNumber(name)} IS NULL`;
  }
}

function outside<End>(
  value: string,
  { min, max }: { readonly min?: End | undefined; readonly max?: End | undefined },
  end: (bound: End) => string,
): string {
  const sides = [
    ...(min === undefined ? [] : [`${value} < ${end(min)}`]),
    ...(max === undefined ? [] : [`${value} > ${end(max)}`]),
  ];
  return `(${sides.join(' OR ')})`;
}
