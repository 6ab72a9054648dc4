import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/**
 * Writes tables in which engines are known to differ: nulls beside NaN, zeros of both signs, infinities, letters beyond ASCII, empty texts,
 * line breaks, dates before 1970, times of parts of a second, repeated rows. The names of the files by those of the tables.
 */
export async function writeOddRows(folder: string): Promise<Readonly<Record<'rows' | 'other', string>>> {
  await mkdir(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const files = { rows: join(folder, 'rows.parquet'), other: join(folder, 'other.parquet') };
  try {
    const rows = `
      SELECT
        CASE WHEN n % 97 = 0 THEN n - 1 ELSE n END AS id,
        CASE WHEN n % 11 = 0 THEN NULL ELSE CAST(10 + n % 60 AS INTEGER) END AS age,
        CASE n % 9 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN NULL WHEN 2 THEN -0.0::DOUBLE WHEN 3 THEN 0.0::DOUBLE
          WHEN 4 THEN 'inf'::DOUBLE WHEN 5 THEN '-inf'::DOUBLE WHEN 6 THEN 1.5 ELSE (n - 300) / 300.0 END::DOUBLE AS score,
        CASE n % 7 WHEN 0 THEN 0.1 WHEN 1 THEN 0.5 WHEN 2 THEN 'nan'::FLOAT WHEN 3 THEN NULL ELSE (n % 13) / 13.0 END::FLOAT AS ratio,
        CASE WHEN n % 17 = 0 THEN NULL WHEN n % 5 = 0 THEN 19.99 WHEN n % 5 = 1 THEN 0.1 ELSE n * 0.25 END::DECIMAL(10, 2) AS price,
        CASE n % 8 WHEN 0 THEN 'KR' WHEN 1 THEN 'Österreich' WHEN 2 THEN '日本' WHEN 3 THEN '' WHEN 4 THEN NULL WHEN 5 THEN 'a' || chr(10)
          WHEN 6 THEN '😀' ELSE 'it''s' END AS country,
        CASE WHEN n % 10 = 0 THEN NULL WHEN n % 10 = 1 THEN 'no address' WHEN n % 10 = 2 THEN 'ü@example.com'
          WHEN n % 10 = 3 THEN 'A.B@EXAMPLE.ORG' ELSE 'user' || n || '@example.com' END AS email,
        CASE WHEN n % 13 = 0 THEN NULL ELSE DATE '1969-12-20' + CAST(n % 20 AS INTEGER) END AS day,
        CASE WHEN n % 19 = 0 THEN NULL ELSE TIMESTAMP '1969-12-31 23:59:58.5' + INTERVAL (n % 50) SECOND END AS at,
        CASE n % 3 WHEN 0 THEN true WHEN 1 THEN false END AS ok,
        CASE WHEN n % 4 = 0 THEN 'cat' WHEN n % 29 = 0 THEN 'bird' ELSE 'dog' END AS label
      FROM range(600) AS t (n)`;
    // A few rows once more, whole.
    await connection.run(
      `COPY (SELECT * FROM (${rows}) UNION ALL (SELECT * FROM (${rows}) WHERE id IN (3, 9, 10, 18, 200))) TO '${files.rows}' (FORMAT parquet)`,
    );
    await connection.run(
      `COPY (SELECT id, country AS land, score, label FROM (${rows}) WHERE id < 400 AND (country IS NULL OR country <> 'KR')) TO '${files.other}' (FORMAT parquet)`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return files;
}
