import { describe, expect, it } from 'vitest';
import { dataErrorOf, distill } from './duckdb-error.ts';

const outOfMemory = new Error(
  'Out of Memory Error: failed to allocate data of size 32.0 MiB (1.8 GiB/1.8 GiB used)\n\nPossible solutions:\n* Reducing the number of threads',
);

describe('what DuckDB says', () => {
  it('keeps its amounts: only paths are taken out', () => {
    expect(dataErrorOf(outOfMemory, {}, [])?.problems[0]).toMatchObject({
      code: 'out-of-memory',
      found: 'failed to allocate data of size 32.0 MiB (1.8 GiB/1.8 GiB used)',
    });
  });

  it('keeps values that only look like paths', () => {
    const error = new Error("Conversion Error: Could not convert string '/a/b' to INT64 in input 3/4");
    expect(distill(error, ['/home/me/a.csv']).message).toBe("Could not convert string '/a/b' to INT64 in input 3/4");
  });

  it.each([
    ["No magic bytes found at end of file '/home/my data/x.parquet'", "No magic bytes found at end of file 'the file'"],
    ['Cannot open file "/home/my data/x.parquet": No such file', 'Cannot open file "the file": No such file'],
    [
      'No files found that match the pattern "/home/my data/x.parquet"',
      'No files found that match the pattern "the file"',
    ],
  ])('calls an open file "the file", spaces in its path or not: %s', (said, expected) => {
    expect(distill(new Error(`IO Error: ${said}`), ['/home/my data/x.parquet']).message).toBe(expected);
  });

  it('calls a file "the file" also where its path is written as a pattern', () => {
    const error = new Error('IO Error: Cannot open file "/data/[[]1].csv": Permission denied');
    expect(distill(error, ['/data/[1].csv']).message).toBe('Cannot open file "the file": Permission denied');
  });

  it('names no folder that the engine spills to', () => {
    const error = new Error(
      'IO Error: Could not write file "/tmp/sluice-data-Ab12Cd/spill/duckdb_temp_storage_S32K-0.tmp": No space left on device',
    );
    expect(distill(error, []).message).toBe('Could not write file "the temporary folder": No space left on device');
  });
});
