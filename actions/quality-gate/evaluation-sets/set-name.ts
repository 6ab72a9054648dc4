import type { Check, Figure } from '../../../core/report/index.ts';

/**
 * How the checks of a set of rows are told apart: `gate[edge]/recall/min`; on the rows as the base commit has them `gate[@base]/recall/min` and
 * `gate[edge@base]/recall/min`. A waiver of the plain id covers the base's rows too (`core/policy/waivers.ts`).
 */
export interface SetName {
  /** Empty of the rows of `evaluation.source`. */
  readonly name: string;
  readonly ofBase: boolean;
}

export const evaluationRowsName: SetName = { name: '', ofBase: false };

/** The same findings under the name of their set. */
export function named<Found extends { readonly checks: readonly Check[]; readonly figures?: readonly Figure[] }>(
  set: SetName,
  found: Found,
): Found {
  const id = `${set.name}${set.ofBase ? '@base' : ''}`;
  if (id === '') return found;
  const words = wordsOf(set);
  return {
    ...found,
    checks: found.checks.map((check) => ({
      ...check,
      id: check.id.replace(/^gate\//, `gate[${id}]/`),
      title: `${words}: ${check.title}`,
    })),
    ...(found.figures === undefined
      ? {}
      : {
          figures: found.figures.map((figure) => ({
            ...figure,
            id: `${id}/${figure.id}`,
            title: `${words}: ${figure.title}`,
          })),
        }),
  };
}

/** What people read: `edge`, `base’s rows`, `base’s edge`. */
function wordsOf({ name, ofBase }: SetName): string {
  return ofBase ? `base’s ${name === '' ? 'rows' : name}` : name;
}
