import { isDeepStrictEqual } from 'node:util';
import { type Merge, oneSided } from './merge.ts';
import { isCondition, type SliceDeclaration } from './slice-schema.ts';

type Slices = SliceDeclaration[];

/**
 * The slices of both: none can be taken away, new ones are judged beside the base's. Where the head gives a condition of the base's
 * another meaning, the base's counts until the merge.
 */
export const mergeSlices: Merge<Slices> = (base, head, at) => {
  if (base === undefined || head === undefined) return oneSided(base, head, at);
  const places = (all: Slices, slice: SliceDeclaration) => all.findIndex((known) => isDeepStrictEqual(known, slice));
  const named = (all: Slices, slice: SliceDeclaration) =>
    isCondition(slice) ? all.findIndex((known) => isCondition(known) && known.name === slice.name) : -1;
  const added = head.filter((slice) => places(base, slice) === -1 && named(base, slice) === -1);
  return [...base, ...added].map((slice, effective) => {
    const inBase = places(base, slice);
    const inHead = Math.max(places(head, slice), named(head, slice));
    const spot = at.entry({
      suffix: `[${labelOf(slice)}]`,
      effective,
      base: inBase === -1 ? undefined : inBase,
      head: inHead === -1 ? undefined : inHead,
    });
    const other = head[inHead];
    if (inBase === -1) spot.differs(undefined, slice, 'head');
    else if (other === undefined || !isDeepStrictEqual(other, slice)) spot.differs(slice, other, 'base');
    return slice;
  });
};

/** `country`, `age`, `country × age`, `young_kr`: what a report calls a declaration. */
function labelOf(slice: SliceDeclaration): string {
  if (typeof slice === 'string') return slice;
  if (Array.isArray(slice)) return slice.map((cut) => labelOf(cut)).join(' × ');
  return isCondition(slice) ? slice.name : Object.keys(slice).join(', ');
}
