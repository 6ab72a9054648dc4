import { PeerError, type Problem } from '../../core/problem/index.ts';

/** One of the entries of a list in an object, with its place there. */
export interface NamedEntry<Entry> {
  readonly index: number;
  readonly entry: Entry;
}

/** The one entry that is meant. Throws a PeerError with `refusal` of the names of all where there is none, or `several`. */
export function namedEntry<Entry extends { readonly name?: string }>(
  entries: readonly Entry[],
  isMeant: (entry: Entry) => boolean,
  refusal: (several: boolean, names: string) => Problem,
): NamedEntry<Entry> {
  const meant = entries.flatMap((entry, index) => (isMeant(entry) ? [{ index, entry }] : []));
  const [first] = meant;
  if (first !== undefined && meant.length === 1) return first;
  throw new PeerError(
    refusal(meant.length > 0, entries.map(({ name }, at) => name ?? `(unnamed, number ${at + 1})`).join(', ')),
  );
}
