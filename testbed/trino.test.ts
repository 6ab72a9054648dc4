/**
 * The same checks on DuckDB and on a real Trino; Trino's client protocol, with what goes wrong in it; Athena, whose API is a stand-in held to
 * AWS's own model and whose SQL is run by that Trino.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateData } from '../actions/validate-data/run.ts';
import { type Engine, openEngine } from '../core/data/index.ts';
import { openTrino, type TableEngine } from '../core/engines/index.ts';
import { silentHost } from '../core/host/index.ts';
import { headOnly, parsePolicy } from '../core/policy/index.ts';
import type { Check } from '../core/report/index.ts';
import { freePorts } from './serving/free-ports.ts';
import { checkLists } from './trino/check-lists.ts';
import { writeOddRows } from './trino/odd-rows.ts';
import { copyIntoTrino } from './trino/same-table.ts';
import { startTrino, type TrinoServer } from './trino/trino-server.ts';

const folder = join(tmpdir(), `sluice-trino-${process.pid}`);
let port: number;
let server: TrinoServer;
let duckdb: Engine;
let trino: TableEngine;

const properties = () => ({ 'http-server.http.port': String(port) });
const open = (url: URL, more: Partial<Parameters<typeof openTrino>[0]> = {}) =>
  openTrino({ url, user: 'tester', catalog: 'memory', schema: 'default', withinMs: 60_000, environment: {}, ...more });

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  server = await startTrino(properties());
  trino = open(server.url);
  duckdb = await openEngine({ threads: 1 });
  const files = await writeOddRows(folder);
  for (const [name, file] of Object.entries(files)) {
    await copyIntoTrino(duckdb, await duckdb.open(file), trino, `memory.default.${name}`);
  }
});
afterAll(async () => {
  await trino?.[Symbol.asyncDispose]();
  await duckdb?.close();
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** What the checks of a policy find in a source. */
async function found(source: string, checks: string, engines = ''): Promise<readonly Check[]> {
  const text = `version: 1\n${engines}data:\n  - source: ${source}\n    checks:\n${checks}`;
  const policy = headOnly(parsePolicy(text, 'sluice.yaml'));
  return (await validateData({ policy, directory: folder, engine: duckdb, host: silentHost })).checks;
}

/** A check without the name of its source, which is all in which two engines may differ. */
function plain(check: Check, source: string) {
  const { failing } = check;
  return {
    id: check.id.replace(source, ''),
    status: check.status,
    message: check.message.replaceAll(source, '').replace(/\([A-Za-z0-9(), ]+\)/g, '()'),
    observed: typeof check.observed === 'number' ? Number(check.observed.toPrecision(12)) : check.observed,
    failing: failing?.total,
    ...(failing !== undefined && failing.total <= failing.rows.length
      ? { values: failing.rows.map(({ values }) => values[0]).toSorted() }
      : {}),
  };
}

const engines = () => `engines: { trino: { url: '${server.url.origin}', catalog: memory, schema: default } }\n`;

describe('the same checks give the same numbers on DuckDB and on Trino', () => {
  it.each(Object.entries(checkLists))('%s', async (_, checks) => {
    const onDuckdb = await found('rows.parquet', checks);
    const onTrino = await found(
      '{ table: memory.default.rows, engine: trino }',
      checks.replaceAll('other.parquet', '{ table: memory.default.other, engine: trino }'),
      engines(),
    );
    expect(onTrino.map((check) => plain(check, 'trino:memory.default.rows'))).toEqual(
      onDuckdb.map((check) => plain(check, 'rows.parquet')),
    );
    expect(onDuckdb.length).toBeGreaterThan(0);
    // Rows of a table have no numbers.
    expect(onTrino.flatMap(({ failing }) => failing?.rows ?? []).filter((row) => row.row !== undefined)).toEqual([]);
  });
});
