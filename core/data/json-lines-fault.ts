import { isUtf8 } from 'node:buffer';
import type { Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { notUtf8, nulCharacter } from './csv-fault.ts';
import { lineFeed, linesOf, longestLine } from './lines-of.ts';

type Fault = Omit<Problem, 'place'> & { readonly line: number };

/** Levels of lists and objects that a line may have: more are a mistake or an attack on a reader's stack. */
export const deepestLine = 200;

/** The first line of a file that is no JSON object; undefined when every one is. Slow, so it is asked only when reading failed. */
export async function locateJsonFault(path: string): Promise<Fault | undefined> {
  let line = 0;
  for await (const { bytes } of linesOf(path, lineFeed)) {
    line++;
    if (!isUtf8(bytes)) return { code: 'not-utf-8', line, ...notUtf8(bytes) };
    if (bytes.includes(0)) return { code: 'nul-character', line, ...nulCharacter };
    if (bytes.length > longestLine) return { code: 'row-too-long', line, ...tooLong };
    const text = bytes.toString('utf8').replace(/^\ufeff/, '');
    if (text.trim() === '') continue;
    const fault = faultOf(text);
    if (fault !== undefined) return { ...fault, line };
  }
  return undefined;
}

function faultOf(text: string): Omit<Problem, 'place'> | undefined {
  if (depthOf(text) > deepestLine) {
    return {
      code: 'nested-too-deeply',
      message: 'a line is nested more deeply than may be read',
      expected: `at most ${deepestLine} levels`,
      fix: 'Keep nested values out of the table.',
    };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      code: 'not-json',
      message: 'a line is not JSON',
      found: `${excerpt(text, 60)} (${excerpt(error instanceof Error ? error.message : '', 80)})`,
      fix: 'Write one whole JSON object a line.',
    };
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
  return {
    code: 'not-an-object',
    message: 'a line is not a JSON object',
    found: excerpt(text, 60),
    fix: 'Write every row as an object: {"column": value}.',
  };
}

/** Levels of brackets outside of texts. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return most;
}

const tooLong: Omit<Problem, 'code'> = {
  message: 'a line is longer than 2 MB',
  expected: 'at most 2,000,000 bytes a line',
  fix: 'Keep long texts out of the table, or use Parquet.',
};
