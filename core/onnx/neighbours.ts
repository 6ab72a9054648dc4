import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import zlib from 'node:zlib';
import { fileKind, kindBytes } from './file-kind.ts';
import { externalDataNames, firstBytes } from './inspection.ts';

/** A file beside a model that is none of the kinds that only hold data. */
export interface UnsafeNeighbour {
  readonly name: string;
  /** With its article: `a Python pickle (joblib), which runs code when it is loaded`. */
  readonly kind: string;
}

/** A folder of more files is none of a model alone, and where looking ends a pickle could hide. */
const mostNeighbours = 5000;
/** What of a compressed file is looked at. */
const compressedBytes = 4096;

/**
 * The kinds that only hold data, by their first bytes, whatever a file is called. A list of what is dangerous would miss what nobody has thought of:
 * Keras' HDF5 may hold a Lambda layer, whose code is a pickled function; so may an array of objects of NumPy's, and any archive.
 */
const dataKinds =
  /^(an empty file|a Git LFS pointer|a (PNG|JPEG|GIF) image|a PDF document|a GGUF model|a NumPy array|a Parquet file|an Arrow file|a TensorFlow Lite model|a model in ONNX Runtime|an SQLite database|a safetensors file)/;

/**
 * What in a model's folder is none of the formats that only hold data: ONNX and the weights that ONNX files there name, text, safetensors, tables,
 * images. Nothing of it is read beyond its first bytes; but whoever deploys the folder may load it, and then it may run code. Folders below are not looked into.
 */
export async function unsafeNeighbours(file: string): Promise<readonly UnsafeNeighbour[]> {
  const path = await realpath(file).catch(() => file);
  const directory = dirname(path);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found: UnsafeNeighbour[] = [];
  const names = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && entry.name !== basename(path))
    .map(({ name }) => name);
  for (const name of names.slice(0, mostNeighbours)) {
    const kind = await unsafeKindOf(join(directory, name));
    if (kind !== undefined) found.push({ name, kind });
  }
  if (names.length > mostNeighbours) {
    const rest = names.length - mostNeighbours;
    found.push({ name: names[mostNeighbours] ?? '', kind: `one of ${rest} files more than are looked at` });
  }
  const unknown = found.some(({ kind }) => kind === unknownKind);
  const weights = unknown ? await weightsOf([path, ...names.map((name) => join(directory, name))]) : new Set<string>();
  return found
    .filter(({ name, kind }) => kind !== unknownKind || !weights.has(name))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

const unknownKind = 'a file of no known kind';

/** The files that models name as their weights. */
async function weightsOf(files: readonly string[]): Promise<ReadonlySet<string>> {
  const weights = new Set<string>();
  for (const file of files.filter((one) => /\.onnx$/i.test(one))) {
    for (const name of await externalDataNames(file).catch(() => [])) weights.add(name);
  }
  return weights;
}

async function unsafeKindOf(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  // A link that leads nowhere, or to a folder, holds nothing.
  if (facts === undefined || !facts.isFile()) return undefined;
  const start = await firstBytes(path, compressedBytes).catch(() => undefined);
  return start === undefined ? 'a file that cannot be read' : kindOf(start, path);
}

function kindOf(start: Uint8Array, path: string): string | undefined {
  const inside = unpackedStart(start);
  if (inside !== undefined) {
    const kind = kindOf(inside, path.replace(/\.[^.]+$/, ''));
    return kind === undefined ? undefined : `a compressed file, and in it ${kind}`;
  }
  const head = start.subarray(0, kindBytes);
  if (isObjectArray(head)) return 'a NumPy array of objects, which runs code when it is loaded';
  const kind = fileKind(head)?.name;
  if (kind !== undefined) return dataKinds.test(kind) ? undefined : kind;
  if (isTextPickle(head)) return 'a Python pickle, which runs code when it is loaded';
  // Nothing in the first bytes says that a file is ONNX: what it is called must do. Loading it is the scan's to allow.
  if (/\.onnx$/i.test(path) || isText(head) || isFinderFile(head)) return undefined;
  return unknownKind;
}

/** The first bytes of what gzip or Zstandard packed; undefined for anything else. */
function unpackedStart(start: Uint8Array): Uint8Array | undefined {
  const [one, two, three, four] = start;
  try {
    if (one === 0x1f && two === 0x8b)
      return zlib
        .gunzipSync(start, { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 24 })
        .subarray(0, 4096);
    if (one === 0x28 && two === 0xb5 && three === 0x2f && four === 0xfd)
      // Asked for by its name alone, it would keep Node 20, which has no Zstandard, from loading this file; there it throws, and nothing is known.
      return zlib
        .zstdDecompressSync(start, { finishFlush: zlib.constants.ZSTD_e_flush, maxOutputLength: 1 << 24 })
        .subarray(0, 4096);
  } catch {
    return undefined;
  }
  return undefined;
}

/** NumPy writes the elements' type into the header: `|O` are pickled objects. */
function isObjectArray(start: Uint8Array): boolean {
  return /^.NUMPY[\s\S]{4,6}\{[^}]*'descr':[^}]*\|O/.test(Buffer.from(start).toString('latin1'));
}

/** Pickles of protocol 0 are text: a global or an instance by module and name, or a mark and a container that is kept. */
function isTextPickle(start: Uint8Array): boolean {
  return /^\(?(c|i)[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|^\([dlt]p?\d*\n/.test(Buffer.from(start).toString('latin1'));
}

/** Of whatever encoding with letters in ASCII's places. */
function isText(start: Uint8Array): boolean {
  return !start.some((byte) => (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d)) || byte === 0x7f);
}

/** What macOS leaves in folders. */
function isFinderFile(start: Uint8Array): boolean {
  return Buffer.from(start).subarray(0, 8).toString('latin1') === '\0\0\0\x01Bud1';
}
