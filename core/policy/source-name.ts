import { posix } from 'node:path';
import { isAddress } from '../text/index.ts';
import type { SourceOfRows } from './engines-schema.ts';

/** What reports call a source: the file as the policy writes it, `trino:hive.sales.orders`. */
export function sourceName(source: SourceOfRows): string {
  return typeof source === 'string' ? source : `${source.engine}:${source.table}`;
}

/** One spelling a source: `./data/a.csv` is `data/a.csv`, and engines do not tell capitals in names. Keys of a bucket have only the one they have. */
export function sameSource(source: SourceOfRows): string {
  if (typeof source !== 'string') return sourceName(source).toLowerCase();
  return isAddress(source) ? source : posix.normalize(source);
}
