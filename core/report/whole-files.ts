import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes files, each beside its name and renamed when all are there, so that a reader never sees half of one; their folders are made. Throws
 * what the file system says, and leaves nothing unfinished then.
 */
export async function writeWhole(files: readonly (readonly [file: string, content: string])[]): Promise<void> {
  const unfinished = (file: string) => `${file}.${process.pid}.unfinished`;
  try {
    await Promise.all(files.map(([file]) => mkdir(dirname(file), { recursive: true })));
    await Promise.all(files.map(([file, content]) => writeFile(unfinished(file), content)));
    for (const [file] of files) await rename(unfinished(file), file);
  } catch (cause) {
    await Promise.all(files.map(([file]) => rm(unfinished(file), { force: true }).catch(() => {})));
    throw cause;
  }
}
