import type { Output, Streams } from './streams.ts';

/**
 * Whether to colour what goes to `output`. `--no-color` wins, then `FORCE_COLOR` (0 or false: no), then `NO_COLOR` (any value that is not
 * empty: no; https://no-color.org), then whether a person looks at it. Node itself reads the two variables in the same order.
 */
export function wantsColour(output: Output, environment: Streams['environment'], flag: boolean): boolean {
  if (!flag) return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  return output.isTTY === true && environment['TERM'] !== 'dumb';
}
