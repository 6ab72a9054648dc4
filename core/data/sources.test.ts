import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DataError, type Problem } from '../problem/index.ts';
import type { OpenOptions } from './engine.ts';
import { type Engine, fileOfRow, openEngine, quoteIdentifier, readColumns, rowNumberColumn } from './index.ts';

let directory = '';
let engine: Engine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine({ limits: { bytes: 5_000_000, freelyUnpacked: 200_000, ratio: 20 } });
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function parquet(name: string, select: string): Promise<string> {
  const path = await file(name, '');
  await engine.query(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  return path;
}

async function rowsOf(path: string, options: OpenOptions = {}): Promise<readonly Record<string, unknown>[]> {
  const table = await engine.open(path, options);
  return engine.query(`SELECT * FROM ${table.sql} ORDER BY ${quoteIdentifier(rowNumberColumn)}`);
}

async function typesOf(path: string): Promise<Record<string, string>> {
  const table = await engine.open(path);
  return Object.fromEntries(table.columns.map((column) => [column.name, column.type]));
}

async function problemOf(path: string, options: OpenOptions = {}): Promise<Problem> {
  const error = await engine.open(path, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DataError)) throw error ?? new Error('the file was opened');
  expect(error.problems).toHaveLength(1);
  return error.problems[0];
}

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const md5 = (content: string) => createHash('md5').update(content).digest('hex');

describe('JSON lines', () => {
  it('are rows, with a type a key, null where a line lacks it', async () => {
    const content =
      '{"i":1,"n":1.5,"s":"x","b":true,"d":"2024-01-31","t":"2024-01-31T10:00:00Z","l":[1],"o":{"k":1},"m":1,"z":null}\n\n{"i":2,"m":"one","extra":"late"}\n';
    const path = await file('rows.jsonl', content);
    expect(await engine.open(path)).toMatchObject({ rows: 2, format: 'jsonl', sha256: sha256(content) });
    expect(await typesOf(path)).toEqual({
      i: 'integer',
      n: 'number',
      s: 'string',
      b: 'boolean',
      d: 'date',
      t: 'timestamp',
      l: 'other',
      o: 'other',
      m: 'other',
      z: 'string',
      extra: 'string',
    });
    expect((await rowsOf(path))[1]).toMatchObject({ i: 2, n: null, extra: 'late', [rowNumberColumn]: 2 });
  });

  it('have the types that all lines agree on', async () => {
    const lines = (late: string) => `${'{"a":1}\n'.repeat(30_000)}{"a":${late}}\n`;
    expect(await typesOf(await file('late.ndjson', lines('1.5')))).toEqual({ a: 'number' });
    expect(await typesOf(await file('late.ndjson', lines('9007199254740993')))).toEqual({ a: 'integer' });
    const dates = `${'{"a":"2024-01-01"}\n'.repeat(30_000)}{"a":"soon"}\n`;
    expect(await typesOf(await file('dates.ndjson', dates))).toEqual({ a: 'string' });
  });

  it('keep text as written: no number, no date of an odd order, and no date that is asked for as text', async () => {
    const path = await file('text.jsonl', '{"zip":"007","d":"01/02/2024","k":"2024-01-01"}\n');
    const table = await engine.open(path, { text: ['k'] });
    expect(table.columns.map(({ type }) => type)).toEqual(['string', 'string', 'string']);
  });

  it.each([
    ['a line that is cut off', '{"a":1}\n{"a":\n{"a":2}\n', 'not-json', 2],
    ['a list', '{"a":1}\n[1]\n', 'not-an-object', 2],
    ['a number', '{"a":1}\n\n7\n', 'not-an-object', 3],
    ['two objects in a line', '{"a":1}\n{"a":1}{"a":2}\n', 'not-json', 2],
    ['an object over two lines', '{"a":1}\n{"a":\n1}\n', 'not-json', 2],
    ['bytes that are not UTF-8', Buffer.from('{"a":1}\n{"a":"caf\xe9"}\n', 'latin1'), 'not-utf-8', 2],
    ['a nesting bomb', `{"a":1}\n{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}\n`, 'nested-too-deeply', 2],
    ['a nesting bomb without an end', `{"a":1}\n${'{"a":'.repeat(300_000)}\n`, 'nested-too-deeply', 2],
    ['a line without an end', `{"a":"${'x'.repeat(4_500_000)}"}\n`, 'row-too-long', 1],
    ['only blank space', ' \n\n', 'empty-file', 1],
    ['a column twice', '{"a":1,"a":2}\n', 'duplicate-column', undefined],
    ['names that differ in case only', '{"Age":1}\n{"age":2}\n', 'duplicate-column', undefined],
    ['no keys', '{}\n', 'no-columns', undefined],
  ])('with %s are refused at the line', async (_, content, code, line) => {
    const problem = await problemOf(await file('bad.jsonl', content));
    expect(problem).toMatchObject({ code, place: line === undefined ? {} : { line } });
    expect(problem.fix).toBeDefined();
  });
});

describe('a compressed file', () => {
  const content = 'a,b\n1,x\n2,y\n';
  it.each([
    ['rows.csv.gz', zlib.gzipSync(content)],
    ['rows.csv.zst', zlib.zstdCompressSync(content)],
    ['two-members.csv.gz', Buffer.concat([zlib.gzipSync('a,b\n1,x\n'), zlib.gzipSync('2,y\n')])],
  ])('%s is read, and its digest is that of what is stored', async (name, bytes) => {
    const path = await file(name, bytes);
    expect(await engine.open(path)).toMatchObject({ rows: 2, sha256: sha256(bytes), format: 'csv' });
    expect((await rowsOf(path))[1]).toMatchObject({ a: 2, b: 'y' });
  });

  it('of JSON lines is read', async () => {
    expect(await rowsOf(await file('rows.jsonl.gz', zlib.gzipSync('{"a":1}\n')))).toMatchObject([{ a: 1 }]);
  });

  const packed = zlib.gzipSync(content);
  const damaged = Buffer.from(packed);
  damaged.fill(0xff, 14, 18);
  it.each([
    ['that is cut off', 'cut.csv.gz', packed.subarray(0, packed.length - 4), 'cut-off'],
    ['that is damaged', 'damaged.csv.gz', damaged, 'bad-compression'],
    ['that goes on after its end', 'on.csv.gz', Buffer.concat([packed, Buffer.from('rest')]), 'bad-compression'],
    ['in zstd that goes on', 'on.csv.zst', Buffer.concat([zlib.zstdCompressSync(content), packed]), 'bad-compression'],
    ['that is a bomb', 'bomb.csv.gz', zlib.gzipSync(`a,b\n${'0,0\n'.repeat(1_000_000)}`), 'too-large'],
    ['that is a bomb in zstd', 'bomb.csv.zst', zlib.zstdCompressSync(`a,b\n${'0,0\n'.repeat(1_000_000)}`), 'too-large'],
    ['that holds Parquet', 'inside.csv.gz', zlib.gzipSync('PAR1....PAR1'), 'wrong-format'],
    ['that holds binary data', 'binary.csv.gz', zlib.gzipSync('a,b\0\n'), 'wrong-format'],
  ])('%s is refused', async (_, name, bytes, code) => {
    expect(await problemOf(await file(name, bytes))).toMatchObject({ code });
  });

  it('leaves nothing behind', async () => {
    const temporary = await mkdtemp(join(directory, 'temporary-'));
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const other = await openEngine();
    await other.open(await file('left.csv.gz', packed));
    expect(await readdir(temporary)).not.toEqual([]);
    await other.close();
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('a pattern', () => {
  it('reads its files as one table, in the order of their names, and knows where each row lies', async () => {
    await file('many/b.csv', 'a,k\n3,z\n');
    await file('many/a.csv', 'k,a\nx,1\ny,2\n');
    await file('many/_SUCCESS.csv', '');
    await file('many/.hidden.csv', 'other\n1\n');
    const table = await engine.open(join(directory, 'many/*.csv'), { name: 'many/*.csv' });
    expect(table).toMatchObject({ file: 'many/*.csv', rows: 3, format: 'csv' });
    expect(table.files).toEqual([
      { file: 'many/a.csv', rows: 2 },
      { file: 'many/b.csv', rows: 1 },
    ]);
    expect(await engine.query(`SELECT * FROM ${table.sql}`)).toEqual([
      { k: 'x', a: 1, [rowNumberColumn]: 1 },
      { k: 'y', a: 2, [rowNumberColumn]: 2 },
      { k: 'z', a: 3, [rowNumberColumn]: 3 },
    ]);
    expect([1, 2, 3].map((row) => fileOfRow(table, row))).toEqual([
      { file: 'many/a.csv', row: 1 },
      { file: 'many/a.csv', row: 2 },
      { file: 'many/b.csv', row: 1 },
    ]);
    const digests = [sha256('k,a\nx,1\ny,2\n'), sha256('a,k\n3,z\n')];
    expect(table.sha256).toBe(sha256(`${digests[0]}  many/a.csv\n${digests[1]}  many/b.csv\n`));
  });

  it('keeps the order of the rows of large files', async () => {
    for (const part of [0, 1, 2]) {
      await parquet(`large/${part}.parquet`, `SELECT i + ${part * 200_000} AS i FROM range(200000) r(i)`);
    }
    const table = await engine.open(join(directory, 'large/*.parquet'));
    const values = (await readColumns(engine, table, ['i'])).get('i')?.values;
    expect(values).toEqual(Float64Array.from({ length: 600_000 }, (_, index) => index));
  });

  it('of one file is a table of one file', async () => {
    await file('single/a.csv', 'a\n1\n');
    expect(await engine.open(join(directory, 'single/?.csv'), { name: 'single/?.csv' })).toMatchObject({
      file: 'single/a.csv',
      sha256: sha256('a\n1\n'),
    });
  });

  it('widens integers and dates where another file has numbers and timestamps, and fits an empty column to any type', async () => {
    await file('wide/a.csv', 'n,t,e\n1,2024-01-01,\n');
    await file('wide/b.csv', 'n,t,e\n1.5,2024-01-01 10:00:00,7\n');
    const pattern = join(directory, 'wide/*.csv');
    expect(await typesOf(pattern)).toEqual({ n: 'number', t: 'timestamp', e: 'integer' });
    expect((await rowsOf(pattern)).map((row) => row['e'])).toEqual([null, 7]);
  });

  it.each([
    ['columns', 'a,b\n1,2\n', 'a,c\n1,2\n', '"b" only in odd/a.csv; "c" only in odd/b.csv'],
    ['types', 'a\n1\n', 'a\nx\n', 'string (VARCHAR) here, integer (BIGINT) in odd/a.csv'],
  ])('of files with other %s names two of them', async (_, one, other, found) => {
    await file('odd/a.csv', one);
    await file('odd/b.csv', other);
    expect(await problemOf(join(directory, 'odd/*.csv'), { name: 'odd/*.csv' })).toMatchObject({
      code: 'schema-mismatch',
      place: { file: 'odd/b.csv' },
      found,
    });
  });

  it('makes columns of folders named key=value', async () => {
    await file('hive/year=2025/month=12/day=2025-12-31/a.csv', 'a\n1\n');
    await file('hive/year=2026/month=01/day=2026-01-01/a.csv', 'a\n2\n');
    await file('hive/year=2026/month=01/day=__HIVE_DEFAULT_PARTITION__/a.csv', 'a\n3\n');
    const pattern = join(directory, 'hive/**/*.csv');
    expect(await typesOf(pattern)).toEqual({ a: 'integer', year: 'integer', month: 'integer', day: 'date' });
    expect((await rowsOf(pattern)).map(({ a, year, month, day }) => [a, year, month, day])).toEqual([
      [1, 2025, 12, new Date('2025-12-31')],
      [2, 2026, 1, new Date('2026-01-01')],
      [3, 2026, 1, null],
    ]);
    await file('hive/loose.csv', 'a\n1\n');
    expect(await problemOf(pattern)).toMatchObject({ code: 'schema-mismatch' });
  });

  it('does not take a folder for a column that the file has too', async () => {
    await file('clash/a=1/x.csv', 'a\n1\n');
    expect(await problemOf(join(directory, 'clash/*/*.csv'))).toMatchObject({ code: 'duplicate-column' });
  });

  it('reads nothing that a link leads to outside, and follows no circle', async () => {
    await file('elsewhere/secret.csv', 'a\n1\n');
    await file('kept/a.csv', 'a\n1\n');
    const within = join(directory, 'kept');
    await symlink(within, join(within, 'circle'));
    expect((await engine.open(join(within, '**/*.csv'), { within })).rows).toBe(1);
    await symlink(join(directory, 'elsewhere/secret.csv'), join(within, 'b.csv'));
    expect(await problemOf(join(within, '*.csv'), { within })).toMatchObject({ code: 'outside-directory' });
    expect(await problemOf(join(within, '../elsewhere/*.csv'), { within })).toMatchObject({
      code: 'outside-directory',
    });
  });

  it('reads Parquet whose name has no extension, as Hive, Trino and Athena write it, and no other file without one', async () => {
    await parquet('table/ds=2026-01-01/20260101_120000_00001_abcde', 'SELECT 1 AS a');
    await parquet('table/ds=2026-01-02/000000_0', 'SELECT 2 AS a');
    await file('table/ds=2026-01-02/_SUCCESS', '');
    const rows = await rowsOf(join(directory, 'table/ds=*/*'));
    expect(rows.map(({ a, ds }) => [a, ds])).toEqual([
      [1, new Date('2026-01-01')],
      [2, new Date('2026-01-02')],
    ]);
    await file('table/ds=2026-01-02/000001_0', 'a\n3\n');
    expect(await problemOf(join(directory, 'table/ds=*/*'))).toMatchObject({
      code: 'unsupported-format',
      found: 'no extension',
    });
  });

  it('that matches nothing, or files of two formats, is refused', async () => {
    expect(await problemOf(join(directory, 'none/*.csv'))).toMatchObject({ code: 'missing-file' });
    await file('mixed/a.csv', 'a\n1\n');
    await file('mixed/b.jsonl', '{"a":1}\n');
    expect(await problemOf(join(directory, 'mixed/*'))).toMatchObject({ code: 'mixed-formats' });
  });

  it('tells which file is bad', async () => {
    await file('faulty/a.csv', 'a,b\n1,2\n');
    await file('faulty/b.csv', 'a,b\n1,2\n3\n');
    expect(await problemOf(join(directory, 'faulty/*.csv'), { name: 'faulty/*.csv' })).toMatchObject({
      code: 'ragged-row',
      place: { file: 'faulty/b.csv', line: 3 },
    });
  });
});

describe('a DVC pointer', () => {
  const content = 'a,b\r\n1,2\r\n';
  const pointer = (digest: string, more = '') =>
    `outs:\n- md5: ${digest}\n  size: ${content.length}\n  path: rows.csv\n${more}`;

  it('stands for the file beside it', async () => {
    await file('dvc/rows.csv', content);
    const path = await file('dvc/rows.csv.dvc', pointer(md5(content), '  hash: md5\n'));
    expect(await engine.open(path, { name: 'dvc/rows.csv.dvc' })).toMatchObject({ file: 'dvc/rows.csv', rows: 1 });
  });

  it('of an old DVC may have the digest of the text with other line ends', async () => {
    await file('dvc/rows.csv', content);
    const unix = md5(content.replaceAll('\r\n', '\n'));
    expect((await engine.open(await file('dvc/rows.csv.dvc', pointer(unix)))).rows).toBe(1);
    expect(await problemOf(await file('dvc/rows.csv.dvc', pointer(unix, '  hash: md5\n')))).toMatchObject({
      code: 'dvc-mismatch',
    });
  });

  it.each([
    ['another file', pointer(md5('other')), 'dvc-mismatch'],
    ['a folder', pointer(`${md5('x')}.dir`), 'bad-dvc-pointer'],
    ['a path elsewhere', `outs:\n- md5: ${md5('x')}\n  path: ../rows.csv\n`, 'bad-dvc-pointer'],
    ['a file that is not here', `outs:\n- md5: ${md5('x')}\n  path: absent.csv\n`, 'dvc-not-pulled'],
    ['two files', `outs:\n- md5: ${md5('x')}\n  path: a.csv\n- md5: ${md5('x')}\n  path: b.csv\n`, 'bad-dvc-pointer'],
    ['nothing', '{}', 'bad-dvc-pointer'],
    ['no YAML', 'outs: [', 'bad-dvc-pointer'],
    ['an alias bomb', `a: &a [x,x]\nb: &b [*a,*a]\nouts: [*b,*b]\n`, 'bad-dvc-pointer'],
  ])('to %s is refused', async (_, text, code) => {
    await file('dvc/rows.csv', content);
    expect(await problemOf(await file('dvc/rows.csv.dvc', text))).toMatchObject({ code });
  });

  it('is followed nowhere else by a link', async () => {
    await file('dvc-outside/rows.csv', content);
    await mkdir(join(directory, 'dvc-inside'), { recursive: true });
    await symlink(join(directory, 'dvc-outside/rows.csv'), join(directory, 'dvc-inside/rows.csv'));
    const path = await file('dvc-inside/rows.csv.dvc', pointer(md5(content)));
    expect(await problemOf(path, { within: join(directory, 'dvc-inside') })).toMatchObject({
      code: 'outside-directory',
    });
  });
});
