import { type Merge, oneSided } from './merge.ts';
import { pairUp } from './pair-up.ts';

/**
 * Lists of entries with names: what the head leaves out stays, what it adds is added, and of an entry that both have `mergeOf` says how the two
 * become one. What the head alone has and `waits` is left out until the merge.
 */
export function mergeByName<Entry extends { readonly name: string }>(
  mergeOf: (base: Entry | undefined, head: Entry | undefined) => Merge<Entry>,
  waits: (entry: Entry) => boolean = () => false,
): Merge<Entry[]> {
  return (base, head, at) => {
    if (head === undefined || (base === undefined && !head.some(waits))) return oneSided(base, head, at);
    const merged: Entry[] = [];
    for (const [index, pair] of pairUp(base ?? [], head, ({ name }) => name).entries()) {
      const [ofBase, ofHead] = [pair.base?.value, pair.head?.value];
      const held = ofBase === undefined && ofHead !== undefined && waits(ofHead);
      const spot = at.entry({
        suffix: `[${(ofBase ?? ofHead)?.name ?? ''}]`,
        // What waits is no entry of the effective list, so its number there is past the end.
        effective: held ? (base ?? []).length + head.length + index : merged.length,
        base: pair.base?.index,
        head: pair.head?.index,
      });
      if (held) spot.differs(undefined, ofHead, 'base');
      else {
        const entry = mergeOf(ofBase, ofHead)(ofBase, ofHead, spot);
        if (entry !== undefined) merged.push(entry);
      }
    }
    return merged.length === 0 ? undefined : merged;
  };
}
