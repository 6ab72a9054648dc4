import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataError, type Problem } from '../problem/index.ts';
import type { OpenOptions } from './engine.ts';
import { type Engine, openEngine, quoteIdentifier, readColumns, rowNumberColumn } from './index.ts';

let directory = '';
let engine: Engine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine();
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

/** Rows as the engine sees them, without row numbers. */
async function rowsOf(path: string, options: OpenOptions = {}): Promise<readonly (readonly unknown[])[]> {
  const table = await engine.open(path, options);
  const columns = table.columns.map((column) => `CAST(${quoteIdentifier(column.name)} AS VARCHAR)`);
  const rows = await engine.query(
    `SELECT [${columns.join(', ')}] AS cells FROM ${table.sql} ORDER BY ${quoteIdentifier(rowNumberColumn)}`,
  );
  return rows.map((row) => row['cells'] as readonly unknown[]);
}

async function typesOf(path: string, options: OpenOptions = {}): Promise<Record<string, string>> {
  const table = await engine.open(path, options);
  return Object.fromEntries(table.columns.map((column) => [column.name, column.type]));
}

async function problemOf(path: string, options: OpenOptions = {}): Promise<Problem> {
  const error = await engine.open(path, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DataError)) throw error ?? new Error('the file was opened');
  expect(error.problems).toHaveLength(1);
  expect(error.message).not.toMatch(/\n|Possible|strict_mode|read_csv/);
  return error.problems[0];
}

async function parquet(name: string, select: string, options = ''): Promise<string> {
  const path = join(directory, name);
  await engine.query(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`);
  return path;
}

describe('a CSV file', () => {
  it('keeps its rows in file order, counted from 1, with its SHA-256', async () => {
    const content = 'name,age\nann,31\nbob,\n';
    const table = await engine.open(await file('plain.csv', content), { name: 'data/plain.csv' });
    expect(table).toMatchObject({
      file: 'data/plain.csv',
      rows: 2,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(await engine.query(`SELECT * FROM ${table.sql}`)).toEqual([
      { name: 'ann', age: 31, [rowNumberColumn]: 1 },
      { name: 'bob', age: null, [rowNumberColumn]: 2 },
    ]);
  });

  it.each([
    ['comma', 'a,b\n1,x\n'],
    ['semicolon', 'a;b\n1;x\n'],
    ['tab', 'a\tb\n1\tx\n'],
    ['pipe', 'a|b\n1|x\n'],
    ['CRLF', 'a,b\r\n1,x\r\n'],
    ['a byte order mark', '\ufeffa,b\n1,x\n'],
    ['a byte order mark and CRLF', '\ufeffa,b\r\n1,x\r\n'],
    ['CR alone', 'a,b\r1,x\r'],
    ['no newline at its end', 'a,b\n1,x'],
    ['empty lines', 'a,b\n\n1,x\n\n'],
    ['quotes', '"a","b"\n"1","x"\n'],
  ])('may be written with %s', async (_, content) => {
    const path = await file('dialect.csv', content);
    expect(await typesOf(path)).toEqual({ a: 'integer', b: 'string' });
    expect(await rowsOf(path)).toEqual([['1', 'x']]);
  });

  it('takes the delimiter from the header, whatever the rows hold', async () => {
    expect(await rowsOf(await file('semicolon.csv', 'price;city\n1,5;Rome\n2,5;Oslo, N\n'))).toEqual([
      ['1,5', 'Rome'],
      ['2,5', 'Oslo, N'],
    ]);
  });

  it('keeps line breaks, delimiters and quotes inside quotes', async () => {
    expect(await rowsOf(await file('quoted.csv', 'a,b\n"x\ny","p,q"\n"say ""hi""",z\n5" pipe,w\n'))).toEqual([
      ['x\ny', 'p,q'],
      ['say "hi"', 'z'],
      ['5" pipe', 'w'],
    ]);
  });

  it('takes only an empty value for null', async () => {
    expect(await rowsOf(await file('nulls.csv', 'a,b\nNA,1\nnull,""\n,2\n'))).toEqual([
      ['NA', '1'],
      ['null', null],
      [null, '2'],
    ]);
  });

  it('reads each kind of value as its type', async () => {
    const path = await file('types.csv', 'i,n,s,b,d,t\n1,1.5,x,true,2024-01-31,2024-01-31 10:00:00\n-2,,y,False,,\n');
    expect(await typesOf(path)).toEqual({
      i: 'integer',
      n: 'number',
      s: 'string',
      b: 'boolean',
      d: 'date',
      t: 'timestamp',
    });
  });

  it('leaves dates of an ambiguous order as text', async () => {
    expect(await typesOf(await file('order.csv', 'd\n01/02/2024\n02/03/2024\n'))).toEqual({ d: 'string' });
  });

  it.each([
    ['an integer column with a late fraction', '1', '1.5', 'number', '1.5'],
    ['an integer column with a late word', '1', 'x', 'string', 'x'],
    ['an integer column with a late NaN', '1', 'NaN', 'number', 'nan'],
    ['a date column with a late hour', '2024-01-01', '2024-01-01 10:30:00', 'timestamp', '2024-01-01 10:30:00'],
    ['a boolean column with a late digit', 'true', '1', 'string', '1'],
    ['a column of words like yes', 'yes', 'no', 'string', 'no'],
    ['an integer column with a late huge integer', '1', '9007199254740993', 'integer', '9007199254740993'],
    ['a column that begins empty', '', '7', 'integer', '7'],
  ])('gives %s the type that all rows agree on', async (_, early, late, type, value) => {
    const path = await file('late.csv', `k,a\n${`1,${early}\n`.repeat(30_000)}2,${late}\n`);
    const table = await engine.open(path);
    expect(table.columns[1]?.type).toBe(type);
    expect(table.rows).toBe(30_001);
    expect(await engine.query(`SELECT CAST(a AS VARCHAR) AS a FROM ${table.sql} WHERE k = 2`)).toEqual([{ a: value }]);
  });

  it('tells the type of each of hundreds of columns by all of its rows', async () => {
    const columns = Array.from({ length: 1200 }, (_, index) => index);
    const rows = [...Array(3)].map((_, row) =>
      columns.map((column) => (row === 2 && column % 3 === 0 ? '0.5' : `${column}`)).join(),
    );
    const types = await typesOf(
      await file('hundreds.csv', `${columns.map((column) => `c${column}`).join()}\n${rows.join('\n')}\n`),
    );
    expect(columns.filter((column) => types[`c${column}`] !== (column % 3 === 0 ? 'number' : 'integer'))).toEqual([]);
  });

  it('keeps columns as text on request', async () => {
    const path = await file('text.csv', 'zip,a"b\n1234,5\n1e5,6\n');
    expect(await rowsOf(path, { text: ['zip', 'a"b', 'absent'] })).toEqual([
      ['1234', '5'],
      ['1e5', '6'],
    ]);
  });

  it('loses no row when line breaks are quoted and the last row does not fit the guessed types', async () => {
    // DuckDB 1.5.5 drops that row in silence when it reads in parallel.
    const path = await file('lost.csv', `a,b\n${'"1\n1",2\n'.repeat(1_000_000)}x,z\n`);
    const table = await engine.open(path);
    expect(table.rows).toBe(1_000_001);
    expect(await engine.query(`SELECT b FROM ${table.sql} WHERE a = 'x'`)).toEqual([{ b: 'z' }]);
  });

  it('may hold a header only', async () => {
    const table = await engine.open(await file('header.csv', 'a,b\n'));
    expect(table.rows).toBe(0);
    expect(table.columns.map((column) => column.name)).toEqual(['a', 'b']);
  });

  it.each([
    ['a row with too many values', 'a,b\n1,2\n3,4,5\n', { code: 'ragged-row', line: 3, found: '3 values' }],
    ['a row with too few values', 'a,b\n"x\ny",2\n3\n', { code: 'ragged-row', line: 4, found: '1 value' }],
    ['a late ragged row', `a,b\n${'1,2\n'.repeat(100_000)}3\n`, { code: 'ragged-row', line: 100_002 }],
    ['bytes that are not UTF-8', Buffer.from('a,b\n1,caf\xe9\n', 'latin1'), { code: 'not-utf-8', line: 2 }],
    ['a header that is not UTF-8', Buffer.from('caf\xe9,b\n1,2\n', 'latin1'), { code: 'not-utf-8', line: 1 }],
    ['an unclosed quote', 'a,b\n1,2\n"x,3\n4,5\n', { code: 'unclosed-quote', line: 3 }],
    ['text after a closing quote', 'a,b\n"x"y,2\n', { code: 'stray-quote', line: 2 }],
    ['two kinds of line ending', 'a,b\n1,2\r\n3,4\r\n', { code: 'mixed-newlines', line: 2 }],
    ['a column name twice', 'a,b,a\n1,2,3\n', { code: 'duplicate-column', line: 1 }],
    ['names that differ in case only', 'Age,age\n1,2\n', { code: 'duplicate-column', line: 1 }],
    ['no header', '1,2\n3,4\n', { code: 'no-header', line: 1 }],
    ['an empty first line', '\na,b\n1,2\n', { code: 'no-header', line: 1 }],
    ['only blank space', ' \n\n', { code: 'empty-file', line: 1 }],
    ['a row longer than two megabytes', `a,b\n${'x'.repeat(2_100_000)},2\n`, { code: 'row-too-long', line: 2 }],
  ])('with %s is refused at its line', async (_, content, { line, ...expected }) => {
    const problem = await problemOf(await file('bad.csv', content), { name: 'data/bad.csv' });
    expect(problem).toMatchObject({ ...expected, place: { file: 'data/bad.csv', line } });
    expect(problem.fix).toBeDefined();
  });
});

describe('a Parquet file', () => {
  it('is read in place, in file order', async () => {
    const path = await parquet(
      'rows.parquet',
      'SELECT 100 - i AS a, i * 0.5::DOUBLE AS b FROM range(100) r(i)',
      ', ROW_GROUP_SIZE 2048',
    );
    const table = await engine.open(path);
    expect(table.rows).toBe(100);
    expect(table.columns).toEqual([
      { name: 'a', type: 'integer', sqlType: 'BIGINT' },
      { name: 'b', type: 'number', sqlType: 'DOUBLE' },
    ]);
    expect(
      await engine.query(`SELECT a FROM ${table.sql} WHERE ${quoteIdentifier(rowNumberColumn)} IN (1, 100)`),
    ).toEqual([{ a: 100 }, { a: 1 }]);
  });

  it('may have a column that is called like the reader’s own row number', async () => {
    const table = await engine.open(await parquet('own.parquet', 'SELECT i AS file_row_number FROM range(3) r(i)'));
    expect(await engine.query(`SELECT * FROM ${table.sql}`)).toEqual(
      [0, 1, 2].map((value) => ({ file_row_number: value, [rowNumberColumn]: value + 1 })),
    );
  });

  it('names the type of every kind of column', async () => {
    const select =
      "SELECT 1::TINYINT AS i, 1.5::FLOAT AS f, 1.5::DECIMAL(9, 2) AS d, 'x' AS s, true AS b, DATE '2024-01-01' AS day, TIMESTAMP '2024-01-01' AS t, [1] AS l, {'x': [1], 'y': 2} AS st, 5 AS last";
    expect(await typesOf(await parquet('kinds.parquet', select))).toEqual({
      i: 'integer',
      f: 'number',
      d: 'number',
      s: 'string',
      b: 'boolean',
      day: 'date',
      t: 'timestamp',
      l: 'other',
      st: 'other',
      last: 'integer',
    });
  });

  it('that is cut off is refused', async () => {
    const whole = await readFile(await parquet('whole.parquet', 'SELECT i FROM range(1000) r(i)'));
    for (const size of [whole.length - 1, 100, 8, 4]) {
      expect(await problemOf(await file('cut.parquet', whole.subarray(0, size)))).toMatchObject({ code: 'cut-off' });
    }
  });

  it('with a damaged footer is refused', async () => {
    const whole = Buffer.from(await readFile(await parquet('footer.parquet', 'SELECT i FROM range(1000) r(i)')));
    whole.fill(0xff, whole.length - 60, whole.length - 8);
    expect(await problemOf(await file('damaged.parquet', whole))).toMatchObject({ code: 'unreadable-data' });
  });

  it('with a damaged page is refused when the page is read', async () => {
    const whole = Buffer.from(
      await readFile(await parquet('page.parquet', "SELECT 'v' || i AS v FROM range(5000) r(i)")),
    );
    whole.fill(0xff, 4, 400);
    const table = await engine.open(await file('page-damaged.parquet', whole), { name: 'data/page.parquet' });
    const read = engine.query(`SELECT min(v) FROM ${table.sql}`);
    await expect(read).rejects.toThrow(DataError);
  });

  it('whose names differ in case only is refused', async () => {
    // Made by pyarrow: columns a and A.
    const path = await file(
      'case.parquet',
      Buffer.from(await readFile(new URL('./case.test.parquet', import.meta.url))),
    );
    expect(await problemOf(path)).toMatchObject({
      code: 'duplicate-column',
      found: '"a" and "A", which differ only in case',
    });
  });
});

describe('what is not a readable data file', () => {
  it.each([
    ['nothing there', 'absent.csv', undefined, 'missing-file'],
    ['an unsupported format', 'rows.json', '[]', 'unsupported-format'],
    ['a workbook', 'rows.xlsx', 'PK', 'unsupported-format'],
    ['a DVC pointer without a file', 'rows.csv.dvc', 'outs:', 'bad-dvc-pointer'],
    ['an Arrow file', 'rows.arrow', 'ARROW1', 'unsupported-format'],
    ['an Arrow file named as CSV', 'arrow.csv', 'ARROW1', 'wrong-format'],
    ['compressed Parquet', 'rows.parquet.gz', '\x1f\x8b', 'unsupported-format'],
    ['text named as compressed', 'text.csv.gz', 'a,b\n', 'wrong-format'],
    ['no extension', 'rows', 'a\n1\n', 'unsupported-format'],
    ['an empty CSV', 'empty.csv', '', 'empty-file'],
    ['an empty Parquet file', 'empty.parquet', '', 'empty-file'],
    ['text named as Parquet', 'text.parquet', 'a,b\n1,2\n', 'not-parquet'],
    ['Parquet named as CSV', 'magic.csv', 'PAR1....PAR1', 'wrong-format'],
    ['a ZIP named as CSV', 'zip.csv', 'PK\x03\x04', 'wrong-format'],
    ['binary named as CSV', 'binary.csv', 'a,b\0\n', 'wrong-format'],
    ['UTF-16 text', 'wide.csv', Buffer.from('\ufeffa,b\n', 'utf16le'), 'not-utf-8'],
    [
      'a Git LFS pointer',
      'lfs.parquet',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
      'git-lfs-pointer',
    ],
  ])('is refused with one problem: %s', async (_, name, content, code) => {
    const path = content === undefined ? join(directory, name) : await file(name, content);
    const place = { file: 'sluice.yaml', line: 7, key: 'data.0.source' };
    const problem = await problemOf(path, { name: `data/${name}`, place });
    expect(problem).toMatchObject({ code, place });
    expect(problem.message).toContain(`data/${name}`);
    expect(problem.fix).toBeDefined();
  });

  it('says of a folder that it is one', async () => {
    await mkdir(join(directory, 'folder.csv'));
    expect(await problemOf(join(directory, 'folder.csv'))).toMatchObject({
      code: 'is-directory',
      found: 'a directory',
    });
  });

  it('says how to bring a file that only its .dvc file stands for', async () => {
    await file('tracked.csv.dvc', 'outs:');
    expect(await problemOf(join(directory, 'tracked.csv'))).toMatchObject({ code: 'dvc-not-pulled' });
  });

  it.each(['s3://bucket', 'gs://bucket/rows.csv', 'https://example.com/rows.parquet', 'hf://datasets/rows.csv'])(
    'reads no address: %s',
    async (address) => {
      expect(await problemOf(address)).toMatchObject({ code: 'unsupported-address' });
    },
  );

  it('refuses a file that a symbolic link or a path leads to outside the directory', async () => {
    const inside = join(directory, 'checkout');
    await mkdir(inside);
    await symlink(await file('secret.csv', 'a\n1\n'), join(inside, 'link.csv'));
    await symlink(directory, join(inside, 'up'));
    for (const path of ['link.csv', '../secret.csv', 'up/secret.csv']) {
      expect(await problemOf(join(inside, path), { within: inside })).toMatchObject({ code: 'outside-directory' });
    }
    await writeFile(join(inside, '..rows.csv'), 'a\n1\n');
    expect((await engine.open(join(inside, '..rows.csv'), { within: inside })).rows).toBe(1);
  });
});

describe('a file name', () => {
  it.each([
    `it's.csv`,
    'a"b.csv',
    'star*.csv',
    'what?.csv',
    'range[ab].csv',
    '[*].csv',
    'a;DROP TABLE x.csv',
    'k=1.csv',
    'é 中.csv',
    '$(id).csv',
    '**.parquet.csv',
  ])('is taken literally: %s', async (name) => {
    // What the name would match if it were a pattern.
    for (const decoy of ['starX.csv', 'what1.csv', 'rangea.csv', '*.csv']) await file(decoy, 'other\n1\n2\n3\n');
    expect(await rowsOf(await file(name, 'a,b\n1,2\n'))).toEqual([['1', '2']]);
  });

  it.runIf(process.platform !== 'win32')(
    'with a backslash and a star cannot be said to DuckDB and is refused',
    async () => {
      expect(await problemOf(await file('b\\*.csv', 'a\n1\n'))).toMatchObject({ code: 'unsupported-name' });
    },
  );

  it('with more columns than can be worked with is refused before they are', async () => {
    const names = Array.from({ length: 20_001 }, (_, index) => `c${index}`);
    expect(await problemOf(await file('columns.csv', `${names.join()}\n`))).toMatchObject({
      code: 'too-many-columns',
      place: { file: join(directory, 'columns.csv'), line: 1 },
      found: '20001 columns',
    });
  });

  it('that is a link to itself is told as one', async () => {
    await symlink('circle.csv', join(directory, 'circle.csv'));
    expect(await problemOf(join(directory, 'circle.csv'))).toMatchObject({
      code: 'unreadable-file',
      found: 'symbolic links that lead in a circle',
    });
  });

  it('shows no control characters in an error', async () => {
    const error = await engine.open(join(directory, 'a\n::error::\u001b[31m.csv')).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('an engine that may read one directory', () => {
  it('cannot be brought by SQL to read elsewhere, write elsewhere, load code or change its mind', async () => {
    const inside = join(directory, 'sandbox');
    await mkdir(inside);
    await writeFile(join(inside, 'rows.csv'), 'a\n1\n');
    const outside = await file('outside.csv', 'a\n1\n');
    await using sandboxed = await openEngine({ directories: [inside] });
    expect((await sandboxed.open(join(inside, 'rows.csv'))).rows).toBe(1);
    for (const sql of [
      `SELECT * FROM read_csv('${outside}')`,
      `SELECT * FROM read_text('${inside}/../outside.csv')`,
      `COPY (SELECT 1) TO '${join(directory, 'written.csv')}'`,
      `ATTACH '${join(directory, 'new.db')}'`,
      'INSTALL httpfs',
      'SET enable_external_access = true',
      "SET allowed_directories = ['/']",
      "SELECT * FROM 'https://example.com/rows.csv'",
    ]) {
      await expect(sandboxed.query(sql)).rejects.toThrow();
    }
  });

  it('is closed, and leaves nothing behind, where its directories turn out not to be known', async () => {
    const temporary = join(directory, 'temporary');
    await mkdir(temporary);
    vi.stubEnv('TMPDIR', temporary);
    try {
      const failing = Promise.reject(new RangeError('no policy'));
      await expect(openEngine({ directories: failing })).rejects.toThrow('no policy');
      expect(await readdir(temporary)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('still spills to its own temporary directory', async () => {
    await using small = await openEngine({ directories: [directory], memoryLimit: '60MB', threads: 1 });
    const [row] = await small.query(
      "SELECT count(*) AS n FROM (SELECT DISTINCT i, i::VARCHAR || repeat('x', 20) FROM range(1000000) r(i))",
    );
    expect(row).toEqual({ n: 1_000_000 });
  });
});

describe('a question', () => {
  it('gives integers as numbers where they are exact', async () => {
    expect(
      await engine.query('SELECT 1::BIGINT AS a, 9007199254740993 AS b, [1::BIGINT] AS c, sum(1) AS d', []),
    ).toEqual([{ a: 1, b: 9007199254740993n, c: [1], d: 1 }]);
  });

  it('takes values apart from the statement', async () => {
    expect(await engine.query('SELECT $1 AS a, $2 AS b', ["'; DROP TABLE x", 1.5])).toEqual([
      { a: "'; DROP TABLE x", b: 1.5 },
    ]);
  });

  it('that needs too much memory says so', async () => {
    await using small = await openEngine({ memoryLimit: '20MB', threads: 1 });
    const error = await small
      .query("SELECT string_agg(repeat('x', 1000)) FROM range(1000000)")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    const [problem] = (error as DataError).problems;
    expect(problem.code).toBe('out-of-memory');
    expect(problem.found).toMatch(/[\d.]+ [KM]iB\/[\d.]+ [KM]iB used/);
  });

  it('that a CSV needs too much memory for is no fault of the file', async () => {
    const path = await file('wide.csv', `a,b\n${`${'x'.repeat(5000)},${'y'.repeat(5000)}\n`.repeat(4000)}`);
    await using small = await openEngine({ memoryLimit: '4MB', threads: 1 });
    const error = await small.open(path).catch((thrown: unknown) => thrown);
    expect((error as DataError).problems[0].code).toBe('out-of-memory');
  });
});

describe('readColumns', () => {
  it('gives numbers, booleans, text and dates in file order, with what is missing', async () => {
    const path = await parquet(
      'columns.parquet',
      "SELECT * FROM (VALUES (1, 0.5::DOUBLE, 'x', true, DATE '2024-01-31', 1.25::DECIMAL(5, 2)), (NULL, 'nan'::DOUBLE, NULL, NULL, NULL, NULL), (3, NULL, '', false, DATE '2024-02-01', 2)) t(i, n, s, b, d, m)",
    );
    const columns = await readColumns(engine, await engine.open(path), ['i', 'n', 's', 'b', 'd', 'm', 'i']);
    const missing = Number.NaN;
    expect(Object.fromEntries(columns)).toEqual({
      i: { kind: 'number', values: Float64Array.of(1, missing, 3), nulls: 1, integer: true },
      n: { kind: 'number', values: Float64Array.of(0.5, missing, missing), nulls: 2, integer: false },
      s: { kind: 'string', values: ['x', null, ''], nulls: 1 },
      b: { kind: 'number', values: Float64Array.of(1, missing, 0), nulls: 1, integer: true },
      d: { kind: 'string', values: ['2024-01-31', null, '2024-02-01'], nulls: 1 },
      m: { kind: 'number', values: Float64Array.of(1.25, missing, 2), nulls: 1, integer: false },
    });
  });

  it('keeps the order of a file of many rows', async () => {
    const table = await engine.open(
      await parquet('many.parquet', 'SELECT i FROM range(300000) r(i)', ', ROW_GROUP_SIZE 10000'),
    );
    const column = (await readColumns(engine, table, ['i'])).get('i');
    expect(column?.values).toEqual(Float64Array.from({ length: 300_000 }, (_, index) => index));
  });

  it('names every column that is not there, with what may be meant', async () => {
    const table = await engine.open(await file('near.csv', 'age,income\n1,2\n'));
    const error = await readColumns(engine, table, ['agee', 'income', 'zzz']).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).problems.map((problem) => problem.fix)).toEqual([
      'Did you mean "age"?',
      'The file has "age", "income".',
    ]);
  });

  it('refuses an integer that a number cannot hold', async () => {
    const table = await engine.open(
      await parquet('huge.parquet', 'SELECT * FROM (VALUES (1::BIGINT), (9007199254740993)) t(i)'),
    );
    await expect(readColumns(engine, table, ['i'])).rejects.toThrow(/row 2/);
  });
});
