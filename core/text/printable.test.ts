import { describe, expect, it } from 'vitest';
import { excerpt, printable } from './printable.ts';

describe('printable', () => {
  it.each([
    ['a terminal escape', '\u001b[31m', '\\u{1b}[31m'],
    ['a line break', 'a\r\n::error::b', 'a\\u{d}\\u{a}::error::b'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['a bidirectional override', '\u202egnp', '\\u{202e}gnp'],
    ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
    ['a letter that looks like nothing', 'a\u3164b\uffa0', 'a\\u{3164}b\\u{ffa0}'],
    ['a joiner that looks like nothing', 'a\u034fb', 'a\\u{34f}b'],
    ['a variation selector of the supplement', 'a\u{e0101}', 'a\\u{e0101}'],
    ['a tag', '\u{e0041}', '\\u{e0041}'],
    ['half of a surrogate pair', 'x\ud800y', 'x\\u{d800}y'],
  ])('shows %s as its number', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('leaves what is to be read as it is', () => {
    const text = 'naïve “quotes” 日本 ع 😀 👩‍🚀'.replace('\u200d', '');
    expect(printable(text)).toBe(text);
  });

  it('is cut by characters, never inside of one', () => {
    expect(excerpt('😀😀😀', 2)).toBe('😀…');
  });
});
