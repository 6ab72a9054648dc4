import type { Place, Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import type { Column } from './table.ts';

type Scalar = string | number | boolean;

/** What a row must have in a column, in the words of a policy's `where`: a value, one of several, or a range with both ends counted. */
export type RowCondition =
  | Scalar
  | readonly Scalar[]
  | { readonly min?: number | string | undefined; readonly max?: number | string | undefined };

/** How a SQL engine writes names and values. */
export interface SqlLiterals {
  identifier(name: string): string;
  text(value: string): string;
  double(value: number): string;
  /** `value` is `2026-08-01` or `2026-08-01 12:30:00`, in UTC. */
  timestamp(value: string): string;
}

export const duckdbLiterals: SqlLiterals = {
  identifier: quoteIdentifier,
  text: quoteLiteral,
  double: (value) => `CAST(${quoteLiteral(String(value))} AS DOUBLE)`,
  timestamp: (value) => `CAST(${quoteLiteral(value)} AS TIMESTAMP)`,
};

/** A condition as SQL of literals alone, or what keeps it from being asked. Rows without a value do not meet it. */
export function conditionSql(
  column: Column,
  condition: RowCondition,
  words: SqlLiterals,
  place: Place,
): string | Problem {
  const name = words.identifier(column.name);
  const values: readonly Scalar[] = isList(condition)
    ? condition
    : typeof condition === 'object'
      ? [condition.min, condition.max].filter((end) => end !== undefined)
      : [condition];
  const literals = values.map((value) => literalOf(value, column, words));
  const bad = values.find((_, index) => literals[index] === undefined);
  if (bad !== undefined) {
    return {
      code: 'condition-type',
      message: `the condition on "${excerpt(column.name)}" is about something else than the column holds`,
      place,
      found: excerpt(JSON.stringify(bad)),
      expected: expected[column.type],
      fix: 'Correct the condition, or how the file is written.',
    };
  }
  if (isList(condition) || typeof condition !== 'object') return `${name} IN (${literals.join(', ')})`;
  const lower = condition.min === undefined ? undefined : literals[0];
  const upper = condition.max === undefined ? undefined : literals.at(-1);
  return [
    ...(lower === undefined ? [] : [`${name} >= ${lower}`]),
    ...(upper === undefined ? [] : [`${name} <= ${upper}`]),
  ].join(' AND ');
}

const expected: Readonly<Record<Column['type'], string>> = {
  integer: 'a number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  date: 'a date such as "2026-08-01"',
  timestamp: 'a date such as "2026-08-01", or with a time "2026-08-01 12:30:00"',
  other: 'a column of numbers, text, dates or true and false',
};

function literalOf(value: Scalar, { type }: Column, words: SqlLiterals): string | undefined {
  switch (type) {
    case 'integer':
    case 'number':
      return typeof value === 'number' ? words.double(value) : undefined;
    case 'string':
      return typeof value === 'string' ? words.text(value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'date':
    case 'timestamp':
      return typeof value === 'string' && isMoment(value) ? words.timestamp(value.replace('T', ' ')) : undefined;
    case 'other':
      return undefined;
  }
}

/** Whether a text is a date of the calendar, with or without a time: `2026-08-01`, `2026-08-01 12:30`, `2026-08-01T12:30:00`. */
export function isMoment(text: string): boolean {
  const [, date] = /^(\d{4}-\d{2}-\d{2})(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)?$/.exec(text) ?? [];
  // The calendar has no 31st of June, and JavaScript would take it for the 1st of July.
  return date !== undefined && !Number.isNaN(Date.parse(date)) && new Date(date).toISOString().startsWith(date);
}

function isList(condition: RowCondition): condition is readonly Scalar[] {
  return Array.isArray(condition);
}
