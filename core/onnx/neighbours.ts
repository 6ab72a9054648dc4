import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileKind, kindBytes } from './file-kind.ts';
import { firstBytes } from './inspection.ts';

/** A file beside a model that runs code when someone loads it, or is a program. */
export interface UnsafeNeighbour {
  readonly name: string;
  /** With its article: `a Python pickle (joblib), which runs code when it is loaded`. */
  readonly kind: string;
}

/** More files than this in one folder are not looked at. */
const mostNeighbours = 500;
/** By what their first bytes say, whatever they are called: Keras' HDF5 may hold a Lambda layer, whose code is a pickled function. */
const unsafeKinds = /pickle|PyTorch checkpoint|HDF5|program/;

/**
 * What in a model's folder is none of the formats that only hold data. Nothing of it is read beyond its first bytes, so it is no reason to
 * refuse the model; but whoever deploys the folder may load it, and then it runs code.
 */
export async function unsafeNeighbours(file: string): Promise<readonly UnsafeNeighbour[]> {
  const directory = dirname(await realpath(file).catch(() => file));
  const neighbours = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found: UnsafeNeighbour[] = [];
  for (const { name } of neighbours.filter((entry) => entry.isFile()).slice(0, mostNeighbours)) {
    const start = await firstBytes(join(directory, name), kindBytes).catch(() => new Uint8Array());
    if (start.length === 0) continue;
    const kind = unsafeKindOf(start);
    if (kind !== undefined) found.push({ name, kind });
  }
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function unsafeKindOf(start: Uint8Array): string | undefined {
  const kind = fileKind(start)?.name;
  return kind !== undefined && unsafeKinds.test(kind) ? kind : undefined;
}
