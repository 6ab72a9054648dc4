import { isUtf8 } from 'node:buffer';
import type { Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { CsvHeader } from './csv-header.ts';
import { lineFeed, linesOf, longestLine } from './lines-of.ts';

const quote = 0x22;
const space = 0x20;
const carriageReturn = 0x0d;

type Fault = Omit<Problem, 'place'> & { readonly line: number };

/**
 * The first place where a CSV file breaks its own form, found byte by byte; undefined when its form is right. Slow, so it is asked only
 * when reading failed. Lines are those an editor shows, also when values hold line breaks.
 */
export async function locateCsvFault(path: string, header: CsvHeader): Promise<Fault | undefined> {
  const { delimiter, newline, byteOrderMark } = header.dialect;
  const delimiterByte = delimiter.charCodeAt(0);
  const expected = header.names.length;
  let line = 0;
  let state: 'start' | 'bare' | 'quoted' | 'closed' = 'start';
  let fields = 1;
  let recordLine = 1;
  let quoteLine = 1;
  let recordLength = 0;
  // Only sometimes what made reading fail: any other fault is told first.
  let mixed: Fault | undefined;

  for await (const { bytes, ended } of linesOf(path, newline === '\r' ? carriageReturn : lineFeed)) {
    line++;
    if (!isUtf8(bytes)) return { code: 'not-utf-8', line, ...notUtf8(bytes) };
    if (bytes.includes(0)) return { code: 'nul-character', line, ...nulCharacter };
    recordLength += bytes.length + 1;
    if (recordLength > longestLine) return { code: 'row-too-long', line: recordLine, ...tooLong };
    let end = bytes.length;
    if (newline === '\r\n' && ended && bytes[end - 1] === carriageReturn) end--;
    const begin = line === 1 && byteOrderMark ? 3 : 0;
    if (begin === end && state === 'start' && fields === 1) {
      recordLine = line + 1;
      recordLength = 0;
      continue;
    }
    for (let index = begin; index < end; index++) {
      const byte = bytes[index];
      if (state === 'quoted') {
        if (byte === quote) state = 'closed';
      } else if (byte === delimiterByte) {
        fields++;
        state = 'start';
      } else if (byte === quote && state !== 'bare') {
        // After a quote that closed: the second half of a doubled one, which is the quote itself.
        if (state === 'closed' && bytes[index - 1] !== quote) return { code: 'stray-quote', line, ...strayQuote };
        if (state === 'start') quoteLine = line;
        state = 'quoted';
      } else if (state === 'closed') {
        if (byte !== space) return { code: 'stray-quote', line, ...strayQuote };
      } else if (byte === carriageReturn || byte === lineFeed) {
        mixed ??= { code: 'mixed-newlines', line, ...mixedNewlines(newline) };
      } else if (byte !== space) state = 'bare';
    }
    if (state === 'quoted') continue;
    if (newline === '\r\n' && ended && end === bytes.length) {
      mixed ??= { code: 'mixed-newlines', line, ...mixedNewlines(newline) };
    }
    if (fields !== expected) return { code: 'ragged-row', line: recordLine, ...ragged(fields, expected, delimiter) };
    state = 'start';
    fields = 1;
    recordLine = line + 1;
    recordLength = 0;
  }
  return state === 'quoted' ? { code: 'unclosed-quote', line: quoteLine, ...unclosedQuote } : mixed;
}

export const spoken: Readonly<Record<string, string>> = {
  '\n': 'LF',
  '\r\n': 'CRLF',
  '\r': 'CR',
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'pipe',
};

function ragged(found: number, expected: number, delimiter: string): Omit<Problem, 'code'> {
  return {
    message: 'a row does not have as many values as the header has columns',
    found: `${found} value${found === 1 ? '' : 's'}`,
    expected: `${expected}, separated by ${spoken[delimiter]}s`,
    fix: `Complete the row, or put quotes around a value that holds a ${spoken[delimiter]}.`,
  };
}

export function notUtf8(bytes: Buffer): Omit<Problem, 'code'> {
  const bad = bytes.findIndex(
    (byte, index) => byte >= 0x80 && !isUtf8(bytes.subarray(0, index + 1)) && !isUtf8(bytes.subarray(0, index + 4)),
  );
  const byte = bytes[bad === -1 ? bytes.findIndex((one) => one >= 0x80) : bad] ?? 0;
  return {
    message: 'a line is not UTF-8',
    found: `byte 0x${byte.toString(16)} in "${excerpt(bytes.toString('latin1'), 40)}"`,
    fix: 'Save the file as UTF-8.',
  };
}

function mixedNewlines(newline: string): Omit<Problem, 'code'> {
  return {
    message: 'a line does not end as the first line does',
    expected: `${spoken[newline]} at the end of every line`,
    fix: 'Write the file with one kind of line ending.',
  };
}

export const nulCharacter: Omit<Problem, 'code'> = {
  message: 'a line holds a NUL character',
  expected: 'text',
  fix: 'Write the file again without it: another encoding or binary data got into it.',
};

const strayQuote: Omit<Problem, 'code'> = {
  message: 'a quoted value goes on after its closing quote',
  expected: 'a quote inside a quoted value to be doubled ("")',
  fix: 'Double the quotes that belong to the value.',
};

const unclosedQuote: Omit<Problem, 'code'> = {
  message: 'a quote that opens a value is never closed',
  fix: 'Close it, or double it and quote the whole value when it belongs to the value.',
};

const tooLong: Omit<Problem, 'code'> = {
  message: 'a row is longer than 2 MB',
  expected: 'at most 2,000,000 bytes a row',
  fix: 'Check for a quote that is not closed; keep long texts out of the table, or use Parquet.',
};
