import { cancelledWithTheProcess, openAthena, openTrino, type TableEngine } from '../../core/engines/index.ts';
import type { Host } from '../../core/host/index.ts';
import { durationMs, type EngineName, type Engines, policyDefaults } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';

/** The engines of a policy, each opened when the first of its tables is asked for. Secrets are in the job's environment alone. */
export class TableEngines implements AsyncDisposable {
  readonly #engines: Engines;
  readonly #host: Host;
  readonly #open = new Map<EngineName, { readonly engine: TableEngine; readonly leave: () => void }>();

  constructor(engines: Engines | undefined, host: Host) {
    this.#engines = engines ?? {};
    this.#host = host;
  }

  async get(name: EngineName): Promise<TableEngine> {
    const known = this.#open.get(name);
    if (known !== undefined) return known.engine;
    const engine = await this.#opened(name);
    this.#open.set(name, { engine, leave: cancelledWithTheProcess(engine) });
    return engine;
  }

  /** Ends what still runs there, and says in the log what was asked of each. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [name, { engine, leave }] of this.#open) {
      await engine[Symbol.asyncDispose]();
      leave();
      this.#host.info(`${name}: ${engine.spent()}`);
    }
  }

  async #opened(name: EngineName): Promise<TableEngine> {
    const { trino, athena } = this.#engines;
    const defaults = policyDefaults.engines;
    if (name === 'trino' && trino !== undefined) {
      for (const secret of ['TRINO_PASSWORD', 'TRINO_ACCESS_TOKEN']) {
        const value = process.env[secret] ?? '';
        if (value !== '') this.#host.secret(value);
      }
      return openTrino({
        url: new URL(trino.url),
        user: trino.user ?? defaults.user,
        catalog: trino.catalog,
        schema: trino.schema,
        session: trino.session,
        withinMs: durationMs(trino.within ?? defaults.within) ?? 0,
        environment: process.env,
      });
    }
    if (name === 'athena' && athena !== undefined) {
      return openAthena({
        region: athena.region,
        workgroup: athena.workgroup,
        catalog: athena.catalog,
        database: athena.database,
        output: athena.output,
        maxScannedGb: athena.max_scanned_gb,
        withinMs: durationMs(athena.within ?? defaults.within) ?? 0,
      });
    }
    throw new InputError({
      code: 'unknown-engine',
      message: `the policy does not say where ${name} is`,
      fix: `Write it under "engines" of the base branch's policy.`,
    });
  }
}
