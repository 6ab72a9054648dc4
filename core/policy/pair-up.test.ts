import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairUp } from './pair-up.ts';

const firstLetter = (word: string) => word.charAt(0);
const shown = (base: readonly string[], head: readonly string[], alike?: (one: string, other: string) => boolean) =>
  pairUp(base, head, firstLetter, alike).map((pair) => `${pair.base?.value ?? '-'}:${pair.head?.value ?? '-'}`);

describe('pairUp', () => {
  it("matches by identity, in the order of the base, and puts the head's own last", () => {
    expect(shown(['a1', 'b1', 'c1'], ['d2', 'c2', 'a2'])).toEqual(['a1:a2', 'b1:-', 'c1:c2', '-:d2']);
  });

  it('of several matches equal ones first, then those alike', () => {
    expect(shown(['a1', 'a2'], ['a2', 'a3'])).toEqual(['a1:a3', 'a2:a2']);
    expect(shown(['a1', 'a2+'], ['a3+', 'a4'], (one, other) => one.length === other.length)).toEqual([
      'a1:a4',
      'a2+:a3+',
    ]);
  });

  it('uses every entry of both lists exactly once', () => {
    const words = fc.array(fc.constantFrom('a1', 'a2', 'b1', 'b2', 'c1'));
    fc.assert(
      fc.property(words, words, (base, head) => {
        const pairs = pairUp(base, head, firstLetter);
        const indices = (side: 'base' | 'head') =>
          pairs.flatMap((pair) => pair[side]?.index ?? []).sort((a, b) => a - b);
        expect(indices('base')).toEqual([...base.keys()]);
        expect(indices('head')).toEqual([...head.keys()]);
      }),
    );
  });
});
