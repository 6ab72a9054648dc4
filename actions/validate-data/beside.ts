import { rowNumberColumn, type Table } from '../../core/data/index.ts';
import type { Dialect } from './dialect.ts';
import { chosenSql } from './dialect.ts';
import type { BesideCondition, Chosen, Condition, Reference } from './measure.ts';

/** A condition, and of which rows. */
export interface Question {
  readonly condition: Condition;
  readonly where?: Chosen | undefined;
}

/** A table with columns beside its own: what a condition needs of other rows. */
export interface BesideTable {
  /** To put after FROM. */
  readonly sql: string;
  /** True of rows that break the condition; null or false of all others. */
  breaks(question: Question): string;
}

/** Where a condition has to look: at the row alone, at another table, at the rows before. One statement each answers all conditions of it. */
export type Reach = 'row' | 'reference' | 'sequence';

export function reachOf(condition: Condition): Reach {
  if (condition.kind === 'disordered') return 'sequence';
  return condition.kind === 'stranger' || condition.kind === 'known' ? 'reference' : 'row';
}

/** The table as the questions need it. All are of one place. */
export function besideTable(table: Table, questions: readonly Question[], dialect: Dialect): BesideTable {
  const columns = new Map<string, string>();
  const joins: string[] = [];
  const added: string[] = [];
  for (const { condition, where } of questions) {
    if (!isBeside(condition)) continue;
    const key = keyOf(condition, where);
    if (columns.has(key)) continue;
    const name = dialect.identifier(`sluice beside ${columns.size}`);
    columns.set(key, name);
    if (condition.kind === 'disordered') {
      const value = chosenValue(dialect.value(condition.column), where, dialect);
      added.push(`${dialect.previous(value, dialect.identifier(rowNumberColumn))} AS ${name}`);
    } else {
      const other = dialect.identifier(`sluice reference ${joins.length}`);
      joins.push(joinOf(condition.reference, other, dialect));
      added.push(`${other}."found" AS ${name}`);
    }
  }
  const own = dialect.identifier('sluice rows');
  return {
    sql:
      columns.size === 0
        ? table.sql
        : `(SELECT ${[`${own}.*`, ...added].join(', ')} FROM ${table.sql} AS ${own} ${joins.join(' ')}) AS ${dialect.identifier('sluice table')}`,
    breaks: ({ condition, where }) => {
      const chosen = chosenSql(where, dialect);
      const broken = isBeside(condition)
        ? besideBreaks(condition, columns.get(keyOf(condition, where)) ?? 'NULL', dialect)
        : dialect.breaks(condition);
      return chosen === undefined ? broken : `(${broken}) AND ${chosen}`;
    },
  };
}

/** The value in rows that are chosen, null in all others. */
export function chosenValue(value: string, where: Chosen | undefined, dialect: Dialect): string {
  const chosen = chosenSql(where, dialect);
  return chosen === undefined ? value : `CASE WHEN ${chosen} THEN ${value} ELSE NULL END`;
}

/** The different keys of another table: `SELECT k0, k1 ...`. */
export function keysOf({ table, pairs, missing }: Reference, dialect: Dialect): string {
  const keys = pairs.map(({ other }, index) => `${dialect.value(other)} AS k${index}`);
  const whole = missing === 'equal' ? '' : ` WHERE ${pairs.map((_, index) => `k${index} IS NOT NULL`).join(' AND ')}`;
  const names = pairs.map((_, index) => `k${index}`).join(', ');
  return `SELECT DISTINCT ${names} FROM (SELECT ${keys.join(', ')} FROM ${table.sql}) AS "keys"${whole}`;
}

function joinOf(reference: Reference, name: string, dialect: Dialect): string {
  const names = reference.pairs.map((_, index) => `k${index}`).join(', ');
  const alike = reference.pairs.map(({ own }, index) => {
    const [one, other] = [dialect.value(own), `${name}.k${index}`];
    return reference.missing === 'equal' ? dialect.same(one, other, own) : `${one} = ${other}`;
  });
  return `LEFT JOIN (SELECT ${names}, true AS "found" FROM (${keysOf(reference, dialect)}) AS "different") AS ${name} ON ${alike.join(' AND ')}`;
}

function besideBreaks(condition: BesideCondition, beside: string, dialect: Dialect): string {
  if (condition.kind === 'disordered') {
    const value = dialect.value(condition.column);
    const wrong = condition.direction === 'increasing' ? '<' : '>';
    return `${value} ${wrong}${condition.strict ? '=' : ''} ${beside}`;
  }
  if (condition.kind === 'known') return `${beside} IS NOT NULL`;
  const { pairs, missing } = condition.reference;
  const present = missing === 'equal' ? [] : pairs.map(({ own }) => `NOT ${dialect.isMissing(own)}`);
  return [...present, `${beside} IS NULL`].join(' AND ');
}

function isBeside(condition: Condition): condition is BesideCondition {
  return reachOf(condition) !== 'row';
}

function keyOf(condition: BesideCondition, where: Chosen | undefined): string {
  return condition.kind === 'disordered'
    ? JSON.stringify([condition.column.name, where])
    : JSON.stringify(condition.reference);
}
