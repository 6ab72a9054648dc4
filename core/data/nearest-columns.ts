import type { Place, Problem } from '../problem/index.ts';
import { excerpt, nearestNames } from '../text/index.ts';
import type { Column } from './table.ts';

/** The columns whose names are most like a name that is not there, else those that hold it; at most three. */
export function nearestColumns(name: string, columns: readonly Column[]): readonly string[] {
  const names = columns.map((column) => column.name);
  const nearest = nearestNames(name, names);
  const wanted = name.toLowerCase();
  const longer = names.filter((other) => other.toLowerCase().includes(wanted));
  return (nearest.length > 0 ? nearest : longer).slice(0, 3);
}

/** The problem of naming a column that a file lacks, with the nearest names it has. */
export function missingColumn(name: string, file: string, columns: readonly Column[], place?: Place): Problem {
  const near = nearestColumns(name, columns).map((column) => `"${excerpt(column, 40)}"`);
  const all = columns.slice(0, 12).map((column) => `"${excerpt(column.name, 40)}"`);
  return {
    code: 'missing-column',
    message: `column "${excerpt(name)}" is not in ${excerpt(file)}`,
    ...(place === undefined ? {} : { place }),
    fix:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : `The file has ${all.join(', ')}${columns.length > all.length ? ` and ${columns.length - all.length} more` : ''}.`,
  };
}
