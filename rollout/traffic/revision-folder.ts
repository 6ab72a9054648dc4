import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PeerError } from '../../core/problem/index.ts';
import { printable } from '../../core/text/index.ts';
import { fileTrouble } from './file-trouble.ts';

/** A text and which of the texts in the folder it is; revisions count from 1. */
export interface Revision {
  readonly number: number;
  readonly text: string;
}

/**
 * A text on disk that several processes write by compare-and-set, and that is whole whenever any of them is killed: each revision is a
 * file of its own, written aside and linked to its number, which fails if the number is taken. The highest number counts. There is no
 * lock that a dead process could hold. The folder has to be on a file system with hard links.
 */
export class RevisionFolder {
  readonly path: string;
  /** For people, in problems and reports. Printable. */
  readonly name: string;

  /** @param name what people call the folder: the path as they wrote it, which says nothing of this machine */
  constructor(path: string, name: string = path) {
    this.path = path;
    this.name = printable(name);
  }

  /** The text that counts; `undefined` if none was ever written. Throws a PeerError when the folder cannot be read. */
  async read(): Promise<Revision | undefined> {
    for (;;) {
      const number = await this.#highest();
      if (number === undefined) return undefined;
      try {
        return { number, text: await readFile(this.#file(number), 'utf8') };
      } catch (cause) {
        // Written over and cleaned up since: there is a higher one.
        if (!hasCode(cause, 'ENOENT')) throw unusable(this.name, cause);
      }
    }
  }

  /**
   * Writes the text that follows the revision `after` (0: there must be none).
   * @returns the new revision's number; `undefined` if another came first: nothing that counts was written
   */
  async write(text: string, after: number): Promise<number | undefined> {
    const number = after + 1;
    const aside = join(this.path, `${process.pid}-${process.hrtime.bigint()}.tmp`);
    try {
      await mkdir(this.path, { recursive: true });
      const began = Date.now();
      if (((await this.#highest()) ?? 0) !== after) return undefined;
      const file = await open(aside, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
        await link(aside, this.#file(number));
      } catch (cause) {
        if (hasCode(cause, 'EEXIST')) return undefined;
        throw cause;
      } finally {
        await file.close();
        await rm(aside, { force: true });
      }
      // Whoever slept here so long that the number was taken, and its file removed, has written what never counts.
      const took = Date.now() - began;
      if ((await this.#highest()) !== number && (took < 0 || took > keptMs / 2)) return undefined;
      await this.#clean(number);
      return number;
    } catch (cause) {
      throw unusable(this.name, cause);
    }
  }

  async #highest(): Promise<number | undefined> {
    try {
      const numbers = (await readdir(this.path)).flatMap((name) => numberOf(name) ?? []);
      return numbers.length === 0 ? undefined : numbers.reduce((most, each) => Math.max(most, each));
    } catch (cause) {
      if (hasCode(cause, 'ENOENT')) return undefined;
      throw unusable(this.name, cause);
    }
  }

  async #clean(highest: number): Promise<void> {
    for (const name of await readdir(this.path)) {
      const number = numberOf(name);
      if (number === undefined ? !name.endsWith('.tmp') : number > highest - fewestKept) continue;
      const path = join(this.path, name);
      const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (age > keptMs) await rm(path, { force: true });
    }
  }

  #file(number: number): string {
    return join(this.path, `${String(number).padStart(8, '0')}.json`);
  }
}

/** Milliseconds that what was written over is kept: no writer sleeps so long between looking and writing. */
const keptMs = 600_000;
/** Revisions that are kept however old. */
const fewestKept = 8;

function numberOf(name: string): number | undefined {
  const [, digits] = /^(\d{8,15})\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}

function unusable(folder: string, cause: unknown): PeerError {
  if (cause instanceof PeerError) return cause;
  return new PeerError(
    {
      code: 'unusable-folder',
      message: 'the folder with the state of the traffic cannot be read or written',
      place: { file: folder },
      found: fileTrouble(cause),
      fix: 'Give a folder that this user may write, on a local file system with hard links and room left.',
    },
    { cause },
  );
}
