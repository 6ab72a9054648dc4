import type { AthenaPlace } from './athena-engine.ts';
import type { TableEngine } from './table-engine.ts';
import type { TrinoPlace } from './trino-engine.ts';

// Both are loaded when a policy has a table on them: most have none.

/** Starts no connection. Throws an `InputError` where a secret would go over the network unencrypted. */
export async function openTrino(place: TrinoPlace): Promise<TableEngine> {
  const engine = await import('./trino-engine.ts');
  return engine.openTrino(place);
}

/**
 * Starts no connection. Credentials are those of the job, by AWS's chain; in GitHub Actions `aws-actions/configure-aws-credentials` sets
 * them.
 */
export async function openAthena(place: AthenaPlace): Promise<TableEngine> {
  const engine = await import('./athena-engine.ts');
  return engine.openAthena(place);
}
