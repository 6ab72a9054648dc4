import { isDeepStrictEqual } from 'node:util';

/** An entry of the base's list and the one of the head's list that takes its place; either may be absent. */
export interface Pair<Value> {
  readonly base?: Entry<Value>;
  readonly head?: Entry<Value>;
}

interface Entry<Value> {
  readonly value: Value;
  /** In its own list. */
  readonly index: number;
}

/**
 * Matches two lists by `identity`: the base's entries in their order, each with its match, then the head's own. Of several
 * with one identity, equal ones match first, then those that are `alike`, then the rest in order.
 */
export function pairUp<Value>(
  base: readonly Value[],
  head: readonly Value[],
  identity: (value: Value) => string,
  alike: (base: Value, head: Value) => boolean = () => true,
): readonly Pair<Value>[] {
  const free = new Map<string, Entry<Value>[]>();
  for (const [index, value] of head.entries()) {
    const key = identity(value);
    free.set(key, [...(free.get(key) ?? []), { value, index }]);
  }
  const matches = new Map<number, Entry<Value>>();
  for (const fits of [isDeepStrictEqual, alike, () => true]) {
    for (const [index, value] of base.entries()) {
      if (matches.has(index)) continue;
      const candidates = free.get(identity(value)) ?? [];
      const at = candidates.findIndex((candidate) => fits(value, candidate.value));
      const [match] = at === -1 ? [] : candidates.splice(at, 1);
      if (match !== undefined) matches.set(index, match);
    }
  }
  const rest = [...free.values()].flat().sort((one, other) => one.index - other.index);
  return [
    ...base.map((value, index): Pair<Value> => {
      const match = matches.get(index);
      return { base: { value, index }, ...(match === undefined ? {} : { head: match }) };
    }),
    ...rest.map((entry): Pair<Value> => ({ head: entry })),
  ];
}
