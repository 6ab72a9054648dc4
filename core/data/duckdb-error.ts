import { DataError, type Place, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { escapePattern } from './quoting.ts';

/** How the engine's private folder begins; DuckDB spills to files below it. */
export const spillPrefix = 'sluice-data-';

/**
 * What DuckDB says about a file, without the settings, hints and query text it puts around it, and without the paths of this machine:
 * those of the open `files` and the folder it spills to. Nothing else is taken for a path: `/` also stands in amounts and values.
 */
export function distill(
  error: unknown,
  files: readonly string[],
): { readonly kind: string; readonly message: string; readonly line?: number } {
  const text = error instanceof Error ? error.message : String(error);
  const kind = /^([A-Za-z -]+) Error:/.exec(text)?.[1] ?? '';
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const sentences = text
    .replace(/^[A-Za-z -]+ Error: */, '')
    .split('\n')
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '' && !/^(CSV Error on Line|Original Line|LINE \d|\^)/.test(sentence));
  const message = excerpt(withoutPaths(sentences[0] ?? text, files), 200);
  return { kind, message, ...(line === undefined ? {} : { line: Number(line) }) };
}

const spilled = new RegExp(`(?:[A-Za-z]:)?[\\\\/][^"'\\n]*${spillPrefix}[^"'\\s:]*`, 'g');

function withoutPaths(sentence: string, files: readonly string[]): string {
  const known = files.flatMap((file) => [file, escapePattern(file)]).sort((one, other) => other.length - one.length);
  return known
    .reduce((rest, path) => rest.replaceAll(path, 'the file'), sentence)
    .replace(spilled, 'the temporary folder');
}

/** Kinds of DuckDB errors that a wrong query of ours causes, never a file. */
const ownFaults = new Set(['Parser', 'Binder', 'Catalog', 'Not implemented', 'INTERNAL', 'Transaction']);

/**
 * A `DataError` for what a data file or the machine's limits make DuckDB say; undefined for what only a mistake in Sluice can cause.
 * `files` are the paths of the open files, which the message must not show.
 */
export function dataErrorOf(error: unknown, place: Place, files: readonly string[]): DataError | undefined {
  const { kind, message } = distill(error, files);
  if (ownFaults.has(kind)) return undefined;
  const problem: Problem = {
    code: 'unreadable-data',
    message: 'the data cannot be read',
    place,
    found: message,
    fix: 'Write the file again.',
  };
  return outOfMemoryError(error, place, files) ?? new DataError(problem, { cause: error });
}

/** A `DataError` when memory or temporary disk ran out, which no file is to blame for; else undefined. */
export function outOfMemoryError(error: unknown, place: Place, files: readonly string[]): DataError | undefined {
  const { kind, message } = distill(error, files);
  if (kind !== 'Out of Memory') return undefined;
  const problem: Problem = {
    code: 'out-of-memory',
    message: 'the data needs more memory or temporary disk than it may use',
    place,
    found: message,
    fix: 'Check fewer columns at once, or use a runner with more memory.',
  };
  return new DataError(problem, { cause: error });
}
