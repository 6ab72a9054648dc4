import { describe, expect, it } from 'vitest';
import { PolicyError } from '../../core/problem/index.ts';
import { joniPattern } from './joni-pattern.ts';

/** JavaScript reads what is left of a pattern as Joni does, but for the anchors of the whole text. */
function matches(pattern: string, text: string): boolean {
  const translated = joniPattern(pattern)
    .replaceAll('\\A', '(?<![^])')
    .replaceAll('\\z', '(?![^])')
    // What JavaScript does not let stand after a backslash.
    .replace(/\\([ !"#%&',:;<=>@_`~-])/g, (_, character: string) => `\\x${character.charCodeAt(0).toString(16)}`);
  return new RegExp(translated, 'u').test(text);
}

describe('a pattern for Trino', () => {
  it('matches the whole text, and no line break that follows it', () => {
    expect(matches('a|b', 'b')).toBe(true);
    expect(matches('a|b', 'ab')).toBe(false);
    expect(matches('a$', 'a\n')).toBe(false);
  });

  it("keeps RE2's sets of ASCII", () => {
    expect(['ü', '٣', '\u00a0', 'é'].map((text) => matches('\\w|\\d|\\s|[[:alpha:]]', text))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(matches('[^\\W\\d]+', 'abc')).toBe(true);
    expect(matches('[^\\W\\d]+', 'ab1')).toBe(false);
    expect(matches('\\s', '\v')).toBe(false);
    expect(matches('[[:space:]]', '\v')).toBe(true);
  });

  it('takes no set apart', () => {
    expect(matches('[a&&b]+', 'a&b')).toBe(true);
    expect(matches('[[a]', '[')).toBe(true);
    expect(matches('[]a]+', ']a')).toBe(true);
    expect(matches('[^]a]', ']')).toBe(false);
    expect(matches('[a-]+', '-a')).toBe(true);
    expect(matches('[😀-😂]', '😁')).toBe(true);
  });

  it('lets the case of letters count where RE2 does', () => {
    expect(matches('(?i)ab|cd', 'CD')).toBe(true);
    expect(matches('(?i:a)b', 'Ab')).toBe(true);
    expect(matches('(?i:a)b', 'AB')).toBe(false);
    expect(matches('((?i)a)b', 'AB')).toBe(false);
    expect(matches('(?i)a(?-i)b', 'AB')).toBe(false);
    expect(matches('(?i)k', '\u212a')).toBe(true);
    expect(matches('(?i)ß', 'ss')).toBe(false);
    expect(matches('(?i)[^a]', 'A')).toBe(false);
    expect(matches('(?i)i', 'ı')).toBe(false);
  });

  it('reads dots, anchors and word boundaries as RE2 does', () => {
    expect(matches('.', '\n')).toBe(false);
    expect(matches('(?s).', '\n')).toBe(true);
    expect(matches('(?m)a$\\n^b', 'a\nb')).toBe(true);
    expect(matches('a\\bü', 'aü')).toBe(true);
    expect(matches('a\\B1', 'a1')).toBe(true);
  });

  it('reads escapes, quotes, names and repetitions', () => {
    expect(matches('\\x{1F600}\\x41\\101\\t', '😀AA\t')).toBe(true);
    expect(matches('\\Qa.b\\E+', 'a.bb')).toBe(true);
    expect(matches('(?P<year>\\d{4})-(?P<month>\\d{2,})', '2026-12')).toBe(true);
    expect(matches('a{,2}', 'a{,2}')).toBe(true);
    expect(matches('a{2}', 'aa')).toBe(true);
    expect(matches('(?U)a+?', 'aaa')).toBe(true);
    expect(matches('\\p{Lu}\\pL\\P{Lu}\\p{^Lu}', 'ΑaaA')).toBe(false);
  });

  it('refuses bytes', () => {
    expect(() => joniPattern('\\C')).toThrow(PolicyError);
  });
});
