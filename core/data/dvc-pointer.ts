import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { DataError, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { chunksOf } from './digest.ts';
import type { SourceOptions } from './source-file.ts';

/** What a pointer file of DVC says of the one file it stands for. */
export interface DvcPointer {
  readonly md5: string;
  readonly size?: number;
  readonly path: string;
  /** DVC before version 3 hashed text as if its lines ended in LF; such pointers do not name the hash. */
  readonly legacy: boolean;
}

const largestPointer = 1 << 20;

/** Reads a pointer; words for what is wrong with it where it cannot be followed. */
export function readDvcPointer(text: string): DvcPointer | Pick<Problem, 'message' | 'found' | 'fix'> {
  let outs: unknown;
  try {
    // No aliases: a small file of them can stand for a huge one.
    outs = (parse(text, { maxAliasCount: 0, schema: 'failsafe' }) as { outs?: unknown } | null)?.outs;
  } catch {
    return { message: 'is not a DVC pointer: it is not YAML', fix: 'Write it again: dvc add.' };
  }
  if (!Array.isArray(outs) || outs.length === 0) {
    return { message: 'is not a DVC pointer: it has no "outs"', fix: 'Name a file that "dvc add" wrote.' };
  }
  if (outs.length > 1) {
    return { message: 'stands for several files', found: `${outs.length} outs`, fix: 'Name the data file itself.' };
  }
  const { md5, size, path, hash } = (outs[0] ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof md5 === 'string' && /^[0-9a-f]{32}\.dir$/.test(md5)) {
    return {
      message: 'stands for a folder',
      found: excerpt(md5),
      fix: 'Name the files of the folder with a pattern (folder/*.parquet), or track them one by one.',
    };
  }
  if (typeof md5 !== 'string' || !/^[0-9a-f]{32}$/.test(md5)) {
    return { message: 'has no MD5 of its file', fix: 'Write it again: dvc add.' };
  }
  if (typeof path !== 'string' || path === '' || /[\\/\0]/.test(path) || path === '..') {
    return { message: 'does not name a file beside it', found: excerpt(String(path)), fix: 'Write it again: dvc add.' };
  }
  const bytes = typeof size === 'string' && /^\d{1,15}$/.test(size) ? { size: Number(size) } : {};
  return { md5, path, legacy: hash !== 'md5', ...bytes };
}

/** The data file that a `.dvc` file stands for, after its size and digest were held against the pointer. Throws a `DataError`. */
export async function followDvcPointer(file: string, options: SourceOptions): Promise<string> {
  const name = options.name ?? file;
  const shown = excerpt(name, 200);
  const refuse = (code: string, problem: Omit<Problem, 'code'>) =>
    new DataError({ code, place: options.place ?? { file: name }, ...problem, message: `${shown} ${problem.message}` });
  const facts = await stat(file);
  if (facts.size > largestPointer) {
    throw refuse('bad-dvc-pointer', { message: 'is too large for a DVC pointer', fix: 'Name the data file itself.' });
  }
  const pointer = readDvcPointer(await readFile(file, 'utf8'));
  if ('message' in pointer) throw refuse('bad-dvc-pointer', pointer);
  const data = join(dirname(file), pointer.path);
  const held = await stat(data).catch(() => undefined);
  if (held === undefined || !held.isFile()) {
    throw refuse('dvc-not-pulled', {
      message: 'stands for a file that is not here',
      found: excerpt(pointer.path),
      fix: `Run "dvc pull ${shown}" in an earlier step.`,
    });
  }
  const found = await md5Of(data, pointer);
  if (found !== pointer.md5) {
    throw refuse('dvc-mismatch', {
      message: 'does not stand for the file beside it',
      found: `MD5 ${found}${pointer.size === undefined ? '' : ` of ${held.size} bytes`}`,
      expected: `${pointer.md5}${pointer.size === undefined ? '' : ` of ${pointer.size} bytes`}`,
      fix: `Run "dvc pull ${shown}" to get the data that was committed, or "dvc add" to commit the data that is here.`,
    });
  }
  return data;
}

/** The MD5 of a file; the pointer's own where that is of the text with other line ends, as an old DVC has it. */
export async function md5Of(file: string, { md5, legacy }: DvcPointer): Promise<string> {
  const [plain, unix] = [createHash('md5'), createHash('md5')];
  let held = Buffer.alloc(0);
  for await (const chunk of chunksOf(file)) {
    plain.update(chunk);
    if (!legacy) continue;
    const text = Buffer.concat([held, chunk]);
    // A CR at the end may be half of a line's end.
    const whole = text.at(-1) === 0x0d ? text.length - 1 : text.length;
    unix.update(text.subarray(0, whole).toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    held = Buffer.from(text.subarray(whole));
  }
  unix.update(held);
  const digest = plain.digest('hex');
  return legacy && digest !== md5 && unix.digest('hex') === md5 ? md5 : digest;
}
