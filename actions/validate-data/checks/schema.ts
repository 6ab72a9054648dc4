import { type Column, nearestColumns } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { type Demand, settled } from '../planned-check.ts';
import type { Subject } from '../subject.ts';
import { counted } from '../wording.ts';

/** Names of this many columns are listed; of more, how many more. */
const listed = 10;

/** Columns that must be there, their types, and whether others may be. Integers are numbers; nothing else is two types. */
export function schema(options: DataCheckOptions<'schema'>, { table }: Subject): readonly Demand[] {
  const types = new Map(Object.entries(options.types ?? {}));
  const named = [...new Set([...(options.required ?? []), ...types.keys()])];
  const columns = new Map(table.columns.map((column) => [column.name, column]));

  const missing = named.filter((name) => !columns.has(name));
  // A CSV without rows has no types.
  const typed = table.rows === 0 && table.file.match(/\.[ct]sv$/i) ? [] : [...types];
  const mistyped = typed.flatMap(([name, type]) => {
    const column = columns.get(name);
    return column === undefined || isOf(column, type) ? [] : [{ name, type, column }];
  });
  const extra = options.extra === 'forbid' ? table.columns.filter((column) => !named.includes(column.name)) : [];

  const faults = [
    ...missing.map((name) => {
      const near = nearestColumns(name, table.columns).map(quoted);
      return `${quoted(name)} is missing${near.length === 0 ? '' : ` (did you mean ${near.join(' or ')}?)`}`;
    }),
    ...mistyped.map(({ name, type, column }) => `${quoted(name)} is ${column.type} (${column.sqlType}), not ${type}`),
    ...(options.order === 'kept' ? outOfOrder(options.required ?? [], table.columns) : []),
    ...extra.map((column) => `${quoted(column.name)} is not a column of the policy`),
  ];
  const demand = [
    ...(named.length === 0 ? [] : [`${some(named.map(quoted))} present`]),
    ...(types.size === 0 ? [] : [`${counted(types.size, 'type')} as declared`]),
    ...(options.order === 'kept' ? ['in this order'] : []),
    ...(options.extra === 'forbid' ? ['no other column'] : []),
  ].join(', ');
  const bound = { kind: 'must_hold', value: demand } as const;
  const observed = counted(table.columns.length, 'column');
  const found = { observed, bound };
  if (faults.length > 0) {
    return [settled('schema', 'schema', { outcome: 'broken', message: `${some(faults, '; ')}.`, ...found })];
  }
  if (typed.length < types.size) {
    const message = 'The file has no rows, so its columns have no types to judge. Check what writes it.';
    return [settled('schema', 'schema', { outcome: 'unjudged', message, ...found })];
  }
  return [settled('schema', 'schema', { outcome: 'holds', message: `The file has ${demand}.`, ...found })];
}

/** The first column that stands before one it should follow. */
function outOfOrder(required: readonly string[], columns: readonly Column[]): readonly string[] {
  const placeOf = (name: string) => columns.findIndex((column) => column.name === name);
  const there = required.filter((name) => placeOf(name) !== -1);
  const at = there.findIndex((name, index) => index > 0 && placeOf(name) < placeOf(there[index - 1] ?? name));
  return at === -1
    ? []
    : [`${quoted(there[at] ?? '')} stands before ${quoted(there[at - 1] ?? '')}, and should follow it`];
}

function isOf(column: Column, type: string): boolean {
  return column.type === type || (type === 'number' && column.type === 'integer');
}

function quoted(name: string): string {
  return `"${excerpt(name, 60)}"`;
}

function some(items: readonly string[], separator = ', '): string {
  const left = items.length - listed;
  return items.slice(0, listed).join(separator) + (left > 0 ? `${separator}and ${left} more` : '');
}
