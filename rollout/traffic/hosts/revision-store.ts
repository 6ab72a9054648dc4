import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { Revision } from '../revision-folder.ts';
import type { HostShell } from './host-shell.ts';

/** A text that several processes write by compare-and-set, and that is whole whenever any of them is killed. */
export interface RevisionStore {
  /** For people: as the policy writes it. Printable. */
  readonly name: string;
  /** The text that counts; `undefined` if none was ever written. Throws a PeerError when it cannot be read. */
  read(): Promise<Revision | undefined>;
  /**
   * Writes the text that follows the revision `after` (0: there must be none).
   * @returns the new revision's number; `undefined` if another came first: nothing that counts was written
   */
  write(text: string, after: number): Promise<number | undefined>;
}

/**
 * A `RevisionFolder` on another machine, by commands: each revision is a file of its own, written aside, held against its length, and
 * linked to its number, which fails if the number is taken. The highest number counts.
 */
export class RemoteRevisionFolder implements RevisionStore {
  readonly name: string;
  readonly #shell: HostShell;
  readonly #directory: string;

  constructor(shell: HostShell, directory: string) {
    this.#shell = shell;
    this.#directory = directory;
    this.name = `${shell.title}:${directory}`;
  }

  async read(): Promise<Revision | undefined> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const { code, output, errors } = await this.#run(scripts.read, []);
      if (code === writtenOver) continue;
      const [, number, text] = /^(\d{1,15})\n([\s\S]*)$/.exec(output) ?? [];
      if (code !== 0 || number === undefined || text === undefined) throw this.#unusable(code, errors);
      return Number(number) === 0 ? undefined : { number: Number(number), text };
    }
    throw this.#unusable(writtenOver, 'it is written faster than it can be read');
  }

  async write(text: string, after: number): Promise<number | undefined> {
    const number = after + 1;
    const words = [fileOf(after), fileOf(number), fileOf(number + mostBehind), String(Buffer.byteLength(text))];
    const { code, errors } = await this.#run(scripts.write, words, text);
    if (code === taken) return undefined;
    if (code !== 0) throw this.#unusable(code, errors);
    return number;
  }

  /** The clock of that machine, in milliseconds of the epoch. */
  async now(): Promise<number> {
    const { code, output, errors } = await this.#shell.run(['date', '+%s']);
    const seconds = Number(output.trim());
    if (code !== 0 || !Number.isSafeInteger(seconds) || seconds <= 0) throw this.#unusable(code, errors);
    return seconds * 1000;
  }

  #run(script: string, words: readonly string[], text?: string) {
    return this.#shell.run(
      ['sh', '-c', script, 'sluice', this.#directory, ...words],
      text === undefined ? {} : { input: { text } },
    );
  }

  #unusable(code: number, errors: string): PeerError {
    return new PeerError({
      code: 'unusable-folder',
      message: 'the folder with the record of the rollout cannot be read or written',
      place: { file: this.name },
      found: excerpt(`exit ${code}: ${errors.trim()}`, 200),
      fix: 'Give a folder that the user over there may write, on a local file system with hard links and room left.',
    });
  }
}

const taken = 3;
const writtenOver = 4;
const mostAttempts = 20;
/** Revisions that are kept however old; older ones go after ten minutes. No writer sleeps so long between looking and writing. */
const mostBehind = 8;

function fileOf(number: number): string {
  return number === 0 ? 'none' : `${String(number).padStart(8, '0')}.json`;
}

const highest =
  'highest() { last=none; for each in [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].json; do [ -e "$each" ] && last=$each; done; };';
// Fixed texts: $1 the folder, $2 the file read, $3 the file to write, $4 a file so far ahead that $3 would not count, $5 bytes.
const scripts = {
  read: `${highest} if [ ! -d "$1" ]; then echo 0; exit 0; fi; cd -- "$1" || exit 1; highest; if [ "$last" = none ]; then echo 0; exit 0; fi; text=$(cat -- "$last" && echo .) || exit ${writtenOver}; number=\${last%.json}; while [ "\${number#0}" != "$number" ]; do number=\${number#0}; done; echo "$number"; printf '%s' "\${text%.}"`,
  write: `set -u; umask 077; ${highest} mkdir -p -- "$1" && cd -- "$1" || exit 1; highest; [ "$last" = "$2" ] || exit ${taken}; aside=$(mktemp ./aside-XXXXXXXX) || exit 1; trap 'rm -f "$aside"' EXIT; cat > "$aside" || exit 1; [ "$(wc -c < "$aside")" -eq "$5" ] || { echo "the text did not arrive whole" >&2; exit 1; }; sync "$aside" 2>/dev/null || sync; ln "$aside" "$3" 2>/dev/null || { [ -e "$3" ] && exit ${taken}; echo "no hard link could be made" >&2; exit 1; }; [ ! -e "$4" ] || exit ${taken}; kept=0; for each in $(ls -r); do case $each in [0-9]*.json) kept=$((kept + 1)); [ "$kept" -le ${mostBehind} ] || find "./$each" -mmin +10 -exec rm -f {} + ;; aside-*) find "./$each" -mmin +10 -exec rm -f {} + ;; esac; done; exit 0`,
} as const;
