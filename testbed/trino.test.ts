/**
 * The same checks on DuckDB and on a real Trino, over the same Parquet files; Trino's client protocol, with what goes wrong in it; Athena, whose API is a
 * stand-in held to AWS's own model and whose SQL is run by that Trino.
 */
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joniPattern } from '../actions/validate-data/joni-pattern.ts';
import { validateData } from '../actions/validate-data/run.ts';
import { type Engine, openEngine, quoteLiteral } from '../core/data/index.ts';
import { openAthena, openTrino, type TableEngine } from '../core/engines/index.ts';
import { silentHost } from '../core/host/index.ts';
import { headOnly, parsePolicy } from '../core/policy/index.ts';
import { SluiceError } from '../core/problem/index.ts';
import type { Check } from '../core/report/index.ts';
import { standInCredentials } from '../rollout/aws/api-stand-in.ts';
import { freePorts } from './free-ports.ts';
import { AthenaOnTrino } from './trino/athena-on-trino.ts';
import { checkLists } from './trino/check-lists.ts';
import { Interferer } from './trino/interferer.ts';
import { addToLake } from './trino/lake-table.ts';
import { writeOddRows } from './trino/odd-rows.ts';
import { patternsWithTexts } from './trino/patterns.ts';
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
  await mkdir(folder, { recursive: true });
  server = await startTrino(folder, properties());
  trino = await open(server.url);
  duckdb = await openEngine({ threads: 1 });
  const files = await writeOddRows(folder);
  for (const [name, file] of Object.entries(files)) {
    await addToLake(trino, folder, name, file, await duckdb.open(file));
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
    message: check.message
      .replaceAll(source, '')
      .replaceAll(/trino:lake\.default\.other|other\.parquet/g, 'other')
      .replace(/\([A-Za-z0-9(), ]+\)/g, '()'),
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
    const other = '{ table: lake.default.other, engine: trino }';
    const onTrino = await found(
      '{ table: lake.default.rows, engine: trino }',
      checks.replaceAll('other.parquet', other),
      engines(),
    );
    expect(onTrino.map((check) => plain(check, 'trino:lake.default.rows'))).toEqual(
      onDuckdb.map((check) => plain(check, 'rows.parquet')),
    );
    expect(onDuckdb.length).toBeGreaterThan(0);
    // Rows of a table have no numbers.
    expect(onTrino.flatMap(({ failing }) => failing?.rows ?? []).filter((row) => row.row !== undefined)).toEqual([]);
  });
});

describe('a table that Trino wrote', () => {
  it('gives the same numbers to DuckDB, read by a pattern from the files of its partitions', async () => {
    await trino.query(`CREATE TABLE lake.default.written WITH (format = 'PARQUET', partitioned_by = ARRAY['day']) AS
      SELECT id, age, score, ratio, price, country, email, at, ok, label, day FROM lake.default.rows`);
    // Its names have no extension, as Hive's and Athena's have none.
    const source = 'metastore/default/written/day=*/*';
    const checks = [
      'how many rows and which columns',
      'missing values, NaN among them',
      'statistics',
      'chosen rows and labels that contradict each other',
    ]
      .map((name) => checkLists[name] ?? '')
      .join('');
    const onDuckdb = (await found(source, checks)).map((check) => plain(check, source));
    const table = '{ table: lake.default.written, engine: trino }';
    const onTrino = await found(table, checks, engines());
    expect(onTrino.map((check) => plain(check, 'trino:lake.default.written'))).toEqual(onDuckdb);
    // The partition has become the last column.
    const numbers = (checked: typeof onDuckdb) =>
      checked.map(({ id, status, observed }) => `${id} ${status} ${observed}`).toSorted();
    const before = await found('rows.parquet', checks);
    expect(numbers(onDuckdb)).toEqual(numbers(before.map((check) => plain(check, 'rows.parquet'))));
  });
});

describe('a pattern', () => {
  it('matches the same texts in RE2 and, translated, in Trino', async () => {
    const sound: { readonly pattern: string; readonly text: string; readonly matches: unknown }[] = [];
    for (const { pattern, texts } of patternsWithTexts(500)) {
      for (const text of texts) {
        try {
          const [row] = await duckdb.query('SELECT regexp_full_match($1, $2) AS matches', [text, pattern]);
          sound.push({ pattern, text, matches: row?.['matches'] });
        } catch {
          break;
        }
      }
    }
    const wrong: unknown[] = [];
    for (let from = 0; from < sound.length; from += 500) {
      const part = sound.slice(from, from + 500);
      const values = part.map(
        ({ pattern, text }, at) => `(${at}, ${quoteLiteral(text)}, ${quoteLiteral(joniPattern(pattern))})`,
      );
      const rows = await trino.query(
        `SELECT regexp_like(t, p) AS matches FROM (VALUES ${values.join(', ')}) AS a (n, t, p) ORDER BY n`,
      );
      wrong.push(...part.filter(({ matches }, at) => rows[at]?.['matches'] !== matches));
    }
    expect(wrong).toEqual([]);
    expect(sound.length).toBeGreaterThan(800);
    expect(sound.filter(({ matches }) => matches === true).length).toBeGreaterThan(40);
  });
});

/** The code of the problem that a question ends with. */
async function refusal(question: Promise<unknown>): Promise<SluiceError> {
  const error = await question.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof SluiceError) return error;
  throw new Error(`no refusal: ${String(error)}`);
}

describe("Trino's client protocol", () => {
  it('brings a hundred thousand rows, page by page, each once', async () => {
    await using gateway = await Interferer.start(server.url, () => undefined);
    await using engine = await open(gateway.url);
    const rows = await engine.query(
      'SELECT n + 100000 * (m - 1) AS n, CAST(NULL AS varchar) AS nothing FROM UNNEST(sequence(1, 10000)) AS a (n) CROSS JOIN UNNEST(sequence(1, 10)) AS b (m)',
    );
    expect(rows.length).toBe(100_000);
    expect(new Set(rows.map(({ n }) => n)).size).toBe(100_000);
    expect(rows[0]).toHaveProperty('nothing', null);
    expect(gateway.asked.filter(({ method }) => method === 'GET').length).toBeGreaterThan(2);
    expect(gateway.asked[0]?.headers).toMatchObject({
      'x-trino-user': 'tester',
      'x-trino-source': 'sluice',
      'x-trino-catalog': 'memory',
    });
  });

  it('gives values of every type as they are', async () => {
    const [row] = await trino.query(`SELECT
      nan() AS a, -infinity() AS b, REAL '0.1' AS c, DECIMAL '12345678901234567890.12' AS d, BIGINT '9007199254740993' AS e, X'00ff' AS f,
      DATE '1969-12-31' AS g, TIMESTAMP '2024-02-29 23:59:59.123456' AS h, ARRAY[1, NULL] AS i, U&'\\00e9\\+01F600' AS j, -DOUBLE '0.0' AS k`);
    expect(row).toEqual({
      a: Number.NaN,
      b: Number.NEGATIVE_INFINITY,
      c: 0.1,
      d: '12345678901234567890.12',
      e: 9007199254740993n,
      f: Buffer.from([0, 255]),
      g: '1969-12-31',
      h: '2024-02-29 23:59:59.123456',
      i: [1, null],
      j: 'é😀',
      k: -0,
    });
  });

  it('sets session properties', async () => {
    await using engine = await open(server.url, {
      session: { query_max_run_time: '17m', join_distribution_type: 'BROADCAST' },
    });
    const rows = await engine.query('SHOW SESSION');
    expect(rows.find((row) => row['Name'] === 'query_max_run_time')?.['Value']).toBe('17m');
  });

  it('goes on when a gateway is busy for a while', async () => {
    await using gateway = await Interferer.start(server.url, ({ nth }) =>
      [0, 2, 3, 5].includes(nth)
        ? { status: [429, 502, 503, 504][nth % 4] ?? 503, headers: { 'retry-after': '0' } }
        : undefined,
    );
    await using engine = await open(gateway.url);
    expect(await engine.query('SELECT count(*) AS n FROM UNNEST(sequence(1, 25)) AS a (n)')).toEqual([{ n: 25 }]);
    expect(gateway.asked.length).toBeGreaterThan(6);
  });

  it('gives up on a gateway that stays busy', async () => {
    await using gateway = await Interferer.start(server.url, () => ({ status: 503, body: 'no upstream <b>here</b>' }));
    await using engine = await open(gateway.url, { patienceMs: 300 });
    const { problems } = await refusal(engine.query('SELECT 1'));
    expect(problems[0]).toMatchObject({ code: 'server-busy', found: 'no upstream <b>here</b>' });
  });

  it('sends nothing to another server that an answer names', async () => {
    const elsewhere = await Interferer.start(server.url, () => ({ status: 200 }));
    await using gateway = await Interferer.start(server.url, ({ method, nth }) =>
      method === 'POST' && nth === 0
        ? {
            status: 200,
            body: JSON.stringify({ id: 'x', nextUri: `${elsewhere.url.origin}/v1/statement/queued/x/y/1` }),
          }
        : undefined,
    );
    await using engine = await open(gateway.url, { environment: { TRINO_ACCESS_TOKEN: 'a-secret-token' } });
    // The real server does not know that statement, and is asked anew.
    expect(await engine.query('SELECT 1 AS n')).toEqual([{ n: 1 }]);
    expect(elsewhere.asked).toEqual([]);
    await elsewhere[Symbol.asyncDispose]();
  });

  const endless = 'SELECT count(*) FROM tpch.sf1000.lineitem AS a CROSS JOIN tpch.sf1000.lineitem AS b /* endless */';
  const running = async () =>
    (
      await trino.query(
        "SELECT state FROM system.runtime.queries WHERE query LIKE '%/* endless */' AND query NOT LIKE '%runtime%'",
      )
    ).map(({ state }) => state);

  it('cancels what takes too long, and what is still running when it is left', async () => {
    await using slow = await open(server.url, { withinMs: 1500 });
    expect((await refusal(slow.query(endless))).problems[0].code).toBe('trino-too-slow');
    const left = await open(server.url);
    const question = refusal(left.query(endless));
    for (let tries = 0; tries < 100 && !(await running()).includes('RUNNING'); tries++);
    expect(await running()).toContain('RUNNING');
    await left.cancel();
    expect((await question).problems[0].code).toMatch(/^(trino-interrupted|engine-refused)$/);
    await left[Symbol.asyncDispose]();
    for (let tries = 0; tries < 100 && (await running()).includes('RUNNING'); tries++);
    expect(await running()).not.toContain('RUNNING');
  });

  it('says what is wrong with a statement on one harmless line', async () => {
    const { problems } = await refusal(trino.query("SELECT '\n::error::x\u001b[31m' + <script>"));
    expect(problems[0].code).toBe('engine-refused');
    expect(problems[0].found).toMatch(/^SYNTAX_ERROR: line /);
    expect(problems[0].found).not.toMatch(/[\n\u001b]/);
  });

  it("names a table that is not there, at the policy's line", async () => {
    const checks = '      - row_count: { min: 1 }\n';
    const error = await refusal(found('{ table: lake.default.absent, engine: trino }', checks, engines()));
    expect(error.problems[0]).toMatchObject({ code: 'missing-table', place: { key: 'data[0].source' } });
    expect(error.message).toContain('lake.default.absent');
  });

  it('does not wait for a server that was never there', async () => {
    const [nobody = 0] = await freePorts(1);
    await using engine = await open(new URL(`http://127.0.0.1:${nobody}`));
    expect((await refusal(engine.query('SELECT 1'))).problems[0].code).toBe('connection-refused');
  });
});

describe('Athena', () => {
  const place = (api: URL, more = {}) =>
    openAthena({
      region: 'eu-central-1',
      workgroup: 'ml',
      catalog: 'memory',
      database: 'default',
      output: 's3://answers/of/sluice/',
      maxScannedGb: 1,
      withinMs: 60_000,
      endpoint: api.origin,
      ...more,
    });

  beforeAll(() => {
    process.env['AWS_ACCESS_KEY_ID'] = standInCredentials.accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = standInCredentials.secretAccessKey;
    process.env['AWS_SESSION_TOKEN'] = standInCredentials.sessionToken;
  });
  afterAll(() => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL_ATHENA'])
      delete process.env[name];
  });

  it('is asked by the same checks and gives the same numbers, in calls that are of its API', async () => {
    await using athena = await AthenaOnTrino.start(server.url);
    process.env['AWS_ENDPOINT_URL_ATHENA'] = athena.api.url.origin;
    // Of each kind of statement some: Athena is asked how a statement stands a few times a second only.
    const checks = ['missing values, NaN among them', 'classes', 'statistics', 'patterns']
      .map((name) => checkLists[name] ?? '')
      .join('');
    const onDuckdb = await found('rows.parquet', checks);
    const onAthena = await found(
      '{ table: lake.default.rows, engine: athena }',
      checks,
      'engines: { athena: { region: eu-central-1, catalog: AwsDataCatalog, max_scanned_gb: 1 } }\n',
    );
    expect(onAthena.map((check) => plain(check, 'athena:lake.default.rows'))).toEqual(
      onDuckdb.map((check) => plain(check, 'rows.parquet')),
    );
    expect(athena.api.faults).toEqual([]);
    expect(athena.api.operations()).toEqual([
      'athena:GetQueryExecution',
      'athena:GetQueryResults',
      'athena:StartQueryExecution',
    ]);
  });

  it('brings answers of several pages', async () => {
    await using athena = await AthenaOnTrino.start(server.url);
    await using engine = await place(athena.api.url);
    const rows = await engine.query('SELECT n, ARRAY[n] AS list FROM UNNEST(sequence(1, 3500)) AS a (n)');
    expect(rows.map(({ n }) => n).toSorted((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: 3500 }, (_, index) => index + 1),
    );
    expect(athena.api.calls.filter(({ operation }) => operation === 'GetQueryResults').length).toBe(4);
    expect(athena.api.calls[0]?.input).toMatchObject({
      WorkGroup: 'ml',
      QueryExecutionContext: { Catalog: 'memory', Database: 'default' },
      ResultConfiguration: { OutputLocation: 's3://answers/of/sluice/' },
    });
    expect(athena.api.faults).toEqual([]);
  });

  it('stops a statement that scans more than the run may, and begins no other', async () => {
    await using athena = await AthenaOnTrino.start(server.url);
    athena.stuck = () => true;
    athena.scans = () => 2e9;
    await using engine = await place(athena.api.url);
    expect((await refusal(engine.query('SELECT 1'))).problems[0]).toMatchObject({ code: 'scan-budget', found: '2 GB' });
    expect(athena.states()).toEqual(['CANCELLED']);

    athena.stuck = () => false;
    athena.scans = () => 6e8;
    await using other = await place(athena.api.url);
    await other.query('SELECT 1');
    expect((await refusal(other.query('SELECT 2'))).problems[0].code).toBe('scan-budget');
    const before = athena.statements.length;
    expect((await refusal(other.query('SELECT 3'))).problems[0].code).toBe('scan-budget');
    expect(athena.statements.length).toBe(before);
    expect(athena.api.faults).toEqual([]);
  });

  it('stops what takes too long, and says why a statement failed', async () => {
    await using athena = await AthenaOnTrino.start(server.url);
    athena.stuck = (sql) => sql.includes('slow');
    await using engine = await place(athena.api.url, { withinMs: 500 });
    expect((await refusal(engine.query('SELECT 1 /* slow */'))).problems[0].code).toBe('athena-too-slow');
    expect(athena.states()).toEqual(['CANCELLED']);
    expect((await refusal(engine.query('SELECT 1 + '))).problems[0]).toMatchObject({ code: 'engine-refused' });
    expect((await refusal(engine.open('absent'))).problems[0]).toMatchObject({ code: 'missing-table' });
    athena.api.before = () => ({
      refuse: 'AccessDeniedException',
      message: 'not authorized to perform: athena:StartQueryExecution',
    });
    expect((await refusal(engine.query('SELECT 1'))).problems[0].code).toBe('athena-forbidden');
  });
});

// Last: it takes the server away.
describe('a server that is restarted', () => {
  it('answers the statement that it had forgotten', async () => {
    let restarted: Promise<void> | undefined;
    await using gateway = await Interferer.start(server.url, ({ method }) => {
      // After the statement was taken, and before any of its answer came.
      if (method === 'GET') {
        restarted ??= (async () => {
          await server.kill();
          server = await startTrino(folder, properties());
        })();
      }
      return undefined;
    });
    await using engine = await open(gateway.url, { patienceMs: 120_000 });
    expect(await engine.query('SELECT count(*) AS n FROM UNNEST(sequence(1, 5)) AS a (n)')).toEqual([{ n: 5 }]);
    await restarted;
    expect(gateway.asked.filter(({ method }) => method === 'POST').length).toBeGreaterThan(1);
  });
});
