import { DataError, type Problem } from '../problem/index.ts';
import { digestFile } from './digest.ts';
import { distill, outOfMemoryError } from './duckdb-error.ts';
import { deepestLine, locateJsonFault } from './json-lines-fault.ts';
import { lineFeed, longestLine } from './lines-of.ts';
import { quoteIdentifier, quoteLiteral, quotePath } from './quoting.ts';
import { type Relation, refuseBadNames } from './relation.ts';
import type { SourceFile } from './source-file.ts';
import { TextWatch } from './text-watch.ts';

type Run = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/**
 * Loads a file of JSON objects, one a line, into a table of the engine. A key that a line lacks is null there. Types are those that all
 * lines agree on; text that is ISO 8601 throughout is dates or timestamps, lists and objects are `other`, and so is a column of values of
 * several kinds. Empty lines are no rows. `text` names columns to be kept as written.
 */
export async function loadJsonLines(
  run: Run,
  source: SourceFile,
  tableName: string,
  text: ReadonlySet<string>,
): Promise<Relation> {
  const watch = new LineWatch();
  const sha256 = await digestFile(source.path, (chunk) => watch.push(chunk));
  const lines = watch.end();
  // Before the engine sees them: what is no text, or has no end, or no bottom.
  if (!lines.isText || lines.longest > longestLine || lines.deepest > deepestLine)
    throw await explain(source, undefined);
  if (lines.rows === 0) {
    throw new DataError({
      code: 'empty-file',
      message: 'the file is empty',
      place: { file: source.name, line: 1 },
      expected: 'a JSON object a line',
      fix: 'Write the data to it.',
    });
  }
  try {
    const objects = `read_ndjson_objects(${quotePath(source.path)}, compression = 'uncompressed', maximum_object_size = ${2 * longestLine})`;
    const [kinds] = await run(
      `SELECT count(*) AS "rows", count(*) FILTER (WHERE json_type(json) = 'OBJECT') AS objects, count(*) FILTER (WHERE len(json_keys(json)) <> len(list_distinct(json_keys(json)))) AS twice FROM ${objects}`,
    );
    if (Number(kinds?.['rows']) !== lines.rows || Number(kinds?.['objects']) !== lines.rows) {
      throw await explain(source, undefined);
    }
    const keys = await run(
      `SELECT key FROM (SELECT unnest(keys) AS key, line * 100000 + generate_subscripts(keys, 1) AS position FROM (SELECT json_keys(json) AS keys, row_number() OVER () AS line FROM ${objects})) GROUP BY key ORDER BY min(position)`,
    );
    const names = keys.map((row) => String(row['key']));
    if (names.length === 0 || names.includes('') || Number(kinds?.['twice']) > 0) throw oddKeys(source, names);
    refuseBadNames(names, source.name);
    return { ...(await loadTyped(run, source, names, tableName, text)), sha256: Promise.resolve(sha256) };
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw await explain(source, error);
  }
}

async function loadTyped(
  run: Run,
  source: SourceFile,
  names: readonly string[],
  tableName: string,
  text: ReadonlySet<string>,
): Promise<Omit<Relation, 'sha256'>> {
  const file = quotePath(source.path);
  const reading = `format = 'newline_delimited', records = true, compression = 'uncompressed', hive_partitioning = false, maximum_object_size = ${2 * longestLine}`;
  const guessed = await run(
    `SELECT column_name AS name, column_type AS type FROM (DESCRIBE SELECT * FROM read_json(${file}, ${reading}, sample_size = -1, maximum_depth = 2, map_inference_threshold = -1, dateformat = '%Y', timestampformat = '%Y'))`,
  );
  const guesses = new Map(guessed.map((row) => [String(row['name']), String(row['type'])]));
  const columns = names.map((name) => {
    const type = guesses.get(name) ?? 'JSON';
    if (/^(BOOLEAN|U?BIGINT|HUGEINT|DOUBLE|VARCHAR)$/.test(type)) return { name, stored: type };
    // What looks like a date to DuckDB is text until all of it was looked at; lists, objects and mixtures stay as written.
    return { name, stored: /^(DATE|TIME|TIMESTAMP|UUID)/.test(type) ? 'VARCHAR' : 'JSON' };
  });
  const table = quoteIdentifier(tableName);
  await run(
    `CREATE OR REPLACE TABLE ${table} AS SELECT * FROM read_json(${file}, ${reading}, columns = {${columns
      .map(({ name, stored }) => `${quoteLiteral(name)}: ${quoteLiteral(stored)}`)
      .join(', ')}})`,
  );
  const facts: Record<string, unknown> = { rows: 0 };
  for (let from = 0; from < columns.length || from === 0; from += 250) {
    const questions = columns.slice(from, from + 250).flatMap(({ name, stored }, offset) => {
      const value = quoteIdentifier(name);
      const index = from + offset;
      const empty = `count(${value}) = 0 AS empty${index}`;
      if (stored !== 'VARCHAR' || text.has(name)) return [empty];
      const every = (form: string, type: string) =>
        `coalesce(bool_and(regexp_full_match(${value}, '${form}') AND try_cast(${value} AS ${type}) IS NOT NULL) FILTER (WHERE ${value} IS NOT NULL), false)`;
      return [
        empty,
        `${every(isoDate, 'DATE')} AS date${index}`,
        `${every(`${isoDate}([T ]${isoTime})?`, 'TIMESTAMP')} AS timestamp${index}`,
      ];
    });
    Object.assign(facts, (await run(`SELECT ${['count(*) AS "rows"', ...questions].join(', ')} FROM ${table}`))[0]);
  }
  return {
    rows: Number(facts['rows']),
    rowNumber: 'rowid + 1',
    from: table,
    select: columns.map(({ name, stored }, index) => {
      const identifier = quoteIdentifier(name);
      const type =
        facts[`empty${index}`] === true
          ? 'VARCHAR'
          : facts[`date${index}`] === true
            ? 'DATE'
            : facts[`timestamp${index}`] === true
              ? 'TIMESTAMP'
              : stored;
      return type === stored ? identifier : `CAST(${identifier} AS ${type}) AS ${identifier}`;
    }),
  };
}

const isoDate = '\\d{4}-\\d{2}-\\d{2}';
const isoTime = '\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:?\\d{2})?';

async function explain(source: SourceFile, error: unknown): Promise<DataError> {
  const exhausted = outOfMemoryError(error, { file: source.name }, [source.path]);
  if (exhausted !== undefined) return exhausted;
  const fault = await locateJsonFault(source.path);
  if (fault !== undefined) {
    const { line, ...problem } = fault;
    return new DataError({ ...problem, place: { file: source.name, line } }, { cause: error });
  }
  const problem: Problem = {
    code: 'unreadable-json',
    message: 'the JSON lines cannot be read',
    place: { file: source.name },
    found: distill(error ?? new Error('not every line is read as one object'), [source.path]).message,
    fix: 'Write one object a line, without line breaks inside, or convert it to Parquet.',
  };
  return new DataError(problem, { cause: error });
}

function oddKeys(source: SourceFile, names: readonly string[]): DataError {
  const message =
    names.length === 0
      ? 'the objects have no keys'
      : names.includes('')
        ? 'an object has a key without a name'
        : 'an object has a key twice';
  return new DataError({
    code: names.length === 0 ? 'no-columns' : names.includes('') ? 'unnamed-column' : 'duplicate-column',
    message,
    place: { file: source.name },
    fix: 'Write every column once, with a name.',
  });
}

const quote = 0x22;
const backslash = 0x5c;

/** Counts the lines with something in them while the bytes are hashed, and how long, deep and UTF-8 they are. */
class LineWatch {
  #rows = 0;
  #longest = 0;
  #deepest = 0;
  readonly #text = new TextWatch();
  #length = 0;
  #filled = false;
  #depth = 0;
  #quoted = false;
  #escaped = false;

  push(chunk: Buffer): void {
    this.#text.push(chunk);
    let depth = this.#depth;
    let quoted = this.#quoted;
    let escaped = this.#escaped;
    let filled = this.#filled;
    let begin = -this.#length;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === lineFeed) {
        if (filled) this.#rows++;
        this.#longest = Math.max(this.#longest, at - begin);
        begin = at + 1;
        filled = false;
        quoted = false;
        escaped = false;
        depth = 0;
      } else if (quoted) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) quoted = false;
      } else if (byte > 0x20) {
        filled = true;
        if (byte === quote) quoted = true;
        else if (byte === 0x5b || byte === 0x7b) {
          depth++;
          if (depth > this.#deepest) this.#deepest = depth;
        } else if (byte === 0x5d || byte === 0x7d) depth--;
      }
    }
    this.#length = chunk.length - begin;
    this.#depth = depth;
    this.#quoted = quoted;
    this.#escaped = escaped;
    this.#filled = filled;
  }

  end(): { readonly rows: number; readonly longest: number; readonly deepest: number; readonly isText: boolean } {
    return {
      rows: this.#rows + (this.#filled ? 1 : 0),
      longest: Math.max(this.#longest, this.#length),
      deepest: this.#deepest,
      isText: this.#text.holds,
    };
  }
}
