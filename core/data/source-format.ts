import { extname } from 'node:path';

export type Format = 'csv' | 'parquet' | 'jsonl';
export type Compression = 'gzip' | 'zstd';

/** What a file's name says of its content. */
export interface NamedFormat {
  readonly format: Format;
  readonly compression?: Compression;
}

export const supported =
  'CSV (.csv, .tsv), JSON lines (.jsonl, .ndjson), either with .gz or .zst, or Parquet (.parquet, .pq, or without an extension)';

const formats: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

const compressions: Readonly<Record<string, Compression>> = { '.gz': 'gzip', '.zst': 'zstd' };

/** The words of a format in messages. */
export const formatWords: Readonly<Record<Format, string>> = {
  csv: 'CSV text',
  parquet: 'Parquet',
  jsonl: 'JSON lines',
};

/** The format that a name stands for; the extension, and what to do about it, where it stands for none. */
export function formatOf(name: string): NamedFormat | { readonly extension: string; readonly fix: string } {
  const outer = extname(name).toLowerCase();
  const compression = compressions[outer];
  const extension = compression === undefined ? outer : extname(name.slice(0, -outer.length)).toLowerCase();
  const format = formats[extension];
  if (format === undefined) {
    return {
      extension: compression === undefined ? outer : `${extension}${outer}`,
      fix: fixes[outer] ?? 'Convert it to Parquet.',
    };
  }
  if (compression === undefined) return { format };
  if (format === 'parquet')
    return { extension: `${extension}${outer}`, fix: 'Unpack it: Parquet is compressed inside.' };
  return { format, compression };
}

/** DuckDB reads Arrow only with an extension that it would load from the network; what Python writes is compressed with LZ4 on top. */
export const arrowFix =
  "Convert it to Parquet in an earlier step: in Python \"pyarrow.parquet.write_table(pyarrow.feather.read_table('rows.arrow'), 'rows.parquet')\".";
const fixes: Readonly<Record<string, string>> = {
  '.gz': 'Name what is compressed (rows.csv.gz, rows.jsonl.gz); archives of several files are not read.',
  '.zst': 'Name what is compressed (rows.csv.zst, rows.jsonl.zst).',
  '.zip': 'Unpack it in an earlier step; archives are not read.',
  '.json': 'Write one object a line and name it .jsonl.',
  '.xlsx': 'Save the sheet as CSV, or convert it to Parquet.',
  '.xls': 'Save the sheet as CSV, or convert it to Parquet.',
  '.arrow': arrowFix,
  '.feather': arrowFix,
  '.ipc': arrowFix,
};
