import { DataError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { columnTypeOf } from './column-type.ts';
import type { PartitionColumn } from './hive-partition.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import type { Relation } from './relation.ts';
import { type ColumnType, rowNumberColumn } from './table.ts';

type Run = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** A file that was opened, as a part of a source. */
export interface OpenedFile {
  readonly name: string;
  readonly relation: Relation;
}

/** The SELECT that gives the rows of one relation with their numbers, which go on from `before`. */
function selectOf({ select, rowNumber, from }: Relation, before: number, more: readonly string[] = []): string {
  const number = before === 0 ? rowNumber : `${rowNumber} + ${before}`;
  return `SELECT ${[...select, ...more, `${number} AS ${quoteIdentifier(rowNumberColumn)}`].join(', ')} FROM ${from}`;
}

/**
 * One SELECT over all files of a source, in their order. Every file must have the same columns, in any order, of types that go together:
 * integers and numbers, dates and timestamps, and a column without a value with any. Throws a `DataError` that names the first two files
 * that differ.
 */
export async function uniteRelations(
  run: Run,
  files: readonly OpenedFile[],
  partitions: readonly PartitionColumn[],
): Promise<string> {
  const [first] = files;
  if (first === undefined) throw new RangeError('a source without files');
  if (files.length === 1 && partitions.length === 0) return selectOf(first.relation, 0);

  const schemas: (readonly FileColumn[])[] = [];
  for (const file of files) schemas.push(await columnsOf(run, file));
  const columns = schemas[0] ?? [];
  for (const [index, schema] of schemas.entries()) {
    refuseOtherNames(first.name, columns, files[index]?.name ?? '', schema);
    const clash = partitions.find(({ name }) => schema.some((column) => sameColumn(column.name, name)));
    if (clash !== undefined) {
      throw new DataError({
        code: 'duplicate-column',
        message: `the column "${excerpt(clash.name)}" is in the file and in the name of its folder`,
        place: { file: files[index]?.name ?? '' },
        fix: 'Write the files without their partition columns, as Spark does, or name the folder otherwise.',
      });
    }
  }
  const casts = new Map<string, string>();
  for (const [at, { name }] of columns.entries()) {
    const types = schemas.map((schema) => schema.find((column) => column.name === name) ?? schema[at]);
    const common = await commonType(
      run,
      files,
      name,
      types.map((column) => column?.sqlType ?? ''),
    );
    if (common !== undefined) casts.set(name, common);
  }
  let before = 0;
  const parts: string[] = [];
  for (const [index, { relation }] of files.entries()) {
    const inner = selectOf(relation, before);
    const outer = [
      ...columns.map(({ name }) => {
        const identifier = quoteIdentifier(name);
        const type = casts.get(name);
        return type === undefined ? identifier : `CAST(${identifier} AS ${type}) AS ${identifier}`;
      }),
      ...partitions.map(({ name, sqlType, values }) => {
        const value = values[index] ?? null;
        return `CAST(${value === null ? 'NULL' : quoteLiteral(value)} AS ${sqlType}) AS ${quoteIdentifier(name)}`;
      }),
      quoteIdentifier(rowNumberColumn),
    ];
    parts.push(`SELECT ${outer.join(', ')} FROM (${inner})`);
    before += relation.rows;
  }
  return parts.join(' UNION ALL ');
}

interface FileColumn {
  readonly name: string;
  readonly sqlType: string;
}

async function columnsOf(run: Run, { relation }: OpenedFile): Promise<readonly FileColumn[]> {
  const described = await run(
    `SELECT column_name AS name, column_type AS type FROM (DESCRIBE ${selectOf(relation, 0)})`,
  );
  return described
    .map((row) => ({ name: String(row['name']), sqlType: String(row['type']) }))
    .filter(({ name }) => name !== rowNumberColumn);
}

function sameColumn(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function refuseOtherNames(
  first: string,
  expected: readonly FileColumn[],
  second: string,
  found: readonly FileColumn[],
): void {
  const lacks = expected.filter(({ name }) => !found.some((column) => column.name === name));
  const extra = found.filter(({ name }) => !expected.some((column) => column.name === name));
  if (lacks.length === 0 && extra.length === 0) return;
  const list = (columns: readonly FileColumn[]) =>
    columns
      .slice(0, 5)
      .map(({ name }) => `"${excerpt(name, 40)}"`)
      .join(', ') + (columns.length > 5 ? ` and ${columns.length - 5} more` : '');
  const words = [
    ...(lacks.length > 0 ? [`${list(lacks)} only in ${excerpt(first, 120)}`] : []),
    ...(extra.length > 0 ? [`${list(extra)} only in ${excerpt(second, 120)}`] : []),
  ];
  throw new DataError({
    code: 'schema-mismatch',
    message: 'two files of one source do not have the same columns',
    place: { file: second },
    found: words.join('; '),
    expected: `the columns of ${excerpt(first, 120)}`,
    fix: 'Write the files with the same columns, or name them as two sources.',
  });
}

/** The type a column has in all files; undefined when it is of one type in all. */
async function commonType(
  run: Run,
  files: readonly OpenedFile[],
  name: string,
  sqlTypes: readonly string[],
): Promise<string | undefined> {
  if (sqlTypes.every((type) => type === sqlTypes[0])) return undefined;
  // A column without a value goes with any type.
  const filled: number[] = [];
  for (const [index, sqlType] of sqlTypes.entries()) {
    const file = files[index];
    if (file === undefined) continue;
    const text = sqlType === 'VARCHAR' || sqlType === '"NULL"';
    if (!text || (await hasValue(run, file, name))) filled.push(index);
  }
  const [first] = filled;
  if (first === undefined) return 'VARCHAR';
  const firstType = columnTypeOf(sqlTypes[first] ?? '');
  for (const index of filled) {
    const type = columnTypeOf(sqlTypes[index] ?? '');
    if (goTogether(firstType, type) && (type !== 'other' || sqlTypes[index] === sqlTypes[first])) continue;
    throw new DataError({
      code: 'schema-mismatch',
      message: `the column "${excerpt(name)}" is not of one type in all files of the source`,
      place: { file: files[index]?.name ?? '' },
      found: `${type} (${excerpt(sqlTypes[index] ?? '', 60)}) here, ${firstType} (${excerpt(sqlTypes[first] ?? '', 60)}) in ${excerpt(files[first]?.name ?? '', 120)}`,
      fix: 'Write the files with the same types. In CSV and JSON, "schema: { types: { column: string } }" keeps a column as text.',
    });
  }
  const kinds = new Set(filled.map((index) => sqlTypes[index] ?? ''));
  if (kinds.size === 1) return sqlTypes[first];
  const probe = filled.map((index) => `SELECT CAST(NULL AS ${sqlTypes[index]}) AS value`).join(' UNION ALL ');
  const [described] = await run(`SELECT column_type AS type FROM (DESCRIBE ${probe})`);
  return String(described?.['type']);
}

async function hasValue(run: Run, { relation }: OpenedFile, name: string): Promise<boolean> {
  const value = quoteIdentifier(name);
  const [row] = await run(
    `SELECT EXISTS (SELECT 1 FROM (${selectOf(relation, 0)}) WHERE ${value} IS NOT NULL) AS filled`,
  );
  return row?.['filled'] === true;
}

function goTogether(one: ColumnType, other: ColumnType): boolean {
  if (one === other) return true;
  const pair = new Set([one, other]);
  return (pair.has('integer') && pair.has('number')) || (pair.has('date') && pair.has('timestamp'));
}
