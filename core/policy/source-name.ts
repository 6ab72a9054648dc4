import { posix } from 'node:path';
import type { SourceOfRows } from './engines-schema.ts';

/** What reports call a source: the file as the policy writes it, `trino:hive.sales.orders`. */
export function sourceName(source: SourceOfRows): string {
  return typeof source === 'string' ? source : `${source.engine}:${source.table}`;
}

/** One spelling a source: `./data/a.csv` is `data/a.csv`, and engines do not tell capitals in names. */
export function sameSource(source: SourceOfRows): string {
  return typeof source === 'string' ? posix.normalize(source) : sourceName(source).toLowerCase();
}
