import type { Place } from '../../core/problem/index.ts';

/** Where the file has a key, by the keys that lead to it from some part of the file. Of one that is not there, where its parent is. */
export type PlaceBelow = (...keys: readonly (string | number)[]) => Place;

export function below(place: PlaceBelow, ...first: readonly (string | number)[]): PlaceBelow {
  return (...keys) => place(...first, ...keys);
}
