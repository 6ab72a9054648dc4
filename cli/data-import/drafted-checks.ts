import type { DataCheck } from '../../core/policy/index.ts';

/** What an assertion of another tool becomes. */
export interface Drafted {
  /** As the other tool calls it: `expect_column_values_to_be_unique(column: id)`. */
  readonly from: string;
  readonly checks: readonly DataCheck[];
  /** What the reader should know: where the two differ. */
  readonly note?: string;
}

/** An assertion that has no counterpart. */
export interface Left {
  readonly from: string;
  readonly why: string;
}

/** A policy's checks drafted from another tool's, and what was left. */
export interface Draft {
  /** What was read: `Great Expectations suite "orders"`. */
  readonly of: string;
  readonly drafted: readonly Drafted[];
  readonly left: readonly Left[];
}

/** A text of an SQL name or value. */
export const sqlName = (name: unknown) => `"${String(name).replaceAll('"', '""')}"`;
export const sqlValue = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : `'${String(value).replaceAll("'", "''")}'`;

/** A check by a SELECT of rows of the table. */
export function bySelect(name: string, where: string, mostly?: number): DataCheck {
  return { sql: { name, select: `SELECT * FROM data WHERE ${where}`, ...(mostly === undefined ? {} : { mostly }) } };
}

/** The number next above: what is over 5 is at least that. */
export function nextUp(value: number): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return Number.MIN_VALUE;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

/** The number next below. */
export function nextDown(value: number): number {
  return -nextUp(-value);
}
