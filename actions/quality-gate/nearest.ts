import { distance } from 'fastest-levenshtein';

/** The known name that `name` was probably meant to be; case, `-`, `_`, `.` and spaces don't count. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const wanted = bare(name);
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const steps = stepsBetween(wanted, bare(candidate));
    if (steps < least) [nearest, least] = [candidate, steps];
  }
  return nearest;
}

/** The one known name that is `name` once spelling that exporters change (spaces, dots, case) is put aside. */
export function sameBut(name: string, known: readonly string[]): string | undefined {
  const alike = known.filter((candidate) => bare(candidate) === bare(name));
  return alike.length === 1 ? alike[0] : undefined;
}

function bare(name: string): string {
  return name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[-_. ]/g, '');
}

/** Edits from one name to another, two neighbouring letters that changed places (`lable`) as one. */
function stepsBetween(name: string, other: string): number {
  const steps = distance(name, other);
  if (steps !== 2 || name.length !== other.length) return steps;
  const at = Array.from(name).findIndex((letter, index) => letter !== other[index]);
  return name[at] === other[at + 1] && name[at + 1] === other[at] ? 1 : 2;
}
