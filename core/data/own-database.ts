import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Host } from '../host/index.ts';
import { loadDuckDb } from '../native/index.ts';
import { quoteLiteral } from './quoting.ts';

/** DuckDB in memory, and one connection to it. */
export interface OwnDatabase {
  readonly duckdb: Awaited<ReturnType<typeof loadDuckDb>>;
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
}

/** Starts DuckDB with nothing in it: rows keep their order, no extension is ever loaded, and times are UTC wherever the job runs. */
export async function openDatabase(
  settings: Readonly<Record<string, string>>,
  host: Host | undefined,
): Promise<OwnDatabase> {
  const duckdb = await loadDuckDb(host === undefined ? {} : { host });
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    ...settings,
  });
  const connection = await instance.connect();
  // Given when the database is made, it is shown by duckdb_settings() and bounds nothing (DuckDB 1.5.5): only setting it does.
  const { max_temp_directory_size: spilled } = settings;
  if (spilled !== undefined) await connection.run(`SET max_temp_directory_size = ${quoteLiteral(spilled)}`);
  // Timestamps with a zone are compared and shown as UTC. A build without time zones has none to set.
  await connection.run("SET TimeZone = 'UTC'").catch(() => undefined);
  return { duckdb, instance, connection };
}

/** The same with no way out: no file, no network, no setting that can be changed any more. */
export async function openSealedDatabase(
  settings: Readonly<Record<string, string>>,
  host: Host | undefined,
): Promise<OwnDatabase> {
  const database = await openDatabase({ ...settings, enable_external_access: 'false' }, host);
  await database.connection.run('SET lock_configuration = true');
  return database;
}
