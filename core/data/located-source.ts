import { lstat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { DataError } from '../problem/index.ts';
import { isS3Address } from '../s3/index.ts';
import { excerpt } from '../text/index.ts';
import { followDvcPointer } from './dvc-pointer.ts';
import { expandPattern, isPattern } from './file-pattern.ts';
import { type PartitionColumn, partitionColumns } from './hive-partition.ts';
import { bringFromS3, tooManyFiles } from './s3-source.ts';
import { inspectSource, realFile, refuseMisnamed, type SourceFile, type SourceOptions } from './source-file.ts';
import type { SourceLimits } from './source-limits.ts';
import { unpackFile } from './unpacked-file.ts';

/** A file of a source: what a user calls it, what was stored, and what DuckDB reads, which is another when that is compressed. */
export interface LocatedFile {
  readonly stored: SourceFile;
  readonly plain: SourceFile;
}

/** The files of one source in the order of their rows, all of one format. */
export interface LocatedSource {
  readonly name: string;
  readonly files: readonly [LocatedFile, ...LocatedFile[]];
  readonly partitions: readonly PartitionColumn[];
}

/**
 * Finds what a source names and brings it here: a file, the files of a pattern, objects of S3, the file of a DVC pointer; unpacked where
 * compressed. What is brought or unpacked lies in `folder`. Throws a `DataError`.
 */
export async function locateSource(
  file: string,
  options: SourceOptions,
  folder: string,
  limits: SourceLimits,
): Promise<LocatedSource> {
  const name = options.name ?? file;
  const found = await findFiles(file, name, options, join(folder, 'objects'), limits);
  const files: LocatedFile[] = [];
  for (const [index, stored] of found.entries()) {
    const first = files[0]?.stored;
    if (first !== undefined && first.format !== stored.format) {
      throw new DataError({
        code: 'mixed-formats',
        message: `${excerpt(name, 200)} names files of two formats`,
        place: options.place ?? { file: name },
        found: `${excerpt(first.name)} and ${excerpt(stored.name)}`,
        fix: 'Let the pattern end with one extension.',
      });
    }
    files.push({ stored, plain: await plainFile(stored, join(folder, `plain-${index}`), options, limits) });
  }
  const [first, ...others] = files;
  if (first === undefined) throw new RangeError('a source without files');
  const partitions = isPattern(name) ? partitionColumns(found.map((one) => one.name)) : [];
  if ('differing' in partitions) {
    const [one, other] = partitions.differing.map((index) => found[index]?.name ?? '');
    throw new DataError({
      code: 'schema-mismatch',
      message: 'two files of one source lie in folders of other partitions',
      place: { file: other ?? name },
      found: `${excerpt(other ?? '', 120)} beside ${excerpt(one ?? '', 120)}`,
      expected: 'the same key=value folders above every file',
      fix: 'Use a narrower pattern.',
    });
  }
  return { name, files: [first, ...others], partitions };
}

async function findFiles(
  file: string,
  name: string,
  options: SourceOptions,
  folder: string,
  limits: SourceLimits,
): Promise<readonly SourceFile[]> {
  if (isS3Address(name)) {
    const brought = await bringFromS3(name, folder, options, limits);
    const { within: _, ...rest } = options;
    return Promise.all(brought.map((object) => inspectSource(object.path, { ...rest, name: object.name })));
  }
  if (isPattern(name) && !(await isThere(file))) {
    const paths = await expandPattern(resolve(file));
    if (paths === undefined) throw new DataError({ ...tooManyFiles(name), place: options.place ?? { file: name } });
    // A path that matches nothing is refused with the words for it.
    if (paths.length === 0) return [await inspectSource(file, options)];
    return Promise.all(paths.map((path) => inspectSource(path, { ...options, name: namedLike(name, file, path) })));
  }
  if (/\.dvc$/i.test(name) && (await isThere(file))) {
    // The pointer must lie where files may be read before it is read itself, and so must the file it leads to.
    const data = await followDvcPointer(await realFile(file, options), options);
    return [await inspectSource(data, { ...options, name: name.replace(/\.dvc$/i, '') })];
  }
  return [await inspectSource(file, options)];
}

/** A file of a pattern, called as the policy calls the pattern: from the folder that the pattern counts from. */
function namedLike(name: string, file: string, path: string): string {
  const whole = resolve(file);
  const written = name
    .split(/[\\/]/)
    .filter((segment) => segment !== '.' && segment !== '')
    .join(sep);
  const root = whole.endsWith(written) ? whole.slice(0, whole.length - written.length) : '';
  return path.startsWith(root) ? path.slice(root.length).replaceAll('\\', '/') : path;
}

async function plainFile(
  stored: SourceFile,
  path: string,
  options: SourceOptions,
  limits: SourceLimits,
): Promise<SourceFile> {
  if (stored.compression === undefined) return stored;
  await unpackFile(stored, path, limits);
  const bytes = (await lstat(path)).size;
  const { compression: _, ...rest } = stored;
  await refuseMisnamed({ ...rest, path, bytes }, options);
  return { ...rest, path, bytes };
}

async function isThere(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => undefined)) !== undefined;
}
