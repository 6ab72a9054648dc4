import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase, openSealedDatabase } from './own-database.ts';

it.each([
  ['a database', openDatabase],
  ['a sealed database', openSealedDatabase],
])('%s spills no more to disk than it may', async (_, open) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const { instance, connection } = await open(
    { memory_limit: '24MB', temp_directory: join(directory, 'spill'), max_temp_directory_size: '1MB' },
    undefined,
  );
  try {
    const large =
      'CREATE TABLE t AS SELECT i, hash(i)::VARCHAR || hash(i + 1)::VARCHAR AS text FROM range(1500000) r(i)';
    await expect(connection.run(large)).rejects.toThrow(/max_temp_directory_size/);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(directory, { recursive: true, force: true });
  }
});
