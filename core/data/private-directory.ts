import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that nobody else may read. */
export interface PrivateDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

const open = new Set<string>();

/**
 * Makes a folder in the system's for temporary files. It is removed when it is asked to be, else when the process exits: also by
 * `process.exit` in the middle of the work, as on Ctrl+C.
 */
export async function privateDirectory(prefix: string): Promise<PrivateDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  if (open.size === 0) process.on('exit', removeAll);
  open.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      open.delete(path);
      if (open.size === 0) process.removeListener('exit', removeAll);
    },
  };
}

function removeAll(): void {
  for (const path of open) rmSync(path, { recursive: true, force: true });
}
