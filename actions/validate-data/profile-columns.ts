import { type Column, type Engine, quoteIdentifier, type Table } from '../../core/data/index.ts';
import type { ColumnProfile } from '../../core/report/index.ts';
import { ofSquarable } from './dialect.ts';

/** Columns of one statement. */
const columnsAtOnce = 40;
/** Columns of a profile: more are nobody's to read. */
const mostColumns = 500;
/** A column of more different values is shown without its most frequent ones. */
const fewValues = 50;
const topShown = 5;
const longestValue = 60;
const bins = 10;

/**
 * What each column holds, read in two scans for every forty columns: counts and ranges, then small histograms. Of sensitive columns only how
 * many values are missing and how many are different.
 */
export async function profileColumns(
  engine: Pick<Engine, 'query'>,
  table: Table,
  isSensitive: (column: Column) => boolean,
): Promise<readonly ColumnProfile[]> {
  const profiles: ColumnProfile[] = [];
  const columns = table.rows === 0 ? [] : table.columns.slice(0, mostColumns);
  for (let from = 0; from < columns.length; from += columnsAtOnce) {
    const part = columns.slice(from, from + columnsAtOnce);
    const ranges = await rangesOf(engine, table, part, isSensitive);
    profiles.push(...(await withDistributions(engine, table, part, ranges, isSensitive)));
  }
  return profiles;
}

async function rangesOf(
  engine: Pick<Engine, 'query'>,
  table: Table,
  columns: readonly Column[],
  isSensitive: (column: Column) => boolean,
): Promise<readonly ColumnProfile[]> {
  const questions = columns.flatMap((column, index) => {
    const name = quoteIdentifier(column.name);
    const counts = [
      `count(${holdsNaN(column) ? `CASE WHEN isnan(${name}) THEN NULL ELSE ${name} END` : name}) AS n${index}`,
      `approx_count_distinct(${name}) AS d${index}`,
    ];
    if (isSensitive(column)) return counts;
    if (isNumeric(column)) {
      const value = finite(column);
      return [
        ...counts,
        ...['min', 'max', 'avg'].map((each) => `${each}(${value}) AS ${each}${index}`),
        `${ofSquarable([value], ([one]) => `stddev_samp(${one})`)} AS stddev_samp${index}`,
      ];
    }
    if (!isTime(column)) return counts;
    return [...counts, ...['min', 'max'].map((each) => `CAST(${each}(${name}) AS VARCHAR) AS ${each}${index}`)];
  });
  const [row = {}] = await engine.query(`SELECT ${questions.join(', ')} FROM ${table.sql}`);
  return columns.map((column, index): ColumnProfile => {
    const words = (name: string) => {
      const value = row[`${name}${index}`];
      return value === null || value === undefined ? undefined : String(value);
    };
    const number = (name: string) => {
      const value = row[`${name}${index}`];
      return typeof value === 'number' && Number.isFinite(value) ? tidy(value) : undefined;
    };
    const filled = Number(row[`n${index}`]);
    const [min, max, mean, std] = [words('min'), words('max'), number('avg'), number('stddev_samp')];
    return {
      name: column.name,
      type: column.type,
      missing: table.rows - filled,
      // The estimate may say more than there are.
      different: Math.min(filled, Number(row[`d${index}`])),
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      ...(mean === undefined ? {} : { mean }),
      ...(std === undefined ? {} : { std }),
    };
  });
}

async function withDistributions(
  engine: Pick<Engine, 'query'>,
  table: Table,
  columns: readonly Column[],
  ranges: readonly ColumnProfile[],
  isSensitive: (column: Column) => boolean,
): Promise<readonly ColumnProfile[]> {
  const questions = columns.flatMap((column, index) => {
    const { min, max, different } = ranges[index] ?? { different: 0 };
    if (isSensitive(column)) return [];
    const width = Number(max) - Number(min);
    if (isNumeric(column) && width > 0 && Number.isFinite(width)) {
      const value = finite(column);
      // A histogram leaves out null, and `least` does not give it.
      const bin = `CASE WHEN ${value} IS NOT NULL THEN CAST(least(${bins - 1}, floor((${value} - ${Number(min)}) / ${width} * ${bins})) AS TINYINT) ELSE NULL END`;
      return [`CAST(to_json(histogram(${bin})) AS VARCHAR) AS h${index}`];
    }
    if (different === 0 || different > fewValues || (column.type !== 'string' && column.type !== 'boolean')) return [];
    const text = `left(CAST(${quoteIdentifier(column.name)} AS VARCHAR), ${longestValue})`;
    return [`CAST(to_json(histogram(${text})) AS VARCHAR) AS h${index}`];
  });
  const [row = {}] =
    questions.length === 0 ? [] : await engine.query(`SELECT ${questions.join(', ')} FROM ${table.sql}`);
  return ranges.map((profile, index) => {
    const text = row[`h${index}`];
    if (typeof text !== 'string') return profile;
    const counts = new Map(Object.entries(JSON.parse(text) as Record<string, number>));
    const column = columns[index];
    if (column !== undefined && isNumeric(column)) {
      const bars = Array.from({ length: bins }, (_, bin) => counts.get(String(bin)) ?? 0);
      return { ...profile, bars };
    }
    const top = [...counts]
      .sort(([one, few], [other, many]) => many - few || (one < other ? -1 : 1))
      .slice(0, topShown)
      .map(([value, rows]) => ({ value, rows }));
    // All of them were counted; what was cut may be several.
    const whole = [...counts.keys()].every((value) => value.length < longestValue);
    return { ...profile, ...(whole ? { different: counts.size } : {}), top };
  });
}

/** The last digits of a mean depend on the order in which threads add. */
function tidy(value: number): number {
  return Number(value.toPrecision(6));
}

function finite(column: Column): string {
  const value = `CAST(${quoteIdentifier(column.name)} AS DOUBLE)`;
  return `CASE WHEN isfinite(${value}) THEN ${value} ELSE NULL END`;
}

function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number';
}

function isTime(column: Column): boolean {
  return column.type === 'date' || column.type === 'timestamp';
}

function holdsNaN(column: Column): boolean {
  return column.sqlType === 'DOUBLE' || column.sqlType === 'FLOAT';
}
