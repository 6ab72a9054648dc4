import { distance } from 'fastest-levenshtein';

/**
 * The known name that `name` was probably meant to be, or `undefined`. Case, `-`, `_` and spaces don't count; a third of
 * the letters may be wrong. Ties go to the earlier name.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  const wanted = bare(name);
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  let nearest: string | undefined;
  let least = allowed + 1;
  for (const candidate of known) {
    const steps = distance(wanted, bare(candidate));
    if (steps < least) [nearest, least] = [candidate, steps];
  }
  return nearest;
}

/** The known name that `name` begins with: `minimum` for `min`, `warning` for `warn`. Weaker than `nearestName`. */
export function namePrefixOf(name: string, known: Iterable<string>): string | undefined {
  for (const candidate of known) {
    if (candidate.length >= 3 && bare(name).startsWith(bare(candidate))) return candidate;
  }
  return undefined;
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}
