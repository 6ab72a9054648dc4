import { type Column, missingColumn, type Table } from '../../../core/data/index.ts';
import { type DataCheckOptions, sourceName } from '../../../core/policy/index.ts';
import { describeProblem } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { allColumns, eachColumn } from '../column-of.ts';
import type { NewcomersMeasure, Reference } from '../measure.ts';
import { type Demand, settled } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import { shareOfRows } from '../share-of-rows.ts';
import { masked, ofRows, type Subject } from '../subject.ts';
import { counted } from '../wording.ts';

/** Every key is there in another table. Rows that miss a part of the key are not judged, as in SQL. */
export function relationships(options: DataCheckOptions<'relationships'>, subject: Subject): readonly Demand[] {
  const { columns: names, fields = names, mostly = 1 } = options;
  const to = sourceName(options.to);
  const { table, where } = subject;
  return allColumns('relationships', names, table, (columns, name) => {
    const title = `${columns.map((column) => excerpt(column.name, 60)).join(', ')} in ${excerpt(to, 60)}`;
    const reference = referenceOf(columns, fields, subject.other(to), 'apart');
    if ('refused' in reference) return settled(name, title, { outcome: 'unjudged', message: reference.refused });
    return rowShare(
      {
        name,
        title,
        columns,
        by: { kind: 'stranger', reference },
        among: 'values',
        mostly,
        where,
        holds: `is in ${excerpt(to, 60)}`,
        broken: `are not in ${excerpt(to, 60)}`,
        brokenOne: `is not in ${excerpt(to, 60)}`,
      },
      table.rows,
    );
  });
}

/** No values that a reference does not have: what an encoder has never seen. */
export function newCategories(options: DataCheckOptions<'new_categories'>, subject: Subject): readonly Demand[] {
  const { column: named, field = named, mostly = 1 } = options;
  const file = sourceName(options.reference);
  const { table, where, isSensitive } = subject;
  return eachColumn('new_categories', [named], table, (column, name) => {
    const title = `${excerpt(column.name, 60)} without values new to ${excerpt(file, 60)}`;
    const reference = referenceOf([column], [field], subject.other(file), 'apart');
    if ('refused' in reference) return settled(name, title, { outcome: 'unjudged', message: reference.refused });
    const demand = rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'stranger', reference },
        among: 'values',
        mostly,
        where,
        holds: 'is known',
        broken: 'are new',
        brokenOne: 'is new',
      },
      table.rows,
    );
    const newcomers: NewcomersMeasure = { kind: 'newcomers', reference, ...ofRows(where) };
    return {
      ...demand,
      needs: [...demand.needs, newcomers],
      judge: (measurements) => {
        const judged = demand.judge(measurements);
        const found = measurements.newcomers(newcomers);
        if (judged.failing === undefined || found.count === 0) return judged;
        const list = found.listed.map(({ name: value }) =>
          isSensitive(column) ? masked : value === '' ? '""' : excerpt(value, 40),
        );
        const more = found.count > list.length ? ', …' : '';
        const told = isSensitive(column)
          ? counted(found.count, 'new value')
          : `${counted(found.count, 'new value')}: ${list.join(', ')}${more}`;
        return { ...judged, message: `${judged.message} ${told}.` };
      },
    };
  });
}

/** Rows that are in another file too. Two missing values are equal, as in `duplicate_rows`. */
export function trainTestOverlap(options: DataCheckOptions<'train_test_overlap'>, subject: Subject): readonly Demand[] {
  const { max_share: most } = options;
  const file = sourceName(options.reference);
  const { table } = subject;
  const names = options.columns ?? table.columns.map((column) => column.name);
  return allColumns('train_test_overlap', names, table, (columns, plain) => {
    const name = options.columns === undefined ? 'train_test_overlap' : plain;
    const what = options.columns === undefined ? 'rows' : columns.map((column) => excerpt(column.name, 40)).join(', ');
    const title = `${what} also in ${excerpt(file, 60)}`;
    const reference = referenceOf(columns, names, subject.other(file), 'equal');
    if ('refused' in reference) return settled(name, title, { outcome: 'unjudged', message: reference.refused });
    return shareOfRows(
      {
        name,
        title,
        most,
        columns,
        by: { kind: 'known', reference },
        none: `is in ${excerpt(file, 60)} too`,
        one: `is in ${excerpt(file, 60)} too`,
        many: `are in ${excerpt(file, 60)} too`,
      },
      subject,
    );
  });
}

/** The columns of both tables side by side, or why they cannot be compared. */
function referenceOf(
  columns: readonly Column[],
  fields: readonly string[],
  other: Table,
  missing: Reference['missing'],
): Reference | { readonly refused: string } {
  const pairs: { own: Column; other: Column }[] = [];
  const refused: string[] = [];
  for (const [index, own] of columns.entries()) {
    const field = fields[index] ?? own.name;
    const column = other.columns.find(({ name }) => name === field);
    if (column === undefined) refused.push(describeProblem(missingColumn(field, other.file, other.columns)));
    else if (kindOf(column) !== kindOf(own)) {
      refused.push(
        `Column "${excerpt(own.name)}" is ${own.type} and "${excerpt(field)}" of ${excerpt(other.file)} is ${column.type}: no value of one equals one of the other. Write both alike.`,
      );
    } else pairs.push({ own, other: column });
  }
  return refused.length === 0 ? { table: other, pairs, missing } : { refused: refused.join(' ') };
}

/** Integers and other numbers are compared as numbers, dates and times as times. */
function kindOf({ type }: Column): string {
  if (type === 'integer') return 'number';
  return type === 'date' ? 'timestamp' : type;
}
