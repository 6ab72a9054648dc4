import { type Engine, rowNumberColumn, type Table } from '../../core/data/index.ts';
import type { Dialect } from './dialect.ts';
import type { Classes, ClassesMeasure, CopiesMeasure, Measure, Measurements } from './measure.ts';
import { keyOf } from './measure.ts';

/** Aggregates in one statement: the engine's planning grows with their square, so thousands are asked in several scans. */
const aggregatesPerScan = 200;
const groupingsPerScan = 16;
/** Classes named in a message: all of so many, else half of them from each end. */
const classesListed = 20;
/** Rows shown of a failure. */
export const rowsShown = 10;

type Counted = Exclude<Measure, CopiesMeasure | ClassesMeasure>;

/**
 * Counts everything the checks of a table need, each thing once: one scan for all row-level counts, one for the classes of all columns.
 * Only where those show that values repeat does a further statement find out exactly which.
 */
export async function takeMeasures(
  engine: Engine,
  table: Table,
  measures: readonly Measure[],
  dialect: Dialect,
): Promise<Measurements> {
  const distinct = [...new Map(measures.map((measure) => [keyOf(measure), measure])).values()];
  const copies = distinct.filter((measure) => measure.kind === 'copies');
  const classes = distinct.filter((measure) => measure.kind === 'classes');
  const counts = distinct.filter((measure) => measure.kind === 'present' || measure.kind === 'count');

  const aggregates = new Map<string, string>();
  for (const measure of counts) aggregates.set(keyOf(measure), aggregateOf(measure, dialect));
  for (const measure of copies) {
    aggregates.set(`${keyOf(measure)} taking part`, takingPart(measure, dialect));
    aggregates.set(`${keyOf(measure)} different`, different(measure, dialect));
  }
  const numbers = table.rows === 0 ? new Map<string, number>() : await scan(engine, table, aggregates);
  const repeated = new Map<string, Copies>();
  for (const measure of copies) {
    const key = keyOf(measure);
    const suspect = numbers.get(`${key} taking part`) !== numbers.get(`${key} different`);
    repeated.set(key, suspect ? await findCopies(engine, table, measure, dialect) : { total: 0, first: [] });
  }
  const grouped = table.rows === 0 ? new Map<string, Classes>() : await countClasses(engine, table, classes, dialect);

  return {
    count: (measure) =>
      measure.kind === 'copies' ? (repeated.get(keyOf(measure))?.total ?? 0) : (numbers.get(keyOf(measure)) ?? 0),
    classes: (measure) => grouped.get(keyOf(measure)) ?? { count: 0, rows: 0, listed: [] },
    copies: (measure) => repeated.get(keyOf(measure))?.first ?? [],
  };
}

function aggregateOf(measure: Counted, dialect: Dialect): string {
  if (measure.kind === 'count') return dialect.countIf(dialect.breaks(measure.condition));
  const [column, ...others] = measure.columns;
  if (column === undefined) return 'count(*)';
  return others.length === 0
    ? `count(${dialect.value(column)})`
    : dialect.countIf(measure.columns.map((one) => `NOT ${dialect.isMissing(one)}`).join(' AND '));
}

function takingPart(measure: CopiesMeasure, dialect: Dialect): string {
  return measure.of === 'repeats' ? 'count(*)' : aggregateOf({ kind: 'present', columns: measure.columns }, dialect);
}

/** As many as take part: no two are equal. Fewer: some are, or, of several columns, have the same fingerprint by chance. */
function different({ columns, of }: CopiesMeasure, dialect: Dialect): string {
  const [column, ...others] = columns;
  if (of === 'shared' && column !== undefined && others.length === 0) return `count(DISTINCT ${dialect.value(column)})`;
  const fingerprints = `count(DISTINCT ${dialect.fingerprint(columns)})`;
  if (of === 'repeats') return fingerprints;
  return `${fingerprints} FILTER (WHERE ${columns.map((one) => `NOT ${dialect.isMissing(one)}`).join(' AND ')})`;
}

async function scan(
  engine: Engine,
  table: Table,
  aggregates: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, number>> {
  // Equal questions of different measures are asked once.
  const questions = [...new Set(aggregates.values())];
  const answers = new Map<string, number>();
  for (let from = 0; from < questions.length; from += aggregatesPerScan) {
    const part = questions.slice(from, from + aggregatesPerScan);
    const [row = {}] = await engine.query(
      `SELECT ${part.map((question, index) => `${question} AS a${index}`).join(', ')} FROM ${table.sql}`,
    );
    for (const [index, question] of part.entries()) answers.set(question, Number(row[`a${index}`]));
  }
  return new Map([...aggregates].map(([key, question]) => [key, answers.get(question) ?? Number.NaN]));
}

interface Copies {
  readonly total: number;
  /** Rows, in file order. */
  readonly first: readonly number[];
}

/** Exact: fingerprints only choose the rows that are then compared by value. */
async function findCopies(
  engine: Engine,
  table: Table,
  { columns, of }: CopiesMeasure,
  dialect: Dialect,
): Promise<Copies> {
  const row = dialect.identifier(rowNumberColumn);
  const names = columns.map((column) => dialect.identifier(column.name)).join(', ');
  const fingerprint = dialect.fingerprint(columns);
  const complete =
    of === 'repeats' ? 'true' : columns.map((column) => `NOT ${dialect.isMissing(column)}`).join(' AND ');
  // Of equal rows the first is the original of the others; a shared key is a fault of all of them.
  const [counted, from] = of === 'repeats' ? ['n - 1', 2] : ['n', 1];
  const [answer = {}] = await engine.query(`
    WITH repeated AS (SELECT ${fingerprint} AS f FROM ${table.sql} WHERE ${complete} GROUP BY 1 HAVING count(*) > 1),
    candidates AS (SELECT * FROM ${table.sql} WHERE ${complete} AND ${fingerprint} IN (SELECT f FROM repeated)),
    equal AS MATERIALIZED (
      SELECT count(*) AS n, ${dialect.least(row, rowsShown + 1)} AS "rows" FROM candidates GROUP BY ${names} HAVING count(*) > 1
    )
    SELECT
      (SELECT coalesce(sum(${counted}), 0) FROM equal) AS total,
      (SELECT ${dialect.least('r', rowsShown)} FROM (SELECT unnest("rows"[${from}:]) AS r FROM equal)) AS first`);
  return { total: Number(answer['total']), first: numbersOf(answer['first']) };
}

/** The classes of several columns in one scan. */
async function countClasses(
  engine: Engine,
  table: Table,
  measures: readonly ClassesMeasure[],
  dialect: Dialect,
): Promise<ReadonlyMap<string, Classes>> {
  const found = new Map<string, Classes>();
  const ends = classesListed / 2;
  for (let from = 0; from < measures.length; from += groupingsPerScan) {
    const part = measures.slice(from, from + groupingsPerScan);
    const values = part.map(({ column }, index) => `${dialect.value(column)} AS c${index}`);
    const which = part.map((_, index) => `WHEN grouping(c${index}) = 0 THEN ${index}`);
    const name = part.map((_, index) => `WHEN grouping(c${index}) = 0 THEN CAST(c${index} AS VARCHAR)`);
    const rows = await engine.query(`
      SELECT which, name, n, classes, total FROM (
        SELECT which, name, n, count(*) OVER everything AS classes, sum(n) OVER everything AS total,
          row_number() OVER (PARTITION BY which ORDER BY n, name) AS place
        FROM (
          SELECT CASE ${which.join(' ')} END AS which, CASE ${name.join(' ')} END AS name, count(*) AS n
          FROM (SELECT ${values.join(', ')} FROM ${table.sql}) AS labels
          GROUP BY GROUPING SETS (${part.map((_, index) => `(c${index})`).join(', ')})
        ) AS grouped
        WHERE name IS NOT NULL
        WINDOW everything AS (PARTITION BY which)
      ) AS placed
      WHERE place <= ${ends} OR place > classes - ${ends}
      ORDER BY which, place`);
    for (const [index, measure] of part.entries()) {
      const mine = rows.filter((row) => row['which'] === index);
      found.set(keyOf(measure), {
        count: Number(mine[0]?.['classes'] ?? 0),
        rows: Number(mine[0]?.['total'] ?? 0),
        listed: mine.map((row) => ({ name: String(row['name']), rows: Number(row['n']) })),
      });
    }
  }
  return found;
}

/** A list of row numbers as the engine gives it; null where there are none. */
export function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}
