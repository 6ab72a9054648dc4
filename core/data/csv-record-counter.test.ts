import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvDialect } from './csv-header.ts';
import { CsvRecordCounter } from './csv-record-counter.ts';

const dialect: CsvDialect = { delimiter: ',', newline: '\n', byteOrderMark: false };

function count(bytes: Buffer, cuts: readonly number[], newline: CsvDialect['newline'] = '\n') {
  const counter = new CsvRecordCounter({ ...dialect, newline });
  const edges = [0, ...[...cuts].sort((one, other) => one - other), bytes.length];
  for (const [index, edge] of edges.slice(1).entries()) counter.push(bytes.subarray(edges[index], edge));
  return counter.end();
}

describe('CsvRecordCounter', () => {
  it('counts the records that were written, however the bytes are cut', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é', '😀'), maxLength: 6 });
    const bare = fc
      .string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), minLength: 1, maxLength: 4 })
      .map((text) => `x${text}`);
    const written = fc.oneof(
      bare,
      cell.map((text) => `"${text.replaceAll('"', '""')}"`),
      bare.map((text) => `${text}"q`),
    );
    const rows = fc.array(fc.array(written, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        rows,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        fc.array(fc.nat(200), { maxLength: 6 }),
        (table, newline, ended, cuts) => {
          const text = table.map((row) => row.join(',')).join(newline) + (ended ? newline : '');
          const bytes = Buffer.from(text);
          expect(
            count(
              bytes,
              cuts.map((cut) => Math.min(cut, bytes.length)),
              newline,
            ),
          ).toEqual({ records: table.length, blanks: 0, isText: true });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('counts lines without a byte apart', () => {
    for (const newline of ['\n', '\r\n'] as const) {
      const bytes = Buffer.from(['a', '', '1', '', ''].join(newline));
      for (let cut = 0; cut <= bytes.length; cut++) {
        expect(count(bytes, [cut], newline)).toEqual({ records: 2, blanks: 2, isText: true });
      }
    }
  });

  it('sees bytes that are not UTF-8, also where chunks meet or the file ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (array, cut) => {
        const bytes = Buffer.from(array);
        // A NUL is UTF-8, and no text.
        const right = Buffer.from(bytes.toString('utf8')).equals(bytes) && !bytes.includes(0);
        expect(count(bytes, [Math.min(cut, bytes.length)]).isText).toBe(right);
      }),
    );
    for (const text of ['é', '中', '😀']) {
      const bytes = Buffer.from(text);
      for (let cut = 1; cut < bytes.length; cut++) {
        expect(count(bytes, [cut]).isText).toBe(true);
        expect(count(bytes.subarray(0, cut), []).isText).toBe(false);
      }
    }
  });
});
