import { DataError, type Place, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';

/** What DuckDB says about a file, without the settings, hints and query text it puts around it. */
export function distill(error: unknown): { readonly kind: string; readonly message: string; readonly line?: number } {
  const text = error instanceof Error ? error.message : String(error);
  const kind = /^([A-Za-z -]+) Error:/.exec(text)?.[1] ?? '';
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const sentences = text
    .replace(/^[A-Za-z -]+ Error: */, '')
    .split('\n')
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '' && !/^(CSV Error on Line|Original Line|LINE \d|\^)/.test(sentence));
  const message = excerpt((sentences[0] ?? text).replace(/"?\/[^\s"]*"?/g, 'the file'), 200);
  return { kind, message, ...(line === undefined ? {} : { line: Number(line) }) };
}

/** Kinds of DuckDB errors that a wrong query of ours causes, never a file. */
const ownFaults = new Set(['Parser', 'Binder', 'Catalog', 'Not implemented', 'INTERNAL', 'Transaction']);

/** A `DataError` for what a data file or the machine's limits make DuckDB say; undefined for what only a mistake in Sluice can cause. */
export function dataErrorOf(error: unknown, place: Place): DataError | undefined {
  const { kind, message } = distill(error);
  if (ownFaults.has(kind)) return undefined;
  const problem: Problem =
    kind === 'Out of Memory'
      ? {
          code: 'out-of-memory',
          message: 'the data needs more memory or temporary disk than it may use',
          place,
          found: message,
          fix: 'Check fewer columns at once, or use a runner with more memory.',
        }
      : {
          code: 'unreadable-data',
          message: 'the data cannot be read',
          place,
          found: message,
          fix: 'Write the file again.',
        };
  return new DataError(problem, { cause: error });
}
