import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cell, cut, widthOf, wrap } from './cell.ts';

test('wide characters take two columns, a family of emoji two, a combining mark none', () => {
  expect(['日本', '👩‍👩‍👧', 'e\u0301', 'a'].map(widthOf)).toEqual([4, 2, 1, 1]);
});

test('a cell is exactly as wide as asked, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, width) => {
      expect(widthOf(cell(text, width))).toBe(width);
      expect(widthOf(cell(text, width, 'right'))).toBe(width);
    }),
  );
});

test('a cut never splits a character that is drawn as one', () => {
  expect(cut('日本語', 4)).toBe('日…');
  expect(cut('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 3)).toMatch(/…$/);
});

test('controls become visible instead of working', () => {
  expect(cut('\u001b[31mred\r\n', 40)).toBe('\\u{1b}[31mred\\u{d}\\u{a}');
});

test('wrapping keeps every word and no line is too long', () => {
  expect(wrap('one two  three', 8)).toEqual(['one two', 'three']);
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '日', '-'), minLength: 1, maxLength: 8 })), (words) => {
      const lines = wrap(words.join(' '), 20);
      expect(lines.join(' ')).toBe(words.join(' '));
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(20);
    }),
  );
});
