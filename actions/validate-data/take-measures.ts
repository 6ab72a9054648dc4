import { type Engine, rowNumberColumn, type Table } from '../../core/data/index.ts';
import { besideTable, chosenValue, keysOf, type Question, type Reach, reachOf } from './beside.ts';
import { chosenSql, type Dialect } from './dialect.ts';
import { boundsOf, cannotRepeat, different, takingPart } from './different-values.ts';
import type {
  Classes,
  ClassesMeasure,
  ConflictsMeasure,
  CopiesMeasure,
  Measure,
  Measurements,
  NewcomersMeasure,
} from './measure.ts';
import { keyOf } from './measure.ts';

/** Aggregates in one statement: the engine's planning grows with their square, so thousands are asked in several scans. */
const aggregatesPerScan = 200;
/** Of other tables in one statement: each is a table of keys in memory. */
const referencesPerScan = 8;
const groupingsPerScan = 16;
/** Classes named in a message: all of so many, else half of them from each end. */
const classesListed = 20;
/** New values named in a message. */
const newcomersListed = 10;
/** Rows shown of a failure. */
export const rowsShown = 10;

type Whole = Extract<Measure, { kind: 'present' | 'statistic' }>;

/**
 * Counts everything the checks of a table need, each thing once: one scan for all row-level counts, one for the classes of all columns,
 * one that looks into all other tables, one for the order of rows. Only where those show that values repeat does a further statement
 * find out exactly which.
 */
export async function takeMeasures(
  engine: Pick<Engine, 'query'>,
  table: Table,
  measures: readonly Measure[],
  dialect: Dialect,
): Promise<Measurements> {
  const distinct = [...new Map(measures.map((measure) => [keyOf(measure), measure])).values()];
  const of = <Kind extends Measure['kind']>(...kinds: readonly Kind[]) =>
    distinct.filter((measure): measure is Extract<Measure, { kind: Kind }> =>
      kinds.some((kind) => kind === measure.kind),
    );

  const numbers = new Map<string, number | undefined>();
  const groups = new Map<string, FoundRows>();
  const classes = new Map<string, Classes>();
  if (table.rows > 0) {
    const aggregates = new Map<string, string>();
    for (const measure of of('present', 'statistic')) aggregates.set(keyOf(measure), aggregateOf(measure, dialect));
    const copies = of('copies');
    const bounds = await boundsOf(engine, table, copies, dialect);
    const askAbout = (measure: CopiesMeasure, questions: Map<string, string>) => {
      questions.set(
        `${keyOf(measure)} taking part`,
        measure.of === 'shared'
          ? aggregateOf({ kind: 'present', columns: measure.columns, where: measure.where ?? [] }, dialect)
          : dialectCount(takingPart(measure, dialect), dialect),
      );
      questions.set(`${keyOf(measure)} different`, different(measure, bounds, dialect));
    };
    const keys = copies.filter((measure) => measure.of === 'shared');
    for (const measure of keys) askAbout(measure, aggregates);
    const conditions = of('count');
    const at = (reach: Reach) => conditions.filter(({ condition }) => reachOf(condition) === reach);
    for (const reach of ['row', 'reference', 'sequence'] as const) {
      const asked = at(reach);
      const size = reach === 'reference' ? referencesPerScan : asked.length;
      for (let from = 0; from < asked.length || (from === 0 && reach === 'row'); from += Math.max(size, 1)) {
        const part = asked.slice(from, from + Math.max(size, 1));
        const beside = besideTable(table, part, dialect);
        const questions = new Map(
          part.map((each) => [keyOf(each), missingOf(each, dialect) ?? dialect.countIf(beside.breaks(each))]),
        );
        if (reach === 'row') for (const [key, question] of aggregates) questions.set(key, question);
        for (const [key, number] of await scan(engine, beside.sql, questions)) numbers.set(key, number);
      }
    }
    // Whole rows are read only where no key shows that they differ.
    const isUnique = (key: CopiesMeasure) =>
      numbers.get(`${keyOf(key)} taking part`) === table.rows && numbers.get(`${keyOf(key)} different`) === table.rows;
    const repeats = copies.filter((measure) => measure.of === 'repeats' && !cannotRepeat(measure, keys, isUnique));
    const further = new Map<string, string>();
    for (const measure of repeats) askAbout(measure, further);
    if (further.size > 0) for (const [key, number] of await scan(engine, table.sql, further)) numbers.set(key, number);
    for (const measure of [...keys, ...repeats]) {
      const key = keyOf(measure);
      if (numbers.get(`${key} taking part`) !== numbers.get(`${key} different`))
        groups.set(key, await findCopies(engine, table, measure, dialect));
    }
    for (const measure of of('conflicts'))
      groups.set(keyOf(measure), await findConflicts(engine, table, measure, dialect));
    for (const [key, found] of await countClasses(engine, table, of('classes'), dialect)) classes.set(key, found);
    for (const measure of of('newcomers'))
      classes.set(keyOf(measure), await findNewcomers(engine, table, measure, dialect));
  }

  const nothing: Classes = { count: 0, rows: 0, listed: [] };
  return {
    count: (measure) =>
      measure.kind === 'copies' || measure.kind === 'conflicts'
        ? (groups.get(keyOf(measure))?.total ?? 0)
        : (numbers.get(keyOf(measure)) ?? 0),
    classes: (measure) => classes.get(keyOf(measure)) ?? nothing,
    newcomers: (measure) => classes.get(keyOf(measure)) ?? nothing,
    statistic: (measure) => {
      const number = numbers.get(keyOf(measure));
      return number === undefined || Number.isNaN(number) ? undefined : number;
    },
    first: (measure) => groups.get(keyOf(measure))?.first ?? [],
  };
}

function aggregateOf(measure: Whole, dialect: Dialect): string {
  const chosen = chosenSql(measure.where, dialect);
  if (measure.kind === 'statistic') return dialect.statistic(measure.statistic, chosen);
  const [column, ...others] = measure.columns;
  if (column !== undefined && others.length === 0 && chosen === undefined) return `count(${dialect.value(column)})`;
  return dialectCount(allOf([chosen, ...measure.columns.map((one) => `NOT ${dialect.isMissing(one)}`)]), dialect);
}

/** Of all rows those without a value: what is left of those with one, which mostly are counted as well and cost an engine less. */
function missingOf({ condition, where }: Question, dialect: Dialect): string | undefined {
  return condition.kind === 'missing' && (where ?? []).length === 0
    ? `count(*) - count(${dialect.value(condition.column)})`
    : undefined;
}

function dialectCount(condition: string | undefined, dialect: Dialect): string {
  return condition === undefined ? 'count(*)' : dialect.countIf(condition);
}

/** Every condition that there is. */
function allOf(conditions: readonly (string | undefined)[]): string | undefined {
  const known = conditions.filter((condition) => condition !== undefined);
  return known.length === 0 ? undefined : known.join(' AND ');
}

async function scan(
  engine: Pick<Engine, 'query'>,
  from: string,
  aggregates: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, number | undefined>> {
  // Equal questions of different measures are asked once.
  const questions = [...new Set(aggregates.values())];
  const answers = new Map<string, number | undefined>();
  for (let start = 0; start < questions.length; start += aggregatesPerScan) {
    const part = questions.slice(start, start + aggregatesPerScan);
    const [row = {}] = await engine.query(
      `SELECT ${part.map((question, index) => `${question} AS a${index}`).join(', ')} FROM ${from}`,
    );
    for (const [index, question] of part.entries()) {
      const answer = row[`a${index}`];
      answers.set(question, answer === null || answer === undefined ? undefined : Number(answer));
    }
  }
  return new Map([...aggregates].map(([key, question]) => [key, answers.get(question)]));
}

interface FoundRows {
  readonly total: number;
  /** Rows, in file order. */
  readonly first: readonly number[];
}

/** Exact: fingerprints only choose the rows that are then compared by value. */
async function findCopies(
  engine: Pick<Engine, 'query'>,
  table: Table,
  measure: CopiesMeasure,
  dialect: Dialect,
): Promise<FoundRows> {
  const { columns, of } = measure;
  const row = dialect.identifier(rowNumberColumn);
  const names = columns.map((column) => dialect.identifier(column.name)).join(', ');
  const fingerprint = dialect.fingerprint(columns);
  const complete = takingPart(measure, dialect) ?? 'true';
  // Of equal rows the first is the original of the others; a shared key is a fault of all of them.
  const [counted, from] = of === 'repeats' ? (['n - 1', 2] as const) : (['n', 1] as const);
  const [answer = {}] = await engine.query(`
    WITH repeated AS (SELECT ${fingerprint} AS f FROM ${table.sql} WHERE ${complete} GROUP BY 1 HAVING count(*) > 1),
    candidates AS (SELECT * FROM ${table.sql} WHERE ${complete} AND ${fingerprint} IN (SELECT f FROM repeated)),
    equal ${dialect.asOnce} (
      SELECT count(*) AS n, ${dialect.least(row, rowsShown + 1)} AS "rows" FROM candidates GROUP BY ${names} HAVING count(*) > 1
    )
    SELECT
      (SELECT coalesce(sum(${counted}), 0) FROM equal) AS total,
      (SELECT ${dialect.least('r', rowsShown)} FROM (${dialect.entries('equal', '"rows"', from)}) AS "row numbers") AS first`);
  return { total: Number(answer['total']), first: numbersOf(answer['first']) };
}

/** Exact in the same way: groups of one fingerprint with more than one label are compared by value. */
async function findConflicts(
  engine: Pick<Engine, 'query'>,
  table: Table,
  { features, label, where }: ConflictsMeasure,
  dialect: Dialect,
): Promise<FoundRows> {
  const row = dialect.identifier(rowNumberColumn);
  const names = features.map((column) => dialect.identifier(column.name)).join(', ');
  const fingerprint = dialect.fingerprint(features);
  const value = dialect.value(label);
  const labelled = allOf([chosenSql(where, dialect), `NOT ${dialect.isMissing(label)}`]) ?? 'true';
  const [answer = {}] = await engine.query(`
    WITH suspect AS (
      SELECT ${fingerprint} AS f FROM ${table.sql} WHERE ${labelled} GROUP BY 1 HAVING min(${value}) <> max(${value})
    ),
    candidates AS (SELECT * FROM ${table.sql} WHERE ${labelled} AND ${fingerprint} IN (SELECT f FROM suspect)),
    torn ${dialect.asOnce} (
      SELECT count(*) AS n, ${dialect.least(row, rowsShown)} AS "rows" FROM candidates
      GROUP BY ${names} HAVING min(${value}) <> max(${value})
    )
    SELECT
      (SELECT coalesce(sum(n), 0) FROM torn) AS total,
      (SELECT ${dialect.least('r', rowsShown)} FROM (${dialect.entries('torn', '"rows"', 1)}) AS "row numbers") AS first`);
  return { total: Number(answer['total']), first: numbersOf(answer['first']) };
}

/** The values that the reference lacks, of a column's different values rather than of its rows. */
async function findNewcomers(
  engine: Pick<Engine, 'query'>,
  table: Table,
  { reference, where }: NewcomersMeasure,
  dialect: Dialect,
): Promise<Classes> {
  const [pair] = reference.pairs;
  if (pair === undefined) return { count: 0, rows: 0, listed: [] };
  const chosen = chosenSql(where, dialect);
  const rows = await engine.query(`
    SELECT name, n, classes, total FROM (
      SELECT name, n, count(*) OVER () AS classes, sum(n) OVER () AS total, row_number() OVER (ORDER BY n DESC, name) AS place
      FROM (
        SELECT ${dialect.asText('v', pair.own)} AS name, n
        FROM (
          SELECT v, count(*) AS n
          FROM (SELECT ${dialect.value(pair.own)} AS v FROM ${table.sql}${chosen === undefined ? '' : ` WHERE ${chosen}`}) AS "values"
          WHERE v IS NOT NULL GROUP BY v
        ) AS "classes" LEFT JOIN (SELECT k0, true AS "found" FROM (${keysOf(reference, dialect)}) AS "different") AS known ON v = k0
        WHERE known."found" IS NULL
      ) AS newcomers
    ) AS placed
    WHERE place <= ${newcomersListed} ORDER BY place`);
  return {
    count: Number(rows[0]?.['classes'] ?? 0),
    rows: Number(rows[0]?.['total'] ?? 0),
    listed: rows.map((row) => ({ name: String(row['name']), rows: Number(row['n']) })),
  };
}

/** The classes of several columns in one scan. */
async function countClasses(
  engine: Pick<Engine, 'query'>,
  table: Table,
  measures: readonly ClassesMeasure[],
  dialect: Dialect,
): Promise<ReadonlyMap<string, Classes>> {
  const found = new Map<string, Classes>();
  const ends = classesListed / 2;
  for (let from = 0; from < measures.length; from += groupingsPerScan) {
    const part = measures.slice(from, from + groupingsPerScan);
    const values = part.map(
      ({ column, where }, index) => `${chosenValue(dialect.value(column), where, dialect)} AS c${index}`,
    );
    const which = part.map((_, index) => `WHEN grouping(c${index}) = 0 THEN ${index}`);
    const name = part.map(
      ({ column }, index) => `WHEN grouping(c${index}) = 0 THEN ${dialect.asText(`c${index}`, column)}`,
    );
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
      const mine = rows.filter((row) => Number(row['which']) === index);
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
