import {
  type Engine,
  openSelectSandbox,
  type SelectedRows,
  type SelectSandbox,
  type Table,
} from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import type { DataCheckOptions, DataSource } from '../../core/policy/index.ts';

type SqlCheck = DataCheckOptions<'sql'>;

/** What each `sql` check of a source selects. */
export type Selections = ReadonlyMap<SqlCheck, SelectedRows | { readonly refused: string }>;

/** Runs the SELECTs of a run's `sql` checks; the sandbox is started with the first of them. */
export class Selecting implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #host: Host;
  #sandbox: SelectSandbox | undefined;

  constructor(engine: Engine, host: Host) {
    this.#engine = engine;
    this.#host = host;
  }

  /** `other` opens a file that a check names as a table. */
  async of(source: DataSource, table: Table, other: (file: string) => Promise<Table>): Promise<Selections> {
    const found = new Map<SqlCheck, SelectedRows | { readonly refused: string }>();
    for (const { sql } of source.checks) {
      if (sql === undefined) continue;
      this.#sandbox ??= await openSelectSandbox(this.#engine, { host: this.#host });
      const tables = new Map([['data', table]]);
      // Nothing is copied for a SELECT that is refused.
      const names = ['data', ...Object.keys(sql.tables ?? {})];
      const refused = await this.#sandbox.refusal(sql.select, names);
      if (refused !== undefined) {
        found.set(sql, { refused });
        continue;
      }
      for (const [name, file] of Object.entries(sql.tables ?? {})) tables.set(name, await other(file));
      found.set(sql, await this.#sandbox.select(sql.select, tables));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox?.[Symbol.asyncDispose]();
  }
}
