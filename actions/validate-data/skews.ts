import type { DigestedTable, Engine } from '../../core/data/index.ts';
import {
  chooseColumns,
  type DriftJudgement,
  type DriftRows,
  judgeDrift,
  measureColumns,
  type UnmeasuredColumn,
} from '../../core/drift/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { type DataCheckOptions, type DataSource, policyDefaults } from '../../core/policy/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { chosenRows } from './chosen-rows.ts';
import { chosenSql, duckdbDialect } from './dialect.ts';
import type { Chosen } from './measure.ts';
import type { OpenRows } from './open-rows.ts';
import type { Judgement } from './planned-check.ts';
import { counted } from './wording.ts';

type SkewCheck = DataCheckOptions<'skew'>;

/** What a `skew` check says of one column; without a name, of all. */
export interface SkewedColumn {
  readonly column?: string;
  readonly judgement: Judgement;
}

interface Room {
  readonly engine: Engine;
  /** The policy's `evidence`. */
  readonly level: number | 'off';
}

/** Measures the columns of every `skew` check of a source as `detect-drift` does, the same numbers of the same files. `other` gives the opened file of a name. */
export async function skewsOf(
  source: DataSource,
  { table, sha256 }: Pick<OpenRows, 'table' | 'sha256'>,
  other: (file: string) => DigestedTable,
  room: Room,
): Promise<ReadonlyMap<SkewCheck, readonly SkewedColumn[]>> {
  const found = new Map<SkewCheck, readonly SkewedColumn[]>();
  for (const { skew } of source.checks) {
    if (skew === undefined) continue;
    const chosen = chosenRows(skew.where, table);
    // Where rows cannot be chosen the plan says so.
    if ('problems' in chosen) continue;
    const digested = { ...table, sha256: (await sha256) ?? '' };
    found.set(skew, await skewedColumns(skew, digested, chosen, other(skew.reference), room));
  }
  return found;
}

async function skewedColumns(
  check: SkewCheck,
  table: DigestedTable,
  chosen: Chosen,
  other: DigestedTable,
  { engine, level }: Room,
): Promise<readonly SkewedColumn[]> {
  const { columns, max, measure = policyDefaults.skew.measure, severity } = check;
  const current = await rowsOf(table, chosen, engine);
  const reference: DriftRows = { table: other, sql: other.sql, rows: other.rows, chosenBy: [] };
  const least = policyDefaults.drift.min_rows;
  const few = [reference, current].find(({ rows }) => rows < least);
  if (few !== undefined) {
    const rows = `${counted(few.rows, 'row')} of ${excerpt(few.table.file)}${few.chosenBy.length === 0 ? '' : ' that "where" chooses'}`;
    return [unjudged(undefined, `Too few rows to compare: ${rows}, and it takes ${least} on both sides.`)];
  }
  const choice = chooseColumns(check, () => ({}), reference, current);
  const named = Array.isArray(columns) ? { columns } : {};
  const bound = { ...(severity === 'warn' ? { warn: max } : { fail: max }), ...named };
  const { measured, left } = await measureColumns(
    choice.compared,
    { reference, current },
    { bounds: [[measure, bound]], level },
    // What is read is told source by source.
    { engine, host: silentHost },
  );
  const judged = judgeDrift(measured, level, 'skew');
  const unmeasured = [...choice.left, ...left];
  if (judged.length + unmeasured.length === 0)
    return [unjudged(undefined, `There is no column that ${measure} could compare.`)];
  // A column that was asked for, and a check of which nothing is left, must not look like a pass.
  const isDemanded = Array.isArray(columns) || judged.length === 0;
  return [
    ...judged.map(judgedColumn),
    ...unmeasured.map((column) =>
      isDemanded || column.status === 'error'
        ? unjudged(column.name, whyNot(column))
        : { column: column.name, judgement: { outcome: 'left', message: whyNot(column) } as const },
    ),
  ];
}

/** The rows of the file that the check is about. */
async function rowsOf(table: DigestedTable, chosen: Chosen, engine: Engine): Promise<DriftRows> {
  const condition = chosenSql(chosen, duckdbDialect);
  if (condition === undefined) return { table, sql: table.sql, rows: table.rows, chosenBy: [] };
  const sql = `(SELECT * FROM ${table.sql} WHERE ${condition}) AS "chosen rows"`;
  const [answer = {}] = await engine.query(`SELECT count(*) AS n FROM ${sql}`);
  return { table, sql, rows: Number(answer['n']), chosenBy: chosen.map(({ column }) => column.name) };
}

const outcomeOf = { fail: 'broken', warn: 'broken', inconclusive: 'unsettled', pass: 'holds' } as const;

function judgedColumn({ of, found }: DriftJudgement): SkewedColumn {
  const { status, message, observed, bound, evidence, rowsToSettle } = found;
  return {
    column: of.column.name,
    judgement: {
      outcome: outcomeOf[status],
      message,
      ...(observed === undefined ? {} : { observed }),
      ...(bound === undefined ? {} : { bound }),
      ...(evidence === undefined ? {} : { evidence }),
      ...(rowsToSettle === undefined ? {} : { rowsToSettle }),
    },
  };
}

function unjudged(column: string | undefined, message: string): SkewedColumn {
  return { ...(column === undefined ? {} : { column }), judgement: { outcome: 'unjudged', message } };
}

function whyNot({ why }: UnmeasuredColumn): string {
  return `Not compared: ${why}.`.replace(/([.?])\.$/, '$1');
}
