import { z } from 'zod';
import { type ApiAnswer, ApiStandIn } from '../../rollout/aws/api-stand-in.ts';

const page = z.object({
  nextUri: z.string().optional(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })).optional(),
  data: z.array(z.array(z.unknown())).optional(),
  error: z.object({ message: z.string(), errorName: z.string() }).optional(),
});

const context = z.object({ Catalog: z.string(), Database: z.string().optional() });

interface Statement {
  state: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason?: string;
  scanned: number;
  columns: readonly { readonly name: string; readonly type: string }[];
  rows: readonly (readonly unknown[])[];
}

const pageRows = 1000;

/**
 * Athena's API on loopback, requests and answers held to AWS's own model of it; its statements are run by a real Trino, whose engine Athena's
 * is. Bytes scanned are made up: as many as `scans` says of a statement.
 */
export class AthenaOnTrino implements AsyncDisposable {
  readonly api: ApiStandIn;
  readonly statements: string[] = [];
  readonly #byId = new Map<string, Statement>();
  /** Statements that never end. */
  stuck: (sql: string) => boolean = () => false;
  scans: (sql: string) => number = () => 1000;

  private constructor(api: ApiStandIn) {
    this.api = api;
  }

  static async start(trino: URL): Promise<AthenaOnTrino> {
    const athena: AthenaOnTrino = new AthenaOnTrino(
      await ApiStandIn.start({
        'athena:StartQueryExecution': (input) => athena.#begin(input, trino),
        'athena:GetQueryExecution': ({ QueryExecutionId: id }) => athena.#stateOf(String(id)),
        'athena:GetQueryResults': (input) => athena.#resultsOf(input),
        'athena:StopQueryExecution': ({ QueryExecutionId: id }) => {
          const statement = athena.#byId.get(String(id));
          if (statement !== undefined && statement.state !== 'SUCCEEDED') statement.state = 'CANCELLED';
          return { output: {} };
        },
      }),
    );
    return athena;
  }

  states(): readonly string[] {
    return [...this.#byId.values()].map(({ state }) => state);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.api[Symbol.asyncDispose]();
  }

  #begin(input: Readonly<Record<string, unknown>>, trino: URL): ApiAnswer {
    const sql = String(input['QueryString']);
    const { Catalog: catalog, Database: schema } = context.parse(input['QueryExecutionContext']);
    const named = {
      ...(catalog === 'AwsDataCatalog' ? {} : { 'x-trino-catalog': catalog }),
      ...(schema === undefined ? {} : { 'x-trino-schema': schema }),
    };
    const id = crypto.randomUUID();
    const statement: Statement = { state: 'QUEUED', scanned: 0, columns: [], rows: [] };
    this.statements.push(sql);
    this.#byId.set(id, statement);
    const stuck = this.stuck(sql);
    statement.scanned = this.scans(sql);
    if (stuck) statement.state = 'RUNNING';
    else void this.#run(sql, statement, trino, named);
    return { output: { QueryExecutionId: id } };
  }

  async #run(sql: string, statement: Statement, trino: URL, named: Readonly<Record<string, string>>): Promise<void> {
    const headers = { ...named, 'x-trino-user': 'athena', 'x-trino-time-zone': 'UTC' };
    let answer = page.parse(
      await (await fetch(new URL('/v1/statement', trino), { method: 'POST', body: sql, headers })).json(),
    );
    statement.state = 'RUNNING';
    const rows: (readonly unknown[])[] = [];
    for (;;) {
      rows.push(...(answer.data ?? []));
      statement.columns = answer.columns ?? statement.columns;
      if (answer.error !== undefined) {
        statement.reason = `${answer.error.errorName}: ${answer.error.message}`;
        statement.state = 'FAILED';
        return;
      }
      if (answer.nextUri === undefined) break;
      answer = page.parse(await (await fetch(answer.nextUri)).json());
    }
    statement.rows = rows;
    statement.state = 'SUCCEEDED';
  }

  #stateOf(id: string): ApiAnswer {
    const statement = this.#byId.get(id);
    if (statement === undefined) return { refuse: 'InvalidRequestException', message: 'no such statement' };
    const { state, reason, scanned } = statement;
    return {
      output: {
        QueryExecution: {
          QueryExecutionId: id,
          Status: { State: state, ...(reason === undefined ? {} : { StateChangeReason: reason }) },
          Statistics: { DataScannedInBytes: scanned },
        },
      },
    };
  }

  #resultsOf(input: Readonly<Record<string, unknown>>): ApiAnswer {
    const statement = this.#byId.get(String(input['QueryExecutionId']));
    if (statement === undefined) return { refuse: 'InvalidRequestException', message: 'no such statement' };
    const from = Number(input['NextToken'] ?? 0);
    // Of the first page the first row is the names of the columns.
    const all = [statement.columns.map(({ name }) => name), ...statement.rows];
    const most = Number(input['MaxResults'] ?? pageRows);
    const to = from + most;
    return {
      output: {
        ResultSet: {
          Rows: all.slice(from, to).map((row) => ({
            Data: row.map((value, index) =>
              value === null
                ? {}
                : {
                    VarCharValue: textOf(
                      value,
                      from === 0 && row === all[0] ? '' : (statement.columns[index]?.type ?? ''),
                    ),
                  },
            ),
          })),
          ResultSetMetadata: { ColumnInfo: statement.columns.map(columnInfo) },
        },
        ...(to < all.length ? { NextToken: String(to) } : {}),
      },
    };
  }
}

function columnInfo({ name, type }: { readonly name: string; readonly type: string }) {
  const [, precision, scale] = /^decimal\((\d+), ?(\d+)\)$/.exec(type) ?? [];
  return {
    Name: name,
    // Athena names types without their parameters.
    Type: type.replace(/\(.*\)/, ''),
    ...(precision === undefined ? {} : { Precision: Number(precision), Scale: Number(scale) }),
  };
}

/** As Athena writes values: bytes in hexadecimal with spaces, lists in brackets. */
function textOf(value: unknown, type: string): string {
  if (type === 'varbinary') return (Buffer.from(String(value), 'base64').toString('hex').match(/../g) ?? []).join(' ');
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
