import type { Table } from '../../core/data/index.ts';
import { type DataCheck, type DataSource, type EffectivePolicy, sourceName } from '../../core/policy/index.ts';
import { acceptedValues } from './checks/accepted-values.ts';
import { between } from './checks/between.ts';
import { classShare } from './checks/class-share.ts';
import { duplicateRows } from './checks/duplicate-rows.ts';
import { notNull } from './checks/not-null.ts';
import { regex } from './checks/regex.ts';
import { rowCount } from './checks/row-count.ts';
import { schema } from './checks/schema.ts';
import { unique } from './checks/unique.ts';
import type { Demand, PlannedCheck } from './planned-check.ts';

/** Every check of one source, in the policy's order: what each has to have counted, and how it then judges. Nothing is read yet. */
export function planSource(
  source: DataSource,
  index: number,
  table: Table,
  placeOf: EffectivePolicy['placeOf'],
): readonly PlannedCheck[] {
  return source.checks.flatMap((check, at) =>
    demandsOf(check, table).map((demand): PlannedCheck => {
      const [kind, options] = kindOf(check);
      return {
        id: `data/${sourceName(source.source)}/${demand.name}`,
        title: demand.title,
        place: placeOf(['data', index, 'checks', at, kind]),
        severity: options?.severity ?? 'error',
        ...(options?.reason === undefined ? {} : { reason: options.reason }),
        unit: demand.unit,
        needs: demand.needs,
        judge: demand.judge,
      };
    }),
  );
}

function demandsOf(check: DataCheck, table: Table): readonly Demand[] {
  if (check.row_count !== undefined) return rowCount(check.row_count, table);
  if (check.schema !== undefined) return schema(check.schema, table);
  if (check.not_null !== undefined) return notNull(check.not_null, table);
  if (check.between !== undefined) return between(check.between, table);
  if (check.accepted_values !== undefined) return acceptedValues(check.accepted_values, table);
  if (check.unique !== undefined) return unique(check.unique, table);
  if (check.class_share !== undefined) return classShare(check.class_share, table);
  if (check.duplicate_rows !== undefined) return duplicateRows(check.duplicate_rows, table);
  if (check.regex !== undefined) return regex(check.regex, table);
  throw new RangeError('a data check without a kind: the policy is not parsed');
}

/** The one key of a list entry, and what every kind has. */
function kindOf(
  check: DataCheck,
): [string, { readonly severity?: 'error' | 'warn' | undefined; readonly reason?: string | undefined } | undefined] {
  return Object.entries(check).find(([, options]) => options !== undefined) ?? ['', undefined];
}

/**
 * Columns that a source's checks treat as text, so that a CSV's `007` is not read as 7: those of `regex`, those declared `string`, and
 * those whose accepted values are all text. Where another check wants numbers of the column, its values decide.
 */
export function textColumns(source: DataSource): readonly string[] {
  const text = new Set<string>();
  const other = new Set<string>();
  for (const check of source.checks) {
    if (check.regex !== undefined) text.add(check.regex.column);
    if (check.between !== undefined) other.add(check.between.column);
    for (const [name, type] of Object.entries(check.schema?.types ?? {})) (type === 'string' ? text : other).add(name);
    const accepted = check.accepted_values;
    if (accepted !== undefined) {
      (accepted.values.every((value) => typeof value === 'string') ? text : other).add(accepted.column);
    }
  }
  return [...text].filter((name) => !other.has(name));
}
