import type { CsvDialect } from './csv-header.ts';
import { TextWatch } from './text-watch.ts';

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;

/**
 * Counts the records of a CSV file while its bytes are hashed, and watches that they are UTF-8. DuckDB's parallel reader can lose a row
 * that does not fit its types (1.5.5, a file with line breaks inside quotes), so its row count is held against this one.
 */
export class CsvRecordCounter {
  readonly #delimiter: number;
  /** The byte that ends a record: the last of the newline. */
  readonly #end: number;
  #records = 0;
  #blanks = 0;
  readonly #text = new TextWatch();
  #state: 'start' | 'bare' | 'quoted' | 'closed' = 'start';
  /** Whether the record that is being read has any byte. */
  #empty = true;

  constructor(dialect: CsvDialect) {
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#end = dialect.newline === '\r' ? carriageReturn : lineFeed;
  }

  push(chunk: Buffer): void {
    this.#text.push(chunk);
    if (this.#state !== 'quoted' && this.#state !== 'closed' && !chunk.includes(quote)) this.#countLines(chunk);
    else this.#countRecords(chunk);
  }

  /** Records with a value, records without any byte, and whether every byte so far was UTF-8. The header is a record. */
  end(): { readonly records: number; readonly blanks: number; readonly isText: boolean } {
    const records = this.#records + (this.#empty ? 0 : 1);
    return { records, blanks: this.#blanks, isText: this.#text.holds };
  }

  #close(): void {
    if (this.#empty) this.#blanks++;
    else this.#records++;
    this.#empty = true;
    this.#state = 'start';
  }

  /** No quote in sight: every newline ends a record, and the search for it is the machine's fastest. */
  #countLines(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(this.#end, from);
      if (end === -1) break;
      if (end > from && !(end === from + 1 && chunk[from] === carriageReturn)) this.#empty = false;
      this.#close();
      from = end + 1;
    }
    if (from < chunk.length) {
      if (!(from === chunk.length - 1 && chunk[from] === carriageReturn)) this.#empty = false;
      this.#rest(chunk, from);
    }
  }

  /** What the record that `chunk` leaves unfinished may go on with: a quote opens a value only at its start, spaces aside. */
  #rest(chunk: Buffer, from: number): void {
    let last = chunk.length - 1;
    while (last >= from && chunk[last] === space) last--;
    if (last >= from) this.#state = chunk[last] === this.#delimiter ? 'start' : 'bare';
  }

  #countRecords(chunk: Buffer): void {
    let state = this.#state;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index];
      if (state === 'quoted') {
        if (byte === quote) state = 'closed';
        continue;
      }
      if (byte === this.#end) {
        this.#close();
        state = 'start';
        continue;
      }
      if (byte === carriageReturn) continue;
      this.#empty = false;
      if (byte === this.#delimiter) state = 'start';
      else if (byte === quote && (state === 'start' || state === 'closed')) state = 'quoted';
      else if (state === 'start' && byte !== space) state = 'bare';
    }
    this.#state = state;
  }
}
