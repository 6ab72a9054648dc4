import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../build/bundle.ts';
import { openEngine } from '../core/data/index.ts';
import { pythonEnvironment } from '../testbed/serving/python.ts';
import type { Measurement } from './measurement.ts';
import { median } from './quantile.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

const requirements = [
  'duckdb==2.0.0',
  'great_expectations==1.24.1',
  'pandas==3.1.1',
  'pandera[pandas,polars]==0.35.0',
  'polars==2.1.0',
  'pyarrow==26.0.1',
];

/**
 * Beyond this many rows only Sluice and the hand-written SQL are run, and on Parquet: the others hold the table in memory several times, and a
 * hundred million rows are 13 GB as CSV.
 */
const rowsForAll = 10_000_000;

/** The suite, as a policy: what the Python files beside say in their own words. */
const policyOf = (source: string) => `version: 1
data:
  - source: ${source}
    checks:
      - row_count: { min: 10000 }
      - schema: { required: [id, age, income, score, f1, f2, country, plan, seg, email, ts, label] }
      - not_null: { columns: all, mostly: 0.95 }
      - between: { column: age, min: 0, max: 150 }
      - between: { column: income, min: 0, max: 100000 }
      - between: { column: f1, min: 0, max: 1000 }
      - between: { column: f2, min: -5, max: 5 }
      - accepted_values: { column: country, values: [KR, US, JP, UK] }
      - accepted_values: { column: plan, values: [basic, plus, pro] }
      - unique: { columns: [id] }
      - duplicate_rows: { max_share: 0.01 }
      - class_share: { column: label, min: 0.1 }
      - regex: { column: email, pattern: 'user[0-9]+@mail[0-9]+\\.com' }
`;

const tableOf = (rows: number) => `SELECT i AS id,
  CASE WHEN random() < 0.02 THEN NULL ELSE 18 + floor(random() * 60)::INT END AS age,
  CASE WHEN random() < 0.02 THEN NULL ELSE round((random() * 100000)::DOUBLE, 2) END AS income,
  CASE WHEN random() < 0.02 THEN NULL ELSE random() END AS score,
  (random() * 1000)::DOUBLE AS f1, (random() * 10 - 5)::DOUBLE AS f2,
  ['KR', 'US', 'JP', 'UK'][1 + floor(random() * 4)::INT] AS country,
  ['basic', 'plus', 'pro'][1 + floor(random() * 3)::INT] AS plan,
  CASE WHEN random() < 0.01 THEN NULL ELSE ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'][1 + floor(random() * 8)::INT] END AS seg,
  'user' || floor(random() * 1e7)::BIGINT || '@mail' || floor(random() * 50)::INT || '.com' AS email,
  TIMESTAMP '2025-01-01' + to_seconds(floor(random() * 3e7)::INT) AS ts,
  (random() < 0.3)::INT AS label
FROM range(${rows}) r(i)`;

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

interface Contender {
  readonly name: string;
  readonly command: (source: string) => readonly string[];
  /** Run once where that takes long: as CSV, and of more than a million rows. */
  readonly slow: boolean;
}

/**
 * One suite of data checks on a table of 12 columns, as Parquet and as CSV: the built command, whole process, beside SQL written by hand in
 * DuckDB, Great Expectations, and pandera on pandas and polars. `--rows N` says how many rows; 1,000,000 when not given.
 */
export async function dataValidation(): Promise<Measurement> {
  const rows = rowsAsked(process.argv);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-data-'));
  try {
    const { python } = await pythonEnvironment('bench-data-validation', requirements);
    const command = await buildCommand(folder);
    const formats = rows <= rowsForAll ? ['parquet', 'csv'] : ['parquet'];
    await writeTables(folder, rows, formats);
    const contenders = contendersOf(python, command, folder).filter(({ slow }) => !slow || rows <= rowsForAll);
    const measured = new Map<string, Map<string, Run[]>>();
    for (const format of formats) {
      const runs = new Map(contenders.map(({ name }): [string, Run[]] => [name, []]));
      measured.set(format, runs);
      const rounds = rows <= 1_000_000 ? 5 : rows <= rowsForAll ? 3 : 1;
      for (let round = 0; round < rounds; round++) {
        const turns = contenders.filter(
          ({ slow }) => !slow || round === 0 || (format === 'parquet' && rows <= 1_000_000),
        );
        for (const { name, command: commandOf } of round % 2 === 0 ? turns : turns.toReversed()) {
          runs.get(name)?.push(await measure(python, commandOf(join(folder, `rows.${format}`)), rows));
        }
      }
    }
    return measurementOf(rows, measured);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rowsAsked(args: readonly string[]): number {
  const at = args.findIndex((argument) => argument.startsWith('--rows'));
  const given = at === -1 ? '1000000' : (args[at]?.split('=')[1] ?? args[at + 1] ?? '');
  const rows = Number(given);
  if (!Number.isSafeInteger(rows) || rows < 10_000) throw new Error(`--rows takes a number from 10000, not "${given}"`);
  return rows;
}

/** The command as it is published, of the sources as they are. */
async function buildCommand(folder: string): Promise<string> {
  const home = join(folder, 'sluice');
  await mkdir(home);
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'));
  await bundle(root, join(home, 'dist'));
  return join(home, 'dist', 'cli', 'index.js');
}

async function writeTables(folder: string, rows: number, formats: readonly string[]): Promise<void> {
  await using engine = await openEngine();
  await engine.query('SELECT setseed(0.42)');
  const file = (name: string) => join(folder, name).replaceAll("'", "''");
  await engine.query(`COPY (${tableOf(rows)}) TO '${file('rows.parquet')}' (FORMAT parquet)`);
  if (formats.includes('csv'))
    await engine.query(`COPY (SELECT * FROM '${file('rows.parquet')}') TO '${file('rows.csv')}' (HEADER)`);
  for (const format of formats) await writeFile(join(folder, `${format}.yaml`), policyOf(`rows.${format}`));
}

function contendersOf(python: string, command: string, folder: string): readonly Contender[] {
  const peer = (name: string) => join(import.meta.dirname, 'data-validation', `peer_${name}.py`);
  const policy = (source: string) => join(folder, source.endsWith('parquet') ? 'parquet.yaml' : 'csv.yaml');
  return [
    {
      name: 'sluice',
      command: (source) => [process.execPath, command, 'validate-data', '--quiet', '--policy', policy(source)],
      slow: false,
    },
    { name: 'duckdb', command: (source) => [python, peer('duckdb'), source], slow: false },
    { name: 'great-expectations', command: (source) => [python, peer('great_expectations'), source], slow: true },
    { name: 'pandera-polars', command: (source) => [python, peer('pandera'), source, 'polars'], slow: true },
    { name: 'pandera-pandas', command: (source) => [python, peer('pandera'), source, 'pandas'], slow: true },
  ];
}

/** A fresh process from its start to its end. Throws where it fails or says other than that the suite holds. */
async function measure(python: string, command: readonly string[], rows: number): Promise<Run> {
  const watch = join(import.meta.dirname, 'data-validation', 'measured.py');
  const { stdout } = await run(python, [watch, ...command], { maxBuffer: 64e6 });
  const { output, ...figures } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Run & {
    readonly output: string;
  };
  if (command[0] === python && output !== String(rows))
    throw new Error(`${command[1]} saw ${output} rows, not ${rows}`);
  return figures;
}

function measurementOf(rows: number, measured: ReadonlyMap<string, ReadonlyMap<string, readonly Run[]>>): Measurement {
  const runsOf = (format: string, name: string) => measured.get(format)?.get(name) ?? [];
  const seconds = (format: string, name: string) => median(runsOf(format, name).map((one) => one.seconds));
  const peak = (format: string, name: string) => Math.max(...runsOf(format, name).map((one) => one.peakMb));
  // Of each round, so that a machine that slows down slows both.
  const ratio = (format: string, name: string) =>
    median(
      runsOf(format, name).map(
        (other, round) => other.seconds / (runsOf(format, 'sluice')[round]?.seconds ?? Number.NaN),
      ),
    );
  const round = (value: number) => Number(value.toFixed(3));
  const figures = (format: string) => ({
    ratioToDuckdb: round(1 / ratio(format, 'duckdb')),
    ...(rows > rowsForAll
      ? {}
      : {
          timesFasterThanGx: round(ratio(format, 'great-expectations')),
          timesFasterThanPanderaPolars: round(ratio(format, 'pandera-polars')),
        }),
    peakMb: Math.round(peak(format, 'sluice')),
    seconds: round(seconds(format, 'sluice')),
    sql: { seconds: round(seconds(format, 'duckdb')), peakMb: Math.round(peak(format, 'duckdb')) },
  });
  const parquet = figures('parquet');
  const large = rows >= 10_000_000;
  const bounds: Measurement['bounds'] = [
    ...(large
      ? [
          { text: `${parquet.ratioToDuckdb} <= 1.15 of the hand-written SQL`, holds: parquet.ratioToDuckdb <= 1.15 },
          { text: `${parquet.peakMb} <= 1000 MB`, holds: parquet.peakMb <= 1000 },
        ]
      : []),
    ...(parquet.timesFasterThanGx === undefined || parquet.timesFasterThanPanderaPolars === undefined
      ? []
      : [
          {
            text: `${parquet.timesFasterThanGx} >= ${large ? 12 : 15} times as fast as Great Expectations`,
            holds: parquet.timesFasterThanGx >= (large ? 12 : 15),
          },
          {
            text: `${parquet.timesFasterThanPanderaPolars} >= ${large ? 3 : 5} times as fast as pandera on polars`,
            holds: parquet.timesFasterThanPanderaPolars >= (large ? 3 : 5),
          },
        ]),
  ];
  return {
    json: { ...parquet, rows, ...(measured.has('csv') ? { csv: figures('csv') } : {}) },
    tables: [...measured.keys()].map((format) => ({
      title: `${rows.toLocaleString('en-US')} rows of 12 columns as ${format}, medians of whole processes`,
      rows: [...(measured.get(format) ?? new Map<string, readonly Run[]>())].map(([name, runs]) => ({
        what: name,
        runs: runs.length,
        seconds: round(seconds(format, name)),
        'CPU seconds': round(median(runs.map((one: Run) => one.cpuSeconds))),
        'peak MB': Math.round(peak(format, name)),
        'of the SQL': round(seconds(format, name) / seconds(format, 'duckdb')),
      })),
    })),
    bounds,
  };
}
