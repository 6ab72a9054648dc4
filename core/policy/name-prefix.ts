import { bareName } from '../text/index.ts';

/** The known name that `name` begins with: `minimum` for `min`, `warning` for `warn`. A weaker guess than `nearestName`. */
export function namePrefixOf(name: string, known: Iterable<string>): string | undefined {
  const bare = bareName(name.slice(0, 100));
  for (const candidate of known) {
    if (candidate.length >= 3 && bare.startsWith(bareName(candidate))) return candidate;
  }
  return undefined;
}
