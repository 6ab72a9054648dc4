import type { Column } from '../data/index.ts';
import { missingColumn, nearestColumns } from '../data/index.ts';
import type { DriftPolicy } from '../policy/index.ts';
import { describeProblem, type Place } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { DriftRows } from './drift-rows.ts';

/** What a column is to the model. */
export type Role = 'feature' | 'prediction' | 'target';

/** A column that both sides have, to be compared as numbers or as classes. */
export interface ComparedColumn {
  readonly name: string;
  readonly role: Role;
  readonly kind: 'numbers' | 'classes';
  readonly place: Place;
}

/** A column that is not compared, and whether that is a fault. */
export interface LeftColumn {
  readonly name: string;
  readonly role: Role;
  readonly status: 'skipped' | 'error';
  readonly why: string;
  readonly place: Place;
}

export interface ColumnChoice {
  readonly compared: readonly ComparedColumn[];
  readonly left: readonly LeftColumn[];
  /** Columns that only the current data has. */
  readonly added: readonly string[];
}

/**
 * The columns that a policy compares: those it names, or all of the reference; then prediction and target. A column that the current data lacks,
 * or has as another type, is an error: data that lost a column has drifted furthest of all.
 */
export function chooseColumns(
  choice: Pick<DriftPolicy, 'columns' | 'ignore' | 'prediction' | 'target'>,
  placeOf: (key: 'columns' | 'prediction' | 'target') => Place,
  reference: DriftRows,
  current: DriftRows,
): ColumnChoice {
  const { columns = 'all', ignore = [], prediction, target } = choice;
  const apart = [prediction, target].filter((name) => name !== undefined);
  const chosenBy = new Set([...reference.chosenBy, ...current.chosenBy]);
  const place = placeOf('columns');
  const named = columns !== 'all';
  const features = (named ? [...new Set(columns)] : reference.table.columns.map(({ name }) => name))
    .filter((name) => !apart.includes(name) && !ignore.includes(name) && (named || !chosenBy.has(name)))
    .map((name) => ({ name, role: 'feature' as const, place, named }));
  const wanted = [
    ...features,
    ...(prediction === undefined
      ? []
      : [
          {
            name: prediction,
            role: 'prediction' as const,
            place: placeOf('prediction'),
            named: true,
          },
        ]),
    ...(target === undefined ? [] : [{ name: target, role: 'target' as const, place: placeOf('target'), named: true }]),
  ];
  const compared: ComparedColumn[] = [];
  const left: LeftColumn[] = [];
  for (const { name, role, place: at, named: asked } of wanted) {
    const [one, other] = [reference, current].map(({ table }) => table.columns.find((column) => column.name === name));
    const head = { name, role, place: at };
    const lacking = one === undefined ? reference.table : other === undefined ? current.table : undefined;
    if (lacking !== undefined || one === undefined || other === undefined) {
      const table = lacking ?? current.table;
      left.push({ ...head, status: 'error', why: lack(name, table.file, table.columns, asked) });
      continue;
    }
    const [kind, otherKind] = [kindOf(one), kindOf(other)];
    if (kind === undefined || otherKind === undefined) {
      const why = `its values (${one.type}, ${other.type}) are neither numbers nor classes`;
      left.push({ ...head, status: asked ? 'error' : 'skipped', why });
    } else if (kind !== otherKind || (one.type === 'boolean') !== (other.type === 'boolean')) {
      const why = `it is ${one.type} (${one.sqlType}) in the reference and ${other.type} (${other.sqlType}) now. Correct what writes it`;
      left.push({ ...head, status: 'error', why });
    } else compared.push({ ...head, kind });
  }
  const known = new Set(reference.table.columns.map(({ name }) => name));
  return { compared, left, added: current.table.columns.map(({ name }) => name).filter((name) => !known.has(name)) };
}

function lack(name: string, file: string, columns: readonly Column[], asked: boolean): string {
  const problem = describeProblem(missingColumn(name, file, columns));
  if (asked || nearestColumns(name, columns).length > 0) return problem;
  return `${problem} Or add it to "ignore"`;
}

function kindOf({ type }: Column): ComparedColumn['kind'] | undefined {
  if (type === 'integer' || type === 'number') return 'numbers';
  return type === 'string' || type === 'boolean' ? 'classes' : undefined;
}

/** `age`, `prediction score`: a column in a title. */
export function titleOf({ name, role }: Pick<ComparedColumn, 'name' | 'role'>): string {
  return `${role === 'feature' ? '' : `${role} `}${excerpt(name, 60)}`;
}
