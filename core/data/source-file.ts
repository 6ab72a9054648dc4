import { realpath, stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DataError, type Place, type Problem } from '../problem/index.ts';
import { excerpt, isAddress } from '../text/index.ts';
import { firstBytes } from './first-bytes.ts';
import {
  arrowFix,
  type Compression,
  type Format,
  formatOf,
  formatWords,
  type NamedFormat,
  supported,
} from './source-format.ts';

/** How to open a file. */
export interface SourceOptions {
  /** The policy line that names the file: where problems with the name itself are shown. */
  readonly place?: Place;
  /** What to call the file in messages and in `Table.file`; the file as given when not given. */
  readonly name?: string;
  /** The file must lie in this directory, symbolic links resolved. */
  readonly within?: string;
}

/** A file that exists, is a plain file, is allowed, and is of the format its name says. */
export interface SourceFile {
  readonly name: string;
  /** Absolute, without symbolic links. */
  readonly path: string;
  readonly bytes: number;
  readonly format: Format;
  /** Set where the file must be unpacked first. */
  readonly compression?: Compression;
}

/** Looks at a file before an engine does. Throws a `DataError` with one problem. */
export async function inspectSource(file: string, options: SourceOptions = {}): Promise<SourceFile> {
  const { name, shown, refuse } = refusing(file, options);
  const path = await realFile(file, options);
  const facts = await stat(path);
  if (!facts.isFile()) {
    throw refuse({
      code: facts.isDirectory() ? 'is-directory' : 'not-a-file',
      message: `${shown} is not a file`,
      found: facts.isDirectory() ? 'a directory' : 'a device, pipe or socket',
      expected: supported,
      fix: facts.isDirectory() ? 'Name its files with a pattern: folder/**/*.parquet.' : 'Name a file.',
    });
  }
  const named = (await unnamedParquet(name, path)) ?? formatOf(name);
  if ('fix' in named) {
    throw refuse({
      code: 'unsupported-format',
      message: `${shown} is not in a format that can be read`,
      found: named.extension === '' ? 'no extension' : excerpt(named.extension),
      expected: supported,
      fix: named.fix,
    });
  }
  // The pattern language of DuckDB's readers cannot say "this backslash and this star, literally" on systems where both may be in a name.
  if (sep === '/' && path.includes('\\') && /[*?[]/.test(path)) {
    throw refuse({
      code: 'unsupported-name',
      message: `${shown} has a backslash and one of * ? [ in its path`,
      fix: 'Rename the file or the folder.',
    });
  }
  if (facts.size === 0) {
    throw refuse({
      code: 'empty-file',
      message: `${shown} is empty`,
      found: '0 bytes',
      expected: supported,
      fix: 'Write the data to it.',
    });
  }
  const source: SourceFile = { name, path, bytes: facts.size, ...named };
  await refuseMisnamed(source, options);
  return source;
}

/** Hive, Trino and Athena give the Parquet files of their tables names without an extension; what is in them says what they are. */
async function unnamedParquet(name: string, path: string): Promise<NamedFormat | undefined> {
  if (extname(name) !== '') return undefined;
  const isParquet = (await firstBytes(path, 4)).toString('latin1') === 'PAR1';
  return isParquet ? { format: 'parquet' } : undefined;
}

function refusing(file: string, options: SourceOptions) {
  const name = options.name ?? file;
  return {
    name,
    // Where the place is the file itself, the message need not name it again.
    shown: options.place === undefined ? 'the file' : excerpt(name, 200),
    refuse: (problem: Omit<Problem, 'place'>): DataError =>
      new DataError({ ...problem, place: options.place ?? { file: name } }),
  };
}

/** The absolute path without symbolic links of something that is there and lies where files may be read. Throws a `DataError`. */
export async function realFile(file: string, options: SourceOptions): Promise<string> {
  const { shown, refuse } = refusing(file, options);
  if (file.includes('\0')) {
    throw refuse({
      code: 'unsupported-name',
      message: `the file name "${shown}" holds a NUL character`,
      fix: 'Rename the file.',
    });
  }
  const path = await realpath(resolve(file)).catch(async (error: NodeJS.ErrnoException) => {
    throw refuse(await describeMissing(file, shown, error));
  });
  if (options.within !== undefined) {
    const away = relative(await realpath(options.within), path);
    if (away === '..' || away.startsWith(`..${sep}`) || isAbsolute(away)) {
      throw refuse({
        code: 'outside-directory',
        message: `${shown} lies outside the directory that may be read`,
        expected: 'a file of the checkout, not one that a path with .. or a symbolic link leads to',
        fix: 'Put the data into the repository (Git LFS for large files) and name it by its path there.',
      });
    }
  }
  return path;
}

/** Throws a `DataError` for a file whose first bytes are not what its name says. */
export async function refuseMisnamed(source: SourceFile, options: SourceOptions): Promise<void> {
  const { shown, refuse } = refusing(source.name, options);
  const misnamed = misnamedAs(source, contentOf(await firstBytes(source.path, 512)));
  if (misnamed !== undefined) throw refuse({ ...misnamed, message: `${shown} ${misnamed.message}` });
}

/** Why the first bytes are not what the name says; undefined when they are. */
function misnamedAs(
  { format, compression }: NamedFormat,
  content: Content | undefined,
): Omit<Problem, 'place'> | undefined {
  const expected = compression ?? format;
  if (content?.is === expected) return undefined;
  if (content !== undefined) {
    const { code, found, fix } = content;
    const words = compression === undefined ? formatWords[format] : `${compression}-compressed ${formatWords[format]}`;
    return { code, message: 'does not hold what its name says', found, expected: words, fix };
  }
  if (expected === 'parquet') {
    return {
      code: 'not-parquet',
      message: 'is not a Parquet file',
      found: 'a file that does not begin with PAR1',
      expected: 'PAR1 as its first and last four bytes',
      fix: 'Write the file again with a Parquet writer.',
    };
  }
  if (compression === undefined) return undefined;
  return {
    code: 'wrong-format',
    message: 'is not compressed as its name says',
    found: 'other bytes at its beginning',
    expected: `${compression}-compressed ${formatWords[format]}`,
    fix: 'Compress the file, or take the last ending off its name.',
  };
}

async function describeMissing(
  file: string,
  shown: string,
  error: NodeJS.ErrnoException,
): Promise<Omit<Problem, 'place'>> {
  if (isAddress(file)) {
    return {
      code: 'unsupported-address',
      message: `${shown} is an address, not a file`,
      expected: 'a local file or s3://bucket/key',
      fix: 'Download it in an earlier step and name the file.',
    };
  }
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    return {
      code: 'unreadable-file',
      message: `${shown} cannot be reached`,
      found: error.code === 'ELOOP' ? 'symbolic links that lead in a circle' : (error.code ?? 'an error'),
      fix: error.code === 'ELOOP' ? 'Commit the file itself instead of a link.' : 'Check its permissions.',
    };
  }
  const tracked = await stat(`${file}.dvc`).catch(() => undefined);
  if (tracked !== undefined) {
    return {
      code: 'dvc-not-pulled',
      message: `${shown} is tracked by DVC and not here`,
      found: `${shown}.dvc`,
      fix: `Run "dvc pull ${shown}" in an earlier step.`,
    };
  }
  const folder = await stat(dirname(resolve(file))).catch(() => undefined);
  return {
    code: 'missing-file',
    message: `${shown} does not exist`,
    fix: /[*?[]/.test(file)
      ? 'Check the pattern: no file matches it.'
      : folder === undefined
        ? `The folder ${excerpt(join(dirname(file), '/'), 200)} does not exist either; a path in a policy counts from the policy's folder.`
        : "Check the spelling; a path in a policy counts from the policy's folder.",
  };
}

interface Content {
  readonly code: string;
  readonly is?: Format | Compression;
  readonly found: string;
  readonly fix: string;
}

/** What the first bytes give away; undefined when they say nothing. */
function contentOf(bytes: Buffer): Content | undefined {
  const starts = (text: string) => bytes.subarray(0, text.length).toString('latin1') === text;
  if (starts('PAR1')) {
    return { code: 'wrong-format', is: 'parquet', found: 'Parquet', fix: 'Rename it to end in .parquet.' };
  }
  if (starts('version https://git-lfs.github.com/spec/')) {
    return {
      code: 'git-lfs-pointer',
      found: 'a Git LFS pointer',
      fix: 'Bring the data itself: "lfs: true" for actions/checkout, or "git lfs pull".',
    };
  }
  if (starts('PARE')) {
    return { code: 'encrypted', found: 'encrypted Parquet', fix: 'Decrypt it in an earlier step.' };
  }
  if (starts('PK\x03\x04')) {
    return { code: 'wrong-format', found: 'a ZIP archive or an Excel workbook', fix: 'Unpack it, or save it as CSV.' };
  }
  if (starts('\x1f\x8b')) {
    return { code: 'wrong-format', is: 'gzip', found: 'gzip-compressed data', fix: 'Let its name end in .gz.' };
  }
  if (starts('\x28\xb5\x2f\xfd')) {
    return { code: 'wrong-format', is: 'zstd', found: 'zstd-compressed data', fix: 'Let its name end in .zst.' };
  }
  if (starts('ARROW1')) {
    return { code: 'wrong-format', found: 'an Arrow file', fix: arrowFix };
  }
  if (starts('\xff\xfe') || starts('\xfe\xff')) {
    return { code: 'not-utf-8', found: 'UTF-16 text', fix: 'Save it as UTF-8.' };
  }
  if (bytes.includes(0)) {
    return { code: 'wrong-format', found: 'binary data', fix: 'Write the data as CSV text in UTF-8, or as Parquet.' };
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(bytes.toString('latin1'))) {
    return { code: 'wrong-format', found: 'an HTML or XML page', fix: 'Check how the file was downloaded.' };
  }
  return undefined;
}
