import type {
  AthenaClient,
  ColumnInfo,
  GetQueryExecutionCommandOutput,
  GetQueryResultsCommandOutput,
} from '@aws-sdk/client-athena';
import type { Table } from '../data/index.ts';
import { awsTransport, said } from '../http/index.ts';
import { PeerError, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { decodeAthena } from './decode-value.ts';
import { describedTable } from './described-table.ts';
import { spentWords } from './spent-words.ts';
import { athenaWords, interrupted, mostRows, tooManyRows, tooSlow } from './statement-problem.ts';
import type { OpenTableOptions, TableEngine } from './table-engine.ts';
import { tableReference } from './table-reference.ts';
import { atTable } from './trino-engine.ts';

export interface AthenaPlace {
  readonly region: string;
  readonly workgroup?: string | undefined;
  /** `AwsDataCatalog` when not given. */
  readonly catalog?: string | undefined;
  readonly database?: string | undefined;
  /** `s3://bucket/prefix/`: where Athena writes its answers; the workgroup's own place when not given. */
  readonly output?: string | undefined;
  /** Gigabytes (10^9 bytes) that all statements of a run together may scan. */
  readonly maxScannedGb: number;
  /** Milliseconds a statement may take, its time in the queue included. */
  readonly withinMs: number;
  /** Where the API is, when not at AWS: AWS_ENDPOINT_URL_ATHENA and the like, which the SDK reads itself. */
  readonly endpoint?: string | undefined;
}

type Execution = NonNullable<GetQueryExecutionCommandOutput['QueryExecution']>;

/** Milliseconds between looks at a statement: the first, the longest, and by how much they grow. */
const pauses = { first: 100, longest: 5000, growth: 1.5 };
const pageRows = 1000;

/**
 * Starts no connection; AWS's own client is loaded when the first question is asked. Credentials are those of the job, by AWS's chain; in
 * GitHub Actions `aws-actions/configure-aws-credentials` sets them.
 */
export function openAthena(place: AthenaPlace): TableEngine {
  return new AthenaEngine(place);
}

interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | undefined)[])[];
}

class AthenaEngine implements TableEngine {
  readonly #place: AthenaPlace;
  readonly #running = new Set<string>();
  #client: Promise<AthenaClient> | undefined;
  #statements = 0;
  #scanned = 0;
  #cancelled = false;

  constructor(place: AthenaPlace) {
    this.#place = place;
  }

  async open(name: string, options: OpenTableOptions = {}): Promise<Table> {
    const reference = tableReference(name);
    try {
      const { columns } = await this.#ask(`SELECT * FROM ${reference} LIMIT 0`);
      const { rows } = await this.#ask(`SELECT count(*) FROM ${reference}`);
      return describedTable(`athena:${name}`, reference, columns, Number(rows[0]?.[0]));
    } catch (error) {
      throw atTable(error, name, options);
    }
  }

  async query(sql: string): Promise<readonly Record<string, unknown>[]> {
    const { columns, rows } = await this.#ask(sql);
    return rows.map((row) =>
      Object.fromEntries(columns.map(({ name, type }, index) => [name, decodeAthena(row[index], type)])),
    );
  }

  async cancel(): Promise<void> {
    this.#cancelled = true;
    await Promise.all([...this.#running].map((id) => this.#stop(id)));
  }

  spent(): string {
    return spentWords(this.#statements, this.#scanned);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
    (await this.#client)?.destroy();
  }

  async #ask(sql: string): Promise<Answer> {
    this.#refuseOverBudget(0);
    const { StartQueryExecutionCommand } = await import('@aws-sdk/client-athena');
    const { workgroup, catalog, database, output } = this.#place;
    const client = await this.#api();
    const started = await told('StartQueryExecution', () =>
      client.send(
        new StartQueryExecutionCommand({
          QueryString: sql,
          QueryExecutionContext: {
            Catalog: catalog ?? 'AwsDataCatalog',
            ...(database === undefined ? {} : { Database: database }),
          },
          ...(workgroup === undefined ? {} : { WorkGroup: workgroup }),
          ...(output === undefined ? {} : { ResultConfiguration: { OutputLocation: output } }),
        }),
      ),
    );
    const id = started.QueryExecutionId ?? '';
    this.#running.add(id);
    try {
      await this.#ended(id);
    } catch (error) {
      await this.#stop(id);
      throw error;
    } finally {
      this.#running.delete(id);
    }
    return this.#results(id);
  }

  /** Waits until a statement has succeeded. Throws when it did not, took too long, or scans more than it may. */
  async #ended(id: string): Promise<void> {
    const { GetQueryExecutionCommand } = await import('@aws-sdk/client-athena');
    const client = await this.#api();
    const deadline = performance.now() + this.#place.withinMs;
    let pause = pauses.first;
    for (;;) {
      const { QueryExecution: execution = {} } = await told('GetQueryExecution', () =>
        client.send(new GetQueryExecutionCommand({ QueryExecutionId: id })),
      );
      const scanned = execution.Statistics?.DataScannedInBytes ?? 0;
      const state = execution.Status?.State;
      if (state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED') {
        this.#statements++;
        this.#scanned += scanned;
        if (state !== 'SUCCEEDED') throw new PeerError(failureOf(execution));
        // What is paid for is used: the next statement is the one that is refused.
        return;
      }
      try {
        if (this.#cancelled) throw new PeerError(interrupted(athenaWords));
        this.#refuseOverBudget(scanned);
        if (performance.now() > deadline) throw new PeerError(tooSlow(athenaWords, this.#place.withinMs));
      } catch (error) {
        // What a statement read before it was stopped is paid for, too.
        this.#statements++;
        this.#scanned += scanned;
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pauses.longest, pause * pauses.growth);
    }
  }

  async #results(id: string): Promise<Answer> {
    const { GetQueryResultsCommand } = await import('@aws-sdk/client-athena');
    const client = await this.#api();
    const rows: (readonly (string | undefined)[])[] = [];
    let columns: Answer['columns'] = [];
    let token: string | undefined;
    do {
      const page: GetQueryResultsCommandOutput = await told('GetQueryResults', () =>
        client.send(
          new GetQueryResultsCommand({
            QueryExecutionId: id,
            MaxResults: pageRows,
            ...(token === undefined ? {} : { NextToken: token }),
          }),
        ),
      );
      columns = (page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(columnOf);
      const found = (page.ResultSet?.Rows ?? []).map((row) => (row.Data ?? []).map((datum) => datum.VarCharValue));
      // The first row of a SELECT's answer repeats the names of its columns.
      rows.push(...(token === undefined ? found.slice(1) : found));
      if (rows.length > mostRows) throw new PeerError(tooManyRows(athenaWords));
      token = page.NextToken;
    } while (token !== undefined && token !== '');
    return { columns, rows };
  }

  async #stop(id: string): Promise<void> {
    try {
      const { StopQueryExecutionCommand } = await import('@aws-sdk/client-athena');
      await (await this.#api()).send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
    } catch {
      // It has ended by itself, or AWS cannot be asked any more; whoever stops has something else to tell.
    }
  }

  /** `more`: bytes that the running statement has scanned so far. */
  #refuseOverBudget(more: number): void {
    const { maxScannedGb } = this.#place;
    const scanned = this.#scanned + more;
    if (scanned <= maxScannedGb * 1e9) return;
    throw new PeerError({
      code: 'scan-budget',
      message: 'Athena has scanned more than the policy lets a run scan',
      found: `${Number((scanned / 1e9).toPrecision(3))} GB`,
      expected: `at most ${maxScannedGb} GB`,
      fix: 'Raise engines.athena.max_scanned_gb, check fewer columns, or store the table partitioned and as Parquet.',
    });
  }

  #api(): Promise<AthenaClient> {
    this.#client ??= import('@aws-sdk/client-athena').then(({ AthenaClient }) => {
      const { region, endpoint } = this.#place;
      const requestHandler = awsTransport();
      // The SDK asks again where AWS throttles or fails, with growing pauses.
      return new AthenaClient({
        region,
        retryMode: 'adaptive',
        maxAttempts: 6,
        ...(requestHandler === undefined ? {} : { requestHandler }),
        ...(endpoint === undefined ? {} : { endpoint }),
      });
    });
    return this.#client;
  }
}

function columnOf({ Name, Type = '', Precision, Scale }: ColumnInfo): Answer['columns'][number] {
  return { name: Name ?? '', type: Type === 'decimal' ? `decimal(${Precision ?? 38}, ${Scale ?? 0})` : Type };
}

/** The answer of a call, or a `PeerError` without what the SDK's error holds: the request, signature and all. */
async function told<Result>(operation: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    const words = error instanceof Error ? error.message : String(error);
    const found = excerpt(`${name}: ${words}`, 300);
    if (name === 'CredentialsProviderError') {
      throw new PeerError({
        code: 'no-credentials',
        message: 'there are no AWS credentials to ask Athena with',
        found,
        fix: 'In GitHub Actions use aws-actions/configure-aws-credentials in a step before; on a laptop set a profile.',
      });
    }
    if (/AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken/.test(name)) {
      throw new PeerError({
        code: 'athena-forbidden',
        message: `AWS refuses ${operation}`,
        found,
        fix: `Give the job's role athena:${operation}, with glue:GetTable and s3:GetObject for the table and s3:PutObject for the answers; if the credentials are old, get new ones.`,
      });
    }
    throw new PeerError({
      code: 'athena-refused',
      message: `Athena refuses ${operation}`,
      found,
      fix: 'Check engines.athena: region, workgroup, and an output (or a workgroup that has one).',
    });
  }
}

function failureOf({ Status }: Execution): Problem {
  const words = Status?.StateChangeReason ?? Status?.AthenaError?.ErrorMessage ?? '';
  const found = words === '' ? {} : { found: said(words, (text) => text, 300) };
  if (Status?.State === 'CANCELLED') {
    return {
      code: 'engine-cancelled',
      message: 'the statement was cancelled in Athena',
      ...found,
      fix: "See whether somebody cancelled it, or the workgroup's own limit of scanned data did.",
    };
  }
  if (/TABLE_NOT_FOUND|SCHEMA_NOT_FOUND|CATALOG_NOT_FOUND|EntityNotFound|does not exist/.test(words)) {
    return {
      code: 'missing-table',
      message: 'the table is not there',
      ...found,
      fix: 'Correct its name: database.table.',
    };
  }
  if (/PERMISSION_DENIED|AccessDenied|Insufficient permissions|not authorized/i.test(words)) {
    return {
      code: 'table-forbidden',
      message: "the job's role may not read the table",
      ...found,
      fix: 'Give it glue:GetTable, glue:GetPartitions and s3:GetObject for the table (or SELECT in Lake Formation).',
    };
  }
  return {
    code: 'engine-refused',
    message: 'Athena refused a statement',
    ...found,
    fix: 'If the table is in order, this is a mistake of Sluice: report it with these words.',
  };
}
