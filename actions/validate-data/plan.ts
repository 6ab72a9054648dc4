import type { Table } from '../../core/data/index.ts';
import {
  type DataCheck,
  type DataCheckName,
  type DataCheckOptions,
  type DataSource,
  type EffectivePolicy,
  type SourceOfRows,
  sourceName,
} from '../../core/policy/index.ts';
import { acceptedValues, notAcceptedValues } from './checks/accepted-values.ts';
import { between } from './checks/between.ts';
import { classShare } from './checks/class-share.ts';
import { duplicateRows } from './checks/duplicate-rows.ts';
import { freshness } from './checks/freshness.ts';
import { labelConflicts } from './checks/label-conflicts.ts';
import { length } from './checks/length.ts';
import { monotonic } from './checks/monotonic.ts';
import { notNull } from './checks/not-null.ts';
import { newCategories, relationships, trainTestOverlap } from './checks/references.ts';
import { regex } from './checks/regex.ts';
import { rowCount } from './checks/row-count.ts';
import { schema } from './checks/schema.ts';
import { skew } from './checks/skew.ts';
import { sql } from './checks/sql.ts';
import { correlation, quantile, statistic } from './checks/statistic.ts';
import { unique } from './checks/unique.ts';
import { ofChosenRows } from './chosen-rows.ts';
import type { Demand, PlannedCheck } from './planned-check.ts';
import type { Subject } from './subject.ts';

/** What every check of a source is planned on. */
export type SourceSubject = Omit<Subject, 'where'>;

const demandsOf: {
  readonly [Name in DataCheckName]: (options: DataCheckOptions<Name>, subject: Subject) => readonly Demand[];
} = {
  row_count: rowCount,
  schema,
  not_null: notNull,
  between,
  accepted_values: acceptedValues,
  not_accepted_values: notAcceptedValues,
  regex,
  length,
  unique,
  duplicate_rows: duplicateRows,
  mean: (options, subject) => statistic('mean', options, subject),
  std: (options, subject) => statistic('std', options, subject),
  sum: (options, subject) => statistic('sum', options, subject),
  min: (options, subject) => statistic('min', options, subject),
  max: (options, subject) => statistic('max', options, subject),
  quantile,
  distinct_count: (options, subject) => statistic('distinct_count', options, subject),
  distinct_share: (options, subject) => statistic('distinct_share', options, subject),
  class_share: classShare,
  correlation,
  monotonic,
  freshness,
  relationships,
  new_categories: newCategories,
  train_test_overlap: trainTestOverlap,
  label_conflicts: labelConflicts,
  skew,
  sql,
};

/** Every check of one source, in the policy's order: what each has to have counted, and how it then judges. Nothing is read yet. */
export function planSource(
  source: DataSource,
  index: number,
  subject: SourceSubject,
  placeOf: EffectivePolicy['placeOf'],
): readonly PlannedCheck[] {
  return source.checks.flatMap((check, at) => {
    const [kind, options] = kindOf(check);
    return demandsOfKind(kind, check, subject).map(
      (demand): PlannedCheck => ({
        asked: { kind, check, ...(demand.column === undefined ? {} : { column: demand.column }) },
        id: `data/${sourceName(source.source)}/${demand.name}`,
        title: demand.title,
        place: placeOf(['data', index, 'checks', at, kind]),
        severity: options.severity ?? 'error',
        ...(options.reason === undefined ? {} : { reason: options.reason }),
        unit: demand.unit,
        needs: demand.needs,
        judge: demand.judge,
      }),
    );
  });
}

function demandsOfKind<Name extends DataCheckName>(
  name: Name,
  check: DataCheck,
  subject: SourceSubject,
): readonly Demand[] {
  const options = check[name] as DataCheckOptions<Name>;
  const where = 'where' in options ? options.where : undefined;
  const make: (options: DataCheckOptions<Name>, subject: Subject) => readonly Demand[] = demandsOf[name];
  return ofChosenRows(name, where, subject.table, (chosen) => make(options, { ...subject, where: chosen }));
}

/**
 * The other files and tables that a source's checks compare it with, by what reports call them, each with the columns to read as text because
 * what they are compared with is: a CSV's `007` is then the same key on both sides.
 */
export function otherRows(
  source: DataSource,
  table: Table,
): ReadonlyMap<string, { readonly source: SourceOfRows; readonly text: ReadonlySet<string> }> {
  const others = new Map<string, { readonly source: SourceOfRows; readonly text: Set<string> }>();
  const compare = (other: SourceOfRows, own: readonly string[], fields: readonly string[]) => {
    const { text } = others.get(sourceName(other)) ?? { text: new Set<string>() };
    for (const [index, name] of own.entries()) {
      const isText = table.columns.find((column) => column.name === name)?.type === 'string';
      if (isText) text.add(fields[index] ?? name);
    }
    others.set(sourceName(other), { source: other, text });
  };
  const all = table.columns.map(({ name }) => name);
  for (const { relationships: key, new_categories: known, train_test_overlap: overlap, skew: apart } of source.checks) {
    if (key !== undefined) compare(key.to, key.columns, key.fields ?? key.columns);
    if (known !== undefined) compare(known.reference, [known.column], [known.field ?? known.column]);
    if (overlap !== undefined) compare(overlap.reference, overlap.columns ?? all, overlap.columns ?? all);
    if (apart !== undefined) compare(apart.reference, all, all);
  }
  return others;
}

/** The one key of a list entry, and what every kind has. */
export function kindOf(
  check: DataCheck,
): readonly [
  DataCheckName,
  { readonly severity?: 'error' | 'warn' | undefined; readonly reason?: string | undefined },
] {
  const [kind, options] = Object.entries(check).find(([, found]) => found !== undefined) ?? [];
  if (kind === undefined || options === undefined)
    throw new RangeError('a data check without a kind: the policy is not parsed');
  return [kind as DataCheckName, options];
}

/**
 * Columns that a source's checks treat as text, so that a CSV's `007` is not read as 7: those of `regex`, those declared `string`, and
 * those whose accepted values are all text. Where another check wants numbers of the column, its values decide.
 */
export function textColumns(source: DataSource): readonly string[] {
  const text = new Set<string>();
  const other = new Set<string>();
  for (const check of source.checks) {
    for (const { column } of [check.regex, check.length].filter((one) => one !== undefined)) text.add(column);
    for (const { column } of [
      check.between,
      check.mean,
      check.std,
      check.sum,
      check.min,
      check.max,
      check.quantile,
    ].filter((one) => one !== undefined))
      other.add(column);
    for (const column of check.correlation?.columns ?? []) other.add(column);
    if (check.freshness !== undefined) other.add(check.freshness.column);
    for (const [name, type] of Object.entries(check.schema?.types ?? {})) (type === 'string' ? text : other).add(name);
    const accepted = check.accepted_values ?? check.not_accepted_values;
    if (accepted !== undefined) {
      (accepted.values.every((value) => typeof value === 'string') ? text : other).add(accepted.column);
    }
  }
  return [...text].filter((name) => !other.has(name));
}
