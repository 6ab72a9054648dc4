import { open } from 'node:fs/promises';
import { DataError } from '../problem/index.ts';
import { digestFile } from './digest.ts';
import { dataErrorOf } from './duckdb-error.ts';
import { quoteIdentifier, quotePath } from './quoting.ts';
import { type Relation, refuseBadNames } from './relation.ts';
import type { SourceFile } from './source-file.ts';

type Run = (sql: string) => Promise<readonly Record<string, unknown>[]>;

const magic = 'PAR1';

/** Opens a Parquet file in place: a query reads only the columns it names. */
export async function openParquet(run: Run, source: SourceFile): Promise<Relation> {
  await refuseCutOff(source);
  const path = quotePath(source.path);
  try {
    const [names, metadata] = await Promise.all([
      columnNames(run, path),
      run(`SELECT num_rows AS "rows" FROM parquet_file_metadata(${path})`),
    ]);
    refuseBadNames(names, source.name);
    const sha256 = digestFile(source.path);
    // Told where it is asked for; whoever never asks leaves it.
    sha256.catch(() => undefined);
    // DuckDB's own row numbers cannot be asked of a file that has a column of that name; counting in file order is slower and as right.
    const numbered = !names.some((name) => name.toLowerCase() === 'file_row_number');
    return {
      select: names.map(quoteIdentifier),
      rowNumber: numbered ? 'file_row_number + 1' : 'row_number() OVER ()',
      from: `read_parquet(${path}, hive_partitioning = false${numbered ? ', file_row_number = true' : ''})`,
      rows: Number(metadata[0]?.['rows']),
      sha256,
    };
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw dataErrorOf(error, { file: source.name }, [source.path]) ?? error;
  }
}

/** The names at the top level of the file's schema, before DuckDB makes clashing ones different. */
async function columnNames(run: Run, path: string): Promise<readonly string[]> {
  const nodes = await run(`SELECT name, num_children AS children FROM parquet_schema(${path})`);
  const names: string[] = [];
  // Depth first: the root, then each column followed by what it consists of.
  let inside = 0;
  for (const node of nodes.slice(1)) {
    if (inside === 0) names.push(String(node['name']));
    else inside--;
    inside += Number(node['children'] ?? 0);
  }
  return names;
}

async function refuseCutOff({ path, name, bytes }: SourceFile): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, Math.max(0, bytes - 8));
    const ended = bytes >= 12 && bytesRead === 8 && buffer.subarray(4).toString('latin1') === magic;
    if (ended && buffer.readUInt32LE(0) <= bytes - 12) return;
    throw new DataError({
      code: 'cut-off',
      message: 'the Parquet file is cut off',
      place: { file: name },
      found: `${bytes} bytes that do not end with ${ended ? 'a whole footer' : magic}`,
      expected: 'the footer a finished Parquet file ends with',
      fix: 'Write or download the file again, to its end.',
    });
  } finally {
    await handle.close();
  }
}
