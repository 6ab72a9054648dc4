import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { partsProgram } from './parts-program.ts';

let folder: string;
let partsOf: (document: string, size: number, overlap: number) => readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-parts-'));
  const file = join(folder, 'parts.mjs');
  await writeFile(file, partsProgram);
  ({ partsOf } = (await import(pathToFileURL(file).href)) as { partsOf: typeof partsOf });
});

afterAll(() => rm(folder, { recursive: true }));

const withoutSpaces = (text: string): string => text.replaceAll(/\s/gu, '');

describe('the parts of a document', () => {
  test('are paragraphs together, while they fit', () => {
    expect(partsOf('# Leave\n\nThirty days.\n\n\nAsk early.\n', 25, 0)).toEqual([
      '# Leave\n\nThirty days.',
      'Ask early.',
    ]);
  });

  test('divide a long paragraph by its sentences, and a long sentence by its characters', () => {
    expect(partsOf('One is here. Two is there. Three.', 14, 0)).toEqual(['One is here.', 'Two is there.', 'Three.']);
    expect(partsOf('abcdefghij', 4, 0)).toEqual(['abcd', 'efgh', 'ij']);
  });

  test('begin with the last words of the part before', () => {
    expect(partsOf('Leave is thirty days a year.\n\nAsk your manager.', 34, 12)).toEqual([
      'Leave is thirty days a year.',
      'days a year.\n\nAsk your manager.',
    ]);
  });

  test('of an empty document are none', () => {
    expect(partsOf(' \n\n\t', 100, 10)).toEqual([]);
  });

  test('hold everything, in order, within the size and without a broken character', () => {
    const paragraph = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc
        .array(fc.constantFrom('days', 'leave.', '😀😀', 'a', '\n', '\n\n', '\r\n', ' ', 'é', '!'), { maxLength: 60 })
        .map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(
        fc.array(paragraph, { maxLength: 8 }),
        fc.integer({ min: 2, max: 80 }),
        fc.nat(40),
        (all, size, overlap) => {
          const text = all.join('\n\n').replaceAll(/\p{Surrogate}/gu, '');
          const parts = partsOf(text, size, 0);
          const plain = text.normalize('NFC').replaceAll('\0', '');
          expect(withoutSpaces(parts.join(''))).toBe(withoutSpaces(plain));
          const overlapping = partsOf(text, size, Math.min(overlap, size - 1));
          for (const part of [...parts, ...overlapping]) {
            expect(part.length).toBeLessThanOrEqual(size);
            expect(part).not.toMatch(/\p{Surrogate}/u);
            expect(part.trim()).not.toBe('');
          }
          expect(partsOf(text, size, 0)).toEqual(parts);
        },
      ),
    );
  });
});
