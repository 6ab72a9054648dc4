import { distance } from 'fastest-levenshtein';
import type { Place, Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { Column } from './table.ts';

/** The columns whose names are most like a name that is not there, at most three; empty when none is alike. */
export function nearestColumns(name: string, columns: readonly Column[]): readonly string[] {
  const wanted = name.toLowerCase();
  const alike = columns
    .map((column) => ({ name: column.name, distance: distance(wanted, column.name.toLowerCase()) }))
    .filter((near) => near.distance <= Math.max(1, Math.floor(name.length / 3)));
  const least = Math.min(...alike.map((near) => near.distance));
  const nearest = alike.filter((near) => near.distance === least).map((near) => near.name);
  const longer = columns.map((column) => column.name).filter((other) => other.toLowerCase().includes(wanted));
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
