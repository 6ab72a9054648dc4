import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesSegments, segmentExpression } from './file-pattern.ts';

describe('a segment of a pattern', () => {
  it.each([
    ['*.csv', 'a.csv', true],
    ['*.csv', 'acsv', false],
    ['*.csv', '.a.csv', false],
    ['_*', '_SUCCESS', true],
    ['part-?.csv', 'part-1.csv', true],
    ['part-?.csv', 'part-12.csv', false],
    ['[a-c].csv', 'b.csv', true],
    ['[!a-c].csv', 'b.csv', false],
    ['[c-a].csv', 'b.csv', false],
    ['a+(b).csv', 'a+(b).csv', true],
  ])('%s beside %s: %s', (pattern, name, matches) => {
    expect(segmentExpression(pattern).test(name)).toBe(matches);
  });

  it('is an expression whatever it holds, and a name without wildcards matches itself alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (pattern, other) => {
        const matcher = segmentExpression(pattern);
        if (/[*?[/]/.test(pattern)) return;
        expect(matcher.test(pattern)).toBe(true);
        expect(matcher.test(other)).toBe(other === pattern);
      }),
    );
  });
});

it('a pattern with ** goes through any number of folders, in time that is linear in their number', () => {
  expect(matchesSegments(['a', 'b', 'c.csv'], ['**', '*.csv'])).toBe(true);
  expect(matchesSegments(['c.csv'], ['**', '*.csv'])).toBe(true);
  expect(matchesSegments(['a', 'c.txt'], ['**', '*.csv'])).toBe(false);
  const deep = Array.from({ length: 2000 }, () => 'a');
  expect(matchesSegments(deep, [...Array.from({ length: 60 }, () => '**'), 'b'])).toBe(false);
});
