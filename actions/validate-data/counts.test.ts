import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine, quoteIdentifier, quoteLiteral } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { type DataCheck, headOnly, parsePolicy } from '../../core/policy/index.ts';
import { validateData } from './run.ts';

// The checks against a plain reading of what they promise, on random tables with everything that has ever broken one.

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

type Cell = number | string | boolean | null;
interface Series {
  readonly name: string;
  readonly sqlType: 'DOUBLE' | 'FLOAT' | 'BIGINT' | 'VARCHAR' | 'BOOLEAN';
  readonly cells: readonly Cell[];
}

const names = [
  'a',
  'a"b',
  "it's",
  '; DROP TABLE x --',
  'sélect ✓',
  'order by',
  'x.y',
  '$1',
  '%',
  'n\nl',
  ' lead',
  '😀',
] as const;
const cellsOf: Readonly<Record<Series['sqlType'], fc.Arbitrary<Cell>>> = {
  DOUBLE: fc.constantFrom(
    0,
    -0,
    1.5,
    -2.25,
    0.1,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    null,
  ),
  FLOAT: fc.constantFrom(0, 0.5, 2, -3.25, Number.NaN, Number.POSITIVE_INFINITY, null),
  BIGINT: fc.constantFrom(0, 1, 2, 3, -1, 1_000_000_007, null),
  VARCHAR: fc.constantFrom('', 'x', 'X', "it's", 'a"b', '%', '1', 'é', 'é', '😀', '\n', '; DROP TABLE x', null),
  BOOLEAN: fc.constantFrom(true, false, null),
};

const table: fc.Arbitrary<readonly Series[]> = fc
  .tuple(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 25 }))
  .chain(([columns, rows]) =>
    fc.tuple(
      ...columns.map((name) =>
        fc
          .constantFrom<Series['sqlType']>('DOUBLE', 'FLOAT', 'BIGINT', 'VARCHAR', 'BOOLEAN')
          .chain((sqlType) =>
            fc
              .array(cellsOf[sqlType], { minLength: rows, maxLength: rows })
              .map((cells): Series => ({ name, sqlType, cells })),
          ),
      ),
    ),
  );

function literal(cell: Cell, sqlType: string): string {
  return cell === null ? 'NULL' : `CAST(${quoteLiteral(Object.is(cell, -0) ? '-0.0' : String(cell))} AS ${sqlType})`;
}

async function write(series: readonly Series[]): Promise<void> {
  const rows =
    series[0]?.cells.map(
      (_, row) => `(${series.map(({ cells, sqlType }) => literal(cells[row] ?? null, sqlType)).join(', ')})`,
    ) ?? [];
  const columns = series.map(({ name, sqlType }, index) => `CAST(c${index} AS ${sqlType}) AS ${quoteIdentifier(name)}`);
  await engine.query(
    `COPY (SELECT ${columns.join(', ')} FROM (VALUES ${rows.join(', ')}) t(${series.map((_, index) => `c${index}`).join(', ')})) TO ${quoteLiteral(join(directory, 'rows.parquet'))} (FORMAT parquet)`,
  );
}

const missing = (cell: Cell | undefined) => cell === null || cell === undefined || Number.isNaN(cell);

interface Expected {
  readonly check: DataCheck;
  /** Rows that take part and rows that fail, from 1; undefined: an error whatever the rows. */
  readonly rows: { readonly judged: number; readonly failing: readonly number[] } | undefined;
  readonly mostly: number;
}

function rowsWhere(series: Series, fails: (cell: Cell) => boolean): Expected['rows'] {
  const failing = series.cells.flatMap((cell, row) => (!missing(cell) && fails(cell) ? [row + 1] : []));
  return { judged: series.cells.filter((cell) => !missing(cell)).length, failing };
}

/** Zero is one number, NaN equals NaN; text and numbers never meet in one column. */
const keyOf = (cells: readonly (Cell | undefined)[]) =>
  JSON.stringify(cells.map((cell) => (typeof cell === 'number' ? String(cell + 0) : cell)));

function expectations(series: readonly Series[], mostly: number, bound: number): readonly Expected[] {
  const rows = series[0]?.cells.map((_, row) => series.map(({ cells }) => cells[row])) ?? [];
  const keys = rows.map(keyOf);
  const repeats = keys.flatMap((key, row) => (keys.indexOf(key) < row ? [row + 1] : []));
  const complete = rows.flatMap((cells, row) => (cells.some(missing) ? [] : [row]));
  const shared = complete.filter((row) => complete.some((other) => other !== row && keys[other] === keys[row]));
  return [
    { check: { duplicate_rows: { max_share: 1 - mostly } }, rows: { judged: rows.length, failing: repeats }, mostly },
    {
      check: { unique: { columns: series.map(({ name }) => name), mostly } },
      rows: { judged: complete.length, failing: shared.map((row) => row + 1) },
      mostly,
    },
    ...series.flatMap((one): Expected[] => {
      const { name: column, sqlType, cells } = one;
      const numeric = sqlType !== 'VARCHAR' && sqlType !== 'BOOLEAN';
      const accepted: readonly (string | number | boolean)[] = numeric
        ? [0, 1.5, 2]
        : sqlType === 'VARCHAR'
          ? ['x', "it's", '😀', '']
          : [true];
      return [
        {
          check: { not_null: { columns: [column], mostly } },
          rows: { judged: cells.length, failing: cells.flatMap((cell, row) => (missing(cell) ? [row + 1] : [])) },
          mostly,
        },
        {
          check: { between: { column, min: -2, max: bound, mostly } },
          rows: numeric ? rowsWhere(one, (cell) => Number(cell) < -2 || Number(cell) > bound) : undefined,
          mostly,
        },
        {
          check: { accepted_values: { column, values: [...accepted], mostly } },
          rows: rowsWhere(one, (cell) => !accepted.some((value) => value === cell)),
          mostly,
        },
        {
          check: { regex: { column, pattern: '[a-z1]?', mostly } },
          rows:
            sqlType === 'VARCHAR'
              ? rowsWhere(one, (cell) => !/^[a-z1]?$/u.test(String(cell)) || cell === '\n')
              : undefined,
          mostly,
        },
      ];
    }),
  ];
}

describe('the counts of checks', () => {
  it('are those of a plain reading, on any table', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom(0, 0.5, 0.75, 0.9, 1),
        fc.constantFrom(0, 1.5, 2, 1e9),
        async (series, mostly, bound) => {
          await write(series);
          const expected = expectations(series, mostly, bound);
          const data = [{ source: 'rows.parquet', checks: expected.map(({ check }) => check) }];
          const policy = headOnly(parsePolicy(JSON.stringify({ version: 1, data }), 'sluice.yaml'));
          const { checks } = await validateData({ policy, directory, engine, host: silentHost });
          expect(checks).toHaveLength(expected.length);
          for (const [index, { check, rows }] of expected.entries()) {
            const found = checks[index];
            const context = JSON.stringify({ check, found });
            if (rows === undefined || rows.judged === 0) {
              expect(found?.status, context).toBe('error');
              continue;
            }
            const share = (rows.judged - rows.failing.length) / rows.judged;
            const holds =
              check.duplicate_rows === undefined ? share >= mostly : rows.failing.length / rows.judged <= 1 - mostly;
            expect(found?.status, context).toBe(holds ? 'pass' : 'fail');
            expect(found?.evidence?.n, context).toBe(rows.judged);
            expect(found?.observed, context).toBe(
              check.duplicate_rows === undefined ? share : rows.failing.length / rows.judged,
            );
            if (!holds) {
              expect(found?.failing?.total, context).toBe(rows.failing.length);
              expect(
                found?.failing?.rows.map(({ row }) => row),
                context,
              ).toEqual(rows.failing.slice(0, 10));
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of classes are those of a plain reading', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom(0, 0.1, 0.25, 0.5), async (series, min) => {
        await write(series);
        const data = [
          { source: 'rows.parquet', checks: series.map(({ name }) => ({ class_share: { column: name, min } })) },
        ];
        const policy = headOnly(parsePolicy(JSON.stringify({ version: 1, data }), 'sluice.yaml'));
        const { checks } = await validateData({ policy, directory, engine, host: silentHost });
        for (const [index, { cells }] of series.entries()) {
          const present = cells.filter((cell) => !missing(cell));
          const counts = new Map<string, number>();
          for (const cell of present) counts.set(keyOf([cell]), (counts.get(keyOf([cell])) ?? 0) + 1);
          const least = Math.min(...counts.values()) / present.length;
          expect(checks[index]?.status).toBe(present.length === 0 ? 'error' : least >= min ? 'pass' : 'fail');
          if (present.length > 0) expect(checks[index]?.observed).toBe(least);
        }
      }),
      { numRuns: 25 },
    );
  });
});
