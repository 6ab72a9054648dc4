import { DataError, type Problem } from '../problem/index.ts';
import { locateCsvFault, spoken } from './csv-fault.ts';
import { type CsvDialect, type CsvHeader, readCsvHeader } from './csv-header.ts';
import { CsvRecordCounter } from './csv-record-counter.ts';
import { digestFile } from './digest.ts';
import { distill, outOfMemoryError } from './duckdb-error.ts';
import { quoteIdentifier, quoteLiteral, quotePath } from './quoting.ts';
import { type Relation, refuseBadNames } from './relation.ts';
import type { SourceFile } from './source-file.ts';

/** DuckDB's types that a CSV column can have here; times of day and odd date formats stay text. */
const candidates = ['BOOLEAN', 'BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'VARCHAR'] as const;
type CsvType = (typeof candidates)[number];

type Run = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** How the values of a column are stored, and the expression that gives them their type. */
interface Storage {
  readonly name: string;
  readonly stored: CsvType;
  readonly guessed: CsvType;
}

/**
 * Loads a CSV file into a table of the engine, parsed once. Types are those all rows agree on: DuckDB guesses from the first rows and
 * then rounds a late `1.5` to 2 in a column it took for integers, or cuts the hour off a late timestamp, so such columns are stored
 * in the wider type and narrowed when every value allows it. Only an empty value is null.
 * `text` names columns to be kept as written (`007` stays `007`).
 */
export async function loadCsv(
  run: Run,
  source: SourceFile,
  tableName: string,
  text: ReadonlySet<string>,
): Promise<Relation> {
  const header = await readCsvHeader(source.path);
  if ('code' in header) throw new DataError({ ...header, place: { file: source.name, line: 1 } });
  refuseBadNames(header.names, source.name, 1);

  const counter = new CsvRecordCounter(header.dialect);
  const [digest, load] = await Promise.allSettled([
    digestFile(source.path, (chunk) => counter.push(chunk)),
    loadTyped(run, source, header, tableName, text),
  ]);
  const counted = counter.end();
  if (digest.status === 'rejected') throw digest.reason;
  if (load.status === 'rejected' || !counted.isText) {
    throw await explain(source, header, load.status === 'rejected' ? load.reason : undefined);
  }
  let loaded = load.value;
  if (!agree(loaded.rows, counted, header)) {
    loaded = await loadTyped(run, source, header, tableName, text, { wholeFile: true, parallel: false }).catch(
      async (error: unknown) => {
        throw await explain(source, header, error);
      },
    );
    if (!agree(loaded.rows, counted, header)) throw await explain(source, header, undefined);
  }
  return { ...loaded, sha256: Promise.resolve(digest.value), dialect: describeDialect(header.dialect) };
}

function agree(
  rows: number,
  counted: { readonly records: number; readonly blanks: number },
  header: CsvHeader,
): boolean {
  // An empty line is a missing value where there is one column, and nothing where there are more.
  return rows === counted.records - 1 + (header.names.length === 1 ? counted.blanks : 0);
}

async function explain(source: SourceFile, header: CsvHeader, error: unknown): Promise<DataError> {
  const exhausted = outOfMemoryError(error, { file: source.name }, [source.path]);
  if (exhausted !== undefined) return exhausted;
  const fault = await locateCsvFault(source.path, header);
  if (fault !== undefined) {
    const { line, ...problem } = fault;
    return new DataError({ ...problem, place: { file: source.name, line } }, { cause: error });
  }
  const { message, line } = distill(error ?? new Error('rows are lost when the file is read'), [source.path]);
  const problem: Problem = {
    code: 'unreadable-csv',
    message: 'the CSV file cannot be read',
    place: { file: source.name, ...(line === undefined ? {} : { line }) },
    found: message,
    fix: 'Write the file again, or convert it to Parquet.',
  };
  return new DataError(problem, { cause: error });
}

interface LoadOptions {
  /** Let the guess see every row. @default false: the first 20480 */
  readonly wholeFile?: boolean;
  readonly parallel?: boolean;
}

async function loadTyped(
  run: Run,
  source: SourceFile,
  header: CsvHeader,
  tableName: string,
  text: ReadonlySet<string>,
  { wholeFile = false, parallel = true }: LoadOptions = {},
): Promise<Omit<Relation, 'sha256'>> {
  const guesses = await guessTypes(run, source, header, wholeFile);
  const columns = header.names.map((name, index): Storage => {
    const guessed = text.has(name) ? 'VARCHAR' : (guesses[index] ?? 'VARCHAR');
    return { name, guessed, stored: storedType(guessed, wholeFile) };
  });
  const table = quoteIdentifier(tableName);
  const again = () => loadTyped(run, source, header, tableName, text, { wholeFile: true, parallel });
  try {
    await run(
      `CREATE OR REPLACE TABLE ${table} AS SELECT * FROM read_csv(${quotePath(source.path)}, auto_detect = false, ${dialectOf(header)}, parallel = ${parallel}, columns = {${columns
        .map((column) => `${quoteLiteral(column.name)}: ${quoteLiteral(column.stored)}`)
        .join(', ')}})`,
    );
  } catch (error) {
    if (!wholeFile && distill(error, []).kind === 'Conversion') return again();
    throw error;
  }
  const facts = await factsOf(run, table, columns);
  if (!wholeFile && columns.some((_, index) => facts.late[index] === true || facts.unsafe[index] === true))
    return again();
  return {
    rows: facts.rows,
    rowNumber: 'rowid + 1',
    from: table,
    select: columns.map((column, index) => {
      const identifier = quoteIdentifier(column.name);
      const narrow = facts.narrow[index] === true ? column.guessed : column.stored;
      return narrow === column.stored ? identifier : `CAST(${identifier} AS ${narrow}) AS ${identifier}`;
    }),
  };
}

async function guessTypes(
  run: Run,
  source: SourceFile,
  header: CsvHeader,
  wholeFile: boolean,
): Promise<readonly CsvType[]> {
  const [sniffed] = await run(
    `SELECT "DateFormat" AS dates, "TimestampFormat" AS timestamps, list_transform("Columns", lambda c: c.type) AS types FROM sniff_csv(${quotePath(source.path)}, ${dialectOf(header)}, auto_type_candidates = [${candidates.map(quoteLiteral).join(', ')}]${wholeFile ? ', sample_size = -1' : ''})`,
  );
  const types = Array.isArray(sniffed?.['types']) ? sniffed['types'] : [];
  if (types.length !== header.names.length) throw new Error('the header and the rows do not have the same columns');
  return types.map((type: unknown): CsvType => {
    // A format of days and months in some order is a guess a validator must not make: such dates stay text.
    if (type === 'DATE' && !isIso(sniffed?.['dates'])) return 'VARCHAR';
    if (type === 'TIMESTAMP' && !isIso(sniffed?.['timestamps'])) return 'VARCHAR';
    return candidates.find((candidate) => candidate === type) ?? 'VARCHAR';
  });
}

function isIso(format: unknown): boolean {
  return typeof format !== 'string' || format === '' || format.startsWith('%Y-%m-%d');
}

/** The type that holds every value of the file whatever the guess missed, so that narrowing can be decided on all rows. */
function storedType(guessed: CsvType, wholeFile: boolean): CsvType {
  // DuckDB takes yes, no, t, f, 1 and 0 for booleans too; only true and false are, in any case of letters.
  if (guessed === 'BOOLEAN') return 'VARCHAR';
  if (wholeFile) return guessed;
  if (guessed === 'BIGINT') return 'DOUBLE';
  return guessed === 'DATE' ? 'TIMESTAMP' : guessed;
}

interface Facts {
  readonly rows: number;
  /** Every value fits the guessed type. */
  readonly narrow: readonly boolean[];
  /** An integer too large to have survived as a double. */
  readonly unsafe: readonly boolean[];
  /** No value among the first rows, values later: the guess saw nothing. */
  readonly late: readonly boolean[];
}

const guessedRows = 20_480;
/** DuckDB plans a statement in time that grows with the square of what it asks. */
const questionsAtOnce = 500;

async function factsOf(run: Run, table: string, columns: readonly Storage[]): Promise<Facts> {
  const questions = columns.flatMap((column, index) => {
    const value = quoteIdentifier(column.name);
    const fits = {
      BIGINT: `isfinite(${value}) AND ${value} = floor(${value})`,
      DATE: `${value} = date_trunc('day', ${value})`,
      BOOLEAN: `lower(${value}) IN ('true', 'false')`,
    } as const;
    const guessed = column.guessed;
    if (guessed === column.stored || !(guessed === 'BIGINT' || guessed === 'DATE' || guessed === 'BOOLEAN')) {
      return guessed === 'VARCHAR'
        ? [`count(${value}) > 0 AND count(${value}) FILTER (WHERE rowid < ${guessedRows}) = 0 AS late${index}`]
        : [];
    }
    return [
      `coalesce(bool_and(${fits[guessed]}), true) AS narrow${index}`,
      ...(guessed === 'BIGINT' ? [`coalesce(max(abs(${value})) >= 9007199254740992, false) AS unsafe${index}`] : []),
    ];
  });
  const answers: Record<string, unknown> = {};
  for (let from = 0; from === 0 || from < questions.length; from += questionsAtOnce) {
    const some = ['count(*) AS "rows"', ...questions.slice(from, from + questionsAtOnce)];
    Object.assign(answers, (await run(`SELECT ${some.join(', ')} FROM ${table}`))[0]);
  }
  const read = (question: string) => columns.map((_, index) => answers[`${question}${index}`] === true);
  return { rows: Number(answers['rows']), narrow: read('narrow'), unsafe: read('unsafe'), late: read('late') };
}

function describeDialect({ delimiter, newline, byteOrderMark }: CsvDialect): string {
  const encoding = byteOrderMark ? 'UTF-8 with a byte order mark' : 'UTF-8';
  return `${spoken[delimiter]}s between values, quoted by ", header in line 1, ${encoding}, ${spoken[newline]}`;
}

function dialectOf(header: CsvHeader): string {
  // Naming the line ending loses every row of a file that has a byte order mark and CRLF (1.5.5): DuckDB finds it by itself.
  return `header = true, delim = ${quoteLiteral(header.dialect.delimiter)}, quote = '"', escape = '"', skip = 0, comment = '', compression = 'none', strict_mode = true, hive_partitioning = false`;
}
