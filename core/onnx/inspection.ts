import { type BigIntStats, closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { lstat, open, realpath, stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join, relative } from 'node:path';
import type { Place, Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { fileKind, kindBytes, textKind } from './file-kind.ts';
import { type ExternalClaim, functionKey, readStructure, type Structure } from './structure.ts';
import { WireError, WireReader } from './wire-reader.ts';

export interface ScanOptions {
  /** Where the policy names the model: shown with every problem. @default the model file itself */
  readonly place?: Place;
  /** What problems call the model file, so that they hold no path of this machine. @default the file as given */
  readonly name?: string;
  /** The checkout. A symbolic link that leads out of it is a problem. @default no limit */
  readonly within?: string;
  /** Bytes of the model and its external data together. @default 16 GiB */
  readonly maximumBytes?: number;
  /** Bytes one sparse tensor may take once it is dense. @default 2 GiB */
  readonly maximumTensorBytes?: number;
  /** Operator domains a model may use besides functions it defines itself. @default ai.onnx, ai.onnx.ml, com.microsoft */
  readonly domains?: readonly string[];
}

/** A file beside the model that holds weights. */
export interface ExternalFile {
  readonly name: string;
  readonly bytes: number;
}

/** A file at the time it was looked at: any later write or replacement gives it another `identity`. */
export interface SeenFile {
  readonly path: string;
  readonly identity: string;
}

/** Everything one look at a model file finds. */
export interface Inspection {
  /** The model file's real path: what is scanned is what is loaded. Undefined when there is no such file. */
  readonly path: string | undefined;
  /** Undefined when the file is not an ONNX model; `unreadable` says why. */
  readonly structure: Structure | undefined;
  /** Bytes of the model file alone. */
  readonly bytes: number;
  readonly external: readonly ExternalFile[];
  /** The model file and those beside it, each as it was before it was read. */
  readonly seen: readonly SeenFile[];
  /** Reasons why nothing is known about the model at all. */
  readonly unreadable: readonly Problem[];
  /** Reasons why the files beside it must not be read. */
  readonly unsafeFiles: readonly Problem[];
  /** Reasons why ONNX Runtime must not load it. */
  readonly unsafeContent: readonly Problem[];
}

/** protobuf cannot be larger; larger models keep their weights in external data. */
const largestModelFile = 2 ** 31 - 1;
const defaultDomains: readonly string[] = ['ai.onnx', 'ai.onnx.ml', 'com.microsoft'];
/** Operators of ONNX Runtime's own domain that run code or read files from outside the model. */
const forbiddenOperators = new Set(['PythonOp', 'PythonOpGrad', 'PyOp', 'PyCustomOp', 'TritonOp', 'EPContext', 'Snpe']);
const mostProblemsOfAKind = 10;
const exportAgain = 'Export the model again, and check it with onnx.checker.check_model.';

export async function inspectModel(file: string, options: ScanOptions = {}): Promise<Inspection> {
  const sayer = sayerFor(file, options);
  const nothing = {
    path: undefined,
    structure: undefined,
    bytes: 0,
    external: [],
    seen: [],
    unsafeFiles: [],
    unsafeContent: [],
  };
  const located = await locate(file, options.within, sayer);
  if ('problem' in located) return { ...nothing, unreadable: [located.problem] };
  const { path } = located;
  const read = readModel(path, options, sayer);
  if ('problem' in read) return { ...nothing, path, unreadable: [read.problem] };
  const { structure, bytes, identity } = read;
  const { files, seen, problems } = await externalFiles(structure.externalClaims, dirname(path), sayer);
  const total = bytes + files.reduce((sum, each) => sum + each.bytes, 0);
  return {
    path,
    structure,
    bytes,
    external: files,
    seen: [{ path, identity }, ...seen],
    unreadable: [],
    unsafeFiles:
      total > maximumBytes(options) ? [...problems, tooLarge(total, maximumBytes(options), sayer)] : problems,
    unsafeContent: [
      ...operatorProblems(structure, options.domains ?? defaultDomains, sayer),
      ...contradictions(structure, sayer),
    ],
  };
}

/** Turns "what is wrong with the model" into a problem that names the file, wherever the place points. */
export type Sayer = (what: Omit<Problem, 'place'>) => Problem;

export function sayerFor(file: string, { name = file, place }: Pick<ScanOptions, 'name' | 'place'>): Sayer {
  return ({ message, ...rest }) =>
    place === undefined
      ? { ...rest, message, place: { file: name } }
      : { ...rest, message: `${excerpt(name, 200)}: ${message}`, place };
}

/** Throws nothing for a file that is gone: it has no identity then. */
export async function identityOf(path: string): Promise<string | undefined> {
  return lstat(path, { bigint: true }).then(identityFrom, () => undefined);
}

/** The time of the last change of status moves with every write, and no program can set it. */
function identityFrom({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

async function locate(
  file: string,
  within: string | undefined,
  say: Sayer,
): Promise<{ readonly path: string } | { readonly problem: Problem }> {
  let path: string;
  let stats: Stats;
  try {
    path = await realpath(file);
    stats = await stat(path);
  } catch (cause) {
    return { problem: say(notThere(cause)) };
  }
  if (within !== undefined) {
    const root = await realpath(within).catch(() => within);
    const way = relative(root, path);
    if (way.startsWith('..') || isAbsolute(way)) {
      return {
        problem: say({
          code: 'model-outside-checkout',
          message: 'the model is not inside the checkout',
          found: 'a path or a link that leads out of it',
          fix: 'Commit the file itself instead of a link to it.',
        }),
      };
    }
  }
  if (stats.isDirectory()) {
    return {
      problem: say({
        code: 'directory-instead-of-file',
        message: 'the model is a directory',
        expected: 'an .onnx file',
        fix: 'Name the file inside it.',
      }),
    };
  }
  if (!stats.isFile()) {
    return {
      problem: say({
        code: 'not-a-file',
        message: 'the model is not a regular file',
        found: 'a device, pipe or socket',
        expected: 'an .onnx file',
        fix: 'Name the model file itself.',
      }),
    };
  }
  if (extname(path).toLowerCase() === '.ort') {
    // ONNX Runtime goes by the name and would read it with another parser than the one that scanned it.
    return {
      problem: say({
        code: 'not-onnx',
        message: "a model named .ort is in ONNX Runtime's own format",
        fix: 'Use the .onnx file it was made from.',
      }),
    };
  }
  return { path };
}

export function notThere(cause: unknown): Omit<Problem, 'place'> {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return {
      code: 'missing-file',
      message: 'there is no such model file',
      fix: "Check the path (in a policy it counts from the policy's folder) and that the file is committed.",
    };
  }
  return {
    code: 'unreadable-file',
    message: 'the model file cannot be read',
    found: code === 'ELOOP' ? 'symbolic links that lead in a circle' : code === '' ? 'an error' : code,
    fix: code === 'ELOOP' ? 'Commit the file itself instead of a link to it.' : 'Check its permissions.',
  };
}

function readModel(
  path: string,
  options: ScanOptions,
  say: Sayer,
):
  | { readonly structure: Structure; readonly bytes: number; readonly identity: string }
  | { readonly problem: Problem } {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    return { problem: say(notThere(cause)) };
  }
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    const identity = identityFrom(stats);
    const size = Number(stats.size);
    const start = Buffer.alloc(Math.min(size, kindBytes));
    readSync(descriptor, start, 0, start.length, 0);
    const kind = fileKind(start);
    if (kind !== undefined) return { problem: say(notOnnx(kind.name, kind.fix)) };
    const limit = Math.min(maximumBytes(options), largestModelFile);
    if (size > limit) return { problem: tooLarge(size, limit, say) };
    const reader = new WireReader((buffer, position) => readSync(descriptor, buffer, 0, buffer.length, position), size);
    try {
      const structure = readStructure(reader, { tensorBytes: options.maximumTensorBytes ?? 2 ** 31 });
      return { structure, bytes: size, identity };
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      return { problem: say(brokenModel(cause, start, size)) };
    }
  } catch (cause) {
    return { problem: say(notThere(cause)) };
  } finally {
    closeSync(descriptor);
  }
}

function brokenModel(cause: WireError, start: Uint8Array, size: number): Omit<Problem, 'place'> {
  const kind = textKind(start);
  if (kind !== undefined) return notOnnx(kind.name, kind.fix);
  // Every ONNX file written so far starts with its IR version.
  if (start[0] === 0x08 && cause.needed !== undefined) {
    return {
      code: 'truncated-model',
      message: 'the model is cut off',
      found: `${size} bytes`,
      expected: `at least ${cause.needed}`,
      fix: 'Export or download it again.',
    };
  }
  return {
    ...notOnnx(`${cause.message} (at byte ${cause.offset})`),
    fix: 'Export or download the model again, and check it with onnx.checker.check_model.',
  };
}

function notOnnx(found: string, fix?: string): Omit<Problem, 'place'> {
  return {
    code: 'not-onnx',
    message: 'the model is not an ONNX file',
    found,
    ...(fix === undefined ? {} : { fix }),
  };
}

function maximumBytes(options: ScanOptions): number {
  return options.maximumBytes ?? 16 * 1024 ** 3;
}

function tooLarge(size: number, limit: number, say: Sayer): Problem {
  return say({
    code: 'model-too-large',
    message: 'the model is larger than Sluice loads',
    found: `${size} bytes`,
    expected: `at most ${limit}`,
    ...(limit === largestModelFile ? { fix: 'Save the weights as external data beside it.' } : {}),
  });
}

/** T7: a model must read nothing but plain files in its own directory. Each file is looked at once, however many tensors it holds. */
async function externalFiles(
  claims: readonly ExternalClaim[],
  directory: string,
  say: Sayer,
): Promise<{ files: readonly ExternalFile[]; seen: readonly SeenFile[]; problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const seen: SeenFile[] = [];
  const files = new Map<string, ExternalFile | undefined>();
  for (const { tensor, entries, bytes } of claims) {
    if (problems.length >= mostProblemsOfAKind) break;
    const quoted = JSON.stringify(excerpt(tensor));
    const values = new Map(entries);
    const name = values.get('location') ?? '';
    if (values.size < entries.length || name === '') {
      problems.push(
        say({
          code: 'bad-external-data',
          message: `tensor ${quoted} ${name === '' ? 'names no external file' : 'describes its external data twice'}`,
          fix: exportAgain,
        }),
      );
      continue;
    }
    if (!files.has(name)) {
      const looked = await lookAt(name, directory, say);
      if ('problem' in looked) {
        problems.push(looked.problem);
        files.set(name, undefined);
      } else {
        files.set(name, looked.file);
        seen.push(looked.seen);
      }
    }
    const file = files.get(name);
    if (file === undefined) continue;
    const offset = wholeNumber(values.get('offset') ?? '0');
    const length = wholeNumber(values.get('length') ?? String(bytes));
    if (offset === undefined || length === undefined || bytes === undefined || length !== bytes) {
      problems.push(
        say({
          code: 'bad-external-data',
          message: `tensor ${quoted} does not say correctly where in ${JSON.stringify(name)} its values are`,
          found: excerpt(`offset ${values.get('offset') ?? 0}, length ${values.get('length') ?? 'not given'}`),
          expected: bytes === undefined ? 'a tensor of numbers' : `whole numbers, and a length of ${bytes}`,
          fix: exportAgain,
        }),
      );
    } else if (offset + length > file.bytes) {
      problems.push(
        say({
          code: 'external-data-too-short',
          message: `the external file ${JSON.stringify(name)} ends before the values of tensor ${quoted}`,
          found: `${file.bytes} bytes`,
          expected: `at least ${offset + length}`,
          fix: 'Commit the external data together with the model it was exported with.',
        }),
      );
    }
  }
  const safe = [...files.values()].filter((file) => file !== undefined);
  return { files: safe.sort((a, b) => (a.name < b.name ? -1 : 1)), seen, problems };
}

function wholeNumber(text: string): number | undefined {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return number;
}

/**
 * The names of the files beside a model that it keeps its weights in, sorted, as far as they may be read: plain names only. Empty when
 * the file is no readable model. For bringing those files: whether the model is safe to load, `openModel` says once they are there.
 */
export async function externalDataNames(file: string): Promise<readonly string[]> {
  const say = sayerFor(file, {});
  const located = await locate(file, undefined, say);
  const read = 'problem' in located ? located : readModel(located.path, {}, say);
  if ('problem' in read) return [];
  const names = read.structure.externalClaims.map(({ entries }) => new Map(entries).get('location') ?? '');
  return [...new Set(names)].filter(isPlainName).sort();
}

/** Also not what Windows reads as a drive, a stream or a device, so that a model is safe everywhere or nowhere. */
function isPlainName(name: string): boolean {
  return !/^$|[\\/:*?"<>|\u0000-\u001f\u007f]/.test(name) && name !== '.' && name !== '..' && name.length <= 255;
}

async function lookAt(
  name: string,
  directory: string,
  say: Sayer,
): Promise<{ readonly file: ExternalFile; readonly seen: SeenFile } | { readonly problem: Problem }> {
  const shown = JSON.stringify(excerpt(name, 200));
  const fix =
    "Export with the weights in one file beside the model (onnx.save_model(..., location='model.onnx.data')).";
  if (!isPlainName(name)) {
    return {
      problem: say({
        code: 'external-data-outside',
        message: 'the model reads a file that is not beside it',
        found: shown,
        expected: 'a plain file name',
        fix,
      }),
    };
  }
  const path = join(directory, name);
  const refuse = (code: string, message: string, more: Partial<Problem> = {}): { readonly problem: Problem } => ({
    problem: say({ code, message: `the external file ${shown} ${message}`, ...more }),
  });
  let stats: BigIntStats;
  try {
    stats = await lstat(path, { bigint: true });
  } catch {
    return refuse('external-data-missing', 'is not there', {
      fix: 'Commit the external data together with the model it was exported with.',
    });
  }
  if (stats.isSymbolicLink())
    return refuse('external-data-link', 'is a symbolic link', { fix: 'Commit the file itself.' });
  if (!stats.isFile())
    return refuse('external-data-not-a-file', 'is not a regular file', { fix: 'Commit the weights as a file.' });
  // A second name for a file elsewhere is the one way out of a directory that no path shows.
  if (stats.nlink !== 1n) {
    return refuse('external-data-link', 'is a hard link', {
      found: `${stats.nlink} names`,
      expected: 'one',
      fix: 'Copy the file instead of linking it.',
    });
  }
  const bytes = Number(stats.size);
  if (bytes < kindBytes) {
    const start = await firstBytes(path, bytes);
    const kind = fileKind(start);
    if (kind?.name.startsWith('a Git LFS pointer') === true) {
      return refuse('external-data-missing', `is ${kind.name}`, kind.fix === undefined ? {} : { fix: kind.fix });
    }
  }
  return { file: { name, bytes }, seen: { path, identity: identityFrom(stats) } };
}

export async function firstBytes(path: string, size: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const buffer = new Uint8Array(size);
    const { bytesRead } = await handle.read(buffer, 0, size, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** T9: only operators ONNX Runtime itself implements, and functions made of them. */
function operatorProblems(structure: Structure, domains: readonly string[], say: Sayer): readonly Problem[] {
  const allowed = new Set(domains);
  const unknown = structure.operators.filter(
    ({ domain, operator }) => !allowed.has(domain) && !structure.functions.has(functionKey(domain, operator)),
  );
  const forbidden = structure.operators.filter(
    ({ domain, operator }) => allowed.has(domain) && domain !== 'ai.onnx' && forbiddenOperators.has(operator),
  );
  return [
    ...forbidden.map(({ domain, operator }) =>
      say({
        code: 'forbidden-operator',
        message: 'the model has an operator that runs code or reads files from outside it',
        found: `${domain}.${operator}`,
        fix: 'Export the model without it.',
      }),
    ),
    ...unknown.slice(0, mostProblemsOfAKind).map(({ domain, operator }) =>
      say({
        code: 'custom-operator',
        message: 'the model has an operator that needs a custom library',
        found: excerpt(`${domain}.${operator}`),
        expected: `a domain among ${domains.join(', ')}`,
        fix: 'Export the model with standard operators only.',
      }),
    ),
  ];
}

/** T10: what a tensor declares must be there. */
function contradictions(structure: Structure, say: Sayer): readonly Problem[] {
  return structure.contradictions.map((contradiction) => say({ ...contradiction, fix: exportAgain }));
}
