import { isUtf8 } from 'node:buffer';
import type { Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { firstBytes } from './first-bytes.ts';

/** How a CSV file is written, read off its header. Quotes are always `"`, doubled inside a quoted value. */
export interface CsvDialect {
  readonly delimiter: ',' | ';' | '\t' | '|';
  readonly newline: '\n' | '\r\n' | '\r';
  readonly byteOrderMark: boolean;
}

export interface CsvHeader {
  readonly dialect: CsvDialect;
  readonly names: readonly string[];
}

const delimiters: readonly CsvDialect['delimiter'][] = [',', ';', '\t', '|'];
const longestHeader = 1 << 20;

/**
 * Reads the first record of a CSV file. The delimiter is whichever of comma, semicolon, tab and pipe the header has most of, so a
 * file is never split differently because of what a later row holds.
 */
export async function readCsvHeader(path: string): Promise<CsvHeader | Problem> {
  const bytes = await firstBytes(path, longestHeader);
  const byteOrderMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const content = byteOrderMark ? bytes.subarray(3) : bytes;
  const end = endOfRecord(content);
  const record = content.subarray(0, end ?? content.length);
  if (end === undefined && bytes.length === longestHeader) {
    return {
      code: 'header-too-long',
      message: 'the first line does not end within a megabyte',
      expected: 'a header row of column names',
      fix: 'Check that the file is CSV text and that every quote is closed.',
    };
  }
  if (!isUtf8(record)) {
    return { code: 'not-utf-8', message: 'line 1 is not UTF-8', fix: 'Save the file as UTF-8.' };
  }
  const text = record.toString('utf8');
  if (text.trim() === '') {
    return content.subarray(record.length).toString('latin1').trim() === ''
      ? {
          code: 'empty-file',
          message: 'the file is empty',
          found: 'no text',
          expected: 'a header row of column names',
          fix: 'Write the data to it.',
        }
      : {
          code: 'no-header',
          message: 'line 1 is empty',
          expected: 'a header row of column names',
          fix: 'Remove the empty lines above the header.',
        };
  }
  const dialect: CsvDialect = {
    delimiter: delimiterOf(text),
    newline: newlineAt(content, record.length),
    byteOrderMark,
  };
  const cells = splitRecord(text, dialect.delimiter);
  if (cells.every((cell) => cell.trim() === '' || Number.isFinite(Number(cell)))) {
    return {
      code: 'no-header',
      message: 'line 1 holds numbers only',
      found: excerpt(text, 60),
      expected: 'a header row of column names',
      fix: 'Add a first line that names the columns.',
    };
  }
  return { dialect, names: cells.map((cell, index) => (cell === '' ? `column${index}` : cell)) };
}

/** The offset of the line break that ends the first record. A quote opens a value only where one may begin. */
function endOfRecord(bytes: Buffer): number | undefined {
  let quoted = false;
  let start = true;
  for (const [index, byte] of bytes.entries()) {
    if (byte === 0x22 && (quoted || start)) quoted = !quoted;
    else if (!quoted && (byte === 0x0a || byte === 0x0d)) return index;
    // After the first half of a doubled quote the value is still open to its second half.
    start = byte === 0x22 ? start : byte === 0x20 ? start : delimiters.some((one) => one.charCodeAt(0) === byte);
  }
  return undefined;
}

function newlineAt(bytes: Buffer, offset: number): CsvDialect['newline'] {
  if (bytes[offset] === 0x0d) return bytes[offset + 1] === 0x0a ? '\r\n' : '\r';
  return '\n';
}

function delimiterOf(header: string): CsvDialect['delimiter'] {
  const bare = header.replace(/(^|[,;\t|]) *"(?:[^"]|"")*"/g, '$1');
  const counts = delimiters.map((delimiter) => bare.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ',';
}

/** The values of one record, quotes taken off. */
export function splitRecord(record: string, delimiter: string): readonly string[] {
  const cells: string[] = [];
  let rest = record;
  for (;;) {
    const quoted = /^ *"((?:[^"]|"")*)" */.exec(rest);
    const end = rest.indexOf(delimiter, quoted?.[0].length ?? 0);
    const whole = end === -1 ? rest : rest.slice(0, end);
    cells.push(quoted !== null && quoted[0].length === whole.length ? (quoted[1] ?? '').replaceAll('""', '"') : whole);
    if (end === -1) return cells;
    rest = rest.slice(end + 1);
  }
}
