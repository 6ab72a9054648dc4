import { parseJson } from '../core/inference/index.ts';
import type { Feeds } from '../core/onnx/index.ts';
import type { Json } from './json-selection.ts';
import { frameOf } from './json-tensors.ts';

/** The feeds as CSV without a header (RFC 4180), one line a row: what SageMaker's own containers take. NaN is an empty cell. */
export function csvOf(feeds: Feeds): string {
  const lines = frameOf(feeds, 'strict').rows.map((cells) => cells.map(cellOf).join(','));
  return `${lines.join('\n')}\n`;
}

function cellOf(json: string): string {
  if (json === 'null') return '';
  const infinite = /^(-?)1e999$/.exec(json);
  if (infinite !== null) return `${infinite[1]}inf`;
  if (!json.startsWith('"')) return json;
  const text = String(JSON.parse(json));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const notFinite: ReadonlyMap<string, string> = new Map([
  ['', 'null'],
  ['nan', 'null'],
  ['inf', '1e999'],
  ['-inf', '-1e999'],
]);

/**
 * A CSV answer as JSON: one array a line, or one value a line when there is one column; a single line with as many cells as there were
 * rows (as XGBoost's container answers) is one value a row. Cells that read as numbers are numbers.
 */
export function readCsv(text: string, rows: number): Json {
  const table = recordsOf(text).map((cells) => cells.map(cellJson));
  const [first = []] = table;
  const single = table.length === 1 && rows > 1 && first.length === rows;
  const values = single
    ? first
    : table.every((cells) => cells.length === 1)
      ? table.map(([cell]) => cell ?? 'null')
      : table.map((cells) => `[${cells.join(',')}]`);
  return parseJson(Buffer.from(`[${values.join(',')}]`), 'answer');
}

function cellJson(cell: string): string {
  const trimmed = cell.trim();
  if (jsonNumber.test(trimmed)) return trimmed;
  return notFinite.get(trimmed.toLowerCase()) ?? JSON.stringify(cell);
}

function recordsOf(text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (cell.lastIndex < text.length) {
    const [whole, quoted, plain = '', end] = cell.exec(text) ?? [];
    // What is no CSV: the rest is one cell, which will fit no number.
    if (whole === undefined) return [...records, [...record, text]];
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') {
      // A comma at the very end begins one more, empty, cell.
      if (cell.lastIndex === text.length) record.push('');
      else continue;
    }
    records.push(record);
    record = [];
  }
  return records;
}
