import { distance } from 'fastest-levenshtein';

/** Nobody types longer names by hand, and comparing two of them takes the product of their lengths. */
const longest = 200;

/**
 * The known names that `name` was probably meant to be: those the fewest edits away, in their order; empty when none is near. Case,
 * `-`, `_`, `.` and spaces don't count; a third of the letters may be wrong (at least one). An edit is a letter too many,
 * too few or wrong, or two neighbours that changed places.
 */
export function nearestNames(name: string, known: Iterable<string>): readonly string[] {
  const wanted = bareName(name);
  if (wanted === '' || wanted.length > longest) return [];
  let least = Math.max(1, Math.floor(wanted.length / 3));
  let nearest: string[] = [];
  for (const candidate of known) {
    const edits = editsBetween(wanted, bareName(candidate), least);
    if (edits > least) continue;
    if (edits < least) nearest = [];
    least = edits;
    nearest.push(candidate);
  }
  return nearest;
}

/** The first of `nearestNames`. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  return nearestNames(name, known)[0];
}

/** The one known name that is `name` but for case, `-`, `_`, `.` and spaces; `undefined` when several are. */
export function sameName(name: string, known: Iterable<string>): string | undefined {
  const wanted = bareName(name);
  const alike = Array.from(known).filter((candidate) => bareName(candidate) === wanted);
  return alike.length === 1 ? alike[0] : undefined;
}

/** A name without what people and tools write differently: case, `-`, `_`, `.` and spaces. */
export function bareName(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

/** Edits from one text to the other where that is at most `allowed`, else a number above it. */
function editsBetween(text: string, other: string, allowed: number): number {
  const tooMany = allowed + 1;
  if (Math.abs(text.length - other.length) > allowed) return tooMany;
  // Quick, and counts a swap as two: what is more than twice as far is too far.
  const withoutSwaps = distance(text, other);
  return withoutSwaps <= 1 || withoutSwaps > 2 * allowed ? withoutSwaps : alignment(text, other);
}

/** Damerau's distance in the form of optimal string alignment: swapped neighbours are one edit and are not edited again. */
function alignment(text: string, other: string): number {
  let twoBack: readonly number[] = [];
  let back: readonly number[] = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= text.length; row++) {
    const now: number[] = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = at(back, column - 1) + (text[row - 1] === other[column - 1] ? 0 : 1);
      const swapped =
        row > 1 && column > 1 && text[row - 1] === other[column - 2] && text[row - 2] === other[column - 1]
          ? at(twoBack, column - 2) + 1
          : Number.POSITIVE_INFINITY;
      now.push(Math.min(replaced, swapped, at(back, column) + 1, at(now, column - 1) + 1));
    }
    [twoBack, back] = [back, now];
  }
  return at(back, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
