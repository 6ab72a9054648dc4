import { type Merge, oneSided } from './merge.ts';
import { pairUp } from './pair-up.ts';

/**
 * Lists of entries with names: what the head leaves out stays, what it adds is added, and of an entry that both have `mergeOf` says how the two
 * become one.
 */
export function mergeByName<Entry extends { readonly name: string }>(
  mergeOf: (base: Entry | undefined, head: Entry | undefined) => Merge<Entry>,
): Merge<Entry[]> {
  return (base, head, at) => {
    if (base === undefined || head === undefined) return oneSided(base, head, at);
    return pairUp(base, head, ({ name }) => name).flatMap((pair, effective) => {
      const [ofBase, ofHead] = [pair.base?.value, pair.head?.value];
      const suffix = `[${(ofBase ?? ofHead)?.name ?? ''}]`;
      const spot = at.entry({ suffix, effective, base: pair.base?.index, head: pair.head?.index });
      const merged = mergeOf(ofBase, ofHead)(ofBase, ofHead, spot);
      return merged === undefined ? [] : [merged];
    });
  };
}
