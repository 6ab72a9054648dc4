/** A column that folders named `key=value` stand for: one value a file. */
export interface PartitionColumn {
  readonly name: string;
  readonly sqlType: 'BIGINT' | 'DATE' | 'VARCHAR';
  readonly values: readonly (string | null)[];
}

const missing = '__HIVE_DEFAULT_PARTITION__';

/** The partitions in the folders of a path, outermost first: `year=2026/month=01/part.parquet` has year and month. */
function partitionsOf(path: string): readonly (readonly [key: string, value: string])[] {
  return path
    .split(/[\\/]/)
    .slice(0, -1)
    .flatMap((folder): [string, string][] => {
      const at = folder.indexOf('=');
      return at > 0 ? [[decoded(folder.slice(0, at)), decoded(folder.slice(at + 1))]] : [];
    });
}

/**
 * The partition columns of files; or two of the files whose folders do not have the same keys. Values are integers or dates where all of
 * them are, else text.
 */
export function partitionColumns(
  paths: readonly string[],
): readonly PartitionColumn[] | { readonly differing: readonly [number, number] } {
  const all = paths.map(partitionsOf);
  const keysOf = (index: number) => JSON.stringify(all[index]?.map(([key]) => key));
  const other = all.findIndex((_, index) => keysOf(index) !== keysOf(0));
  if (other !== -1) return { differing: [0, other] };
  return (all[0] ?? []).map(([name], at): PartitionColumn => {
    const values = all.map((partitions) => partitions[at]?.[1] ?? missing);
    const known = values.filter((value) => value !== missing);
    const every = (form: RegExp) => known.length > 0 && known.every((value) => form.test(value));
    const sqlType = every(/^-?\d{1,15}$/) ? 'BIGINT' : known.every(isDate) && known.length > 0 ? 'DATE' : 'VARCHAR';
    return { name, sqlType, values: values.map((value) => (value === missing ? null : value)) };
  });
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Writers percent-encode what a folder name cannot hold. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
