import { type ComparedColumn, titleOf, type UnmeasuredColumn } from '../../core/drift/index.ts';
import { type DriftPolicy, driftBoundsOf, type EffectivePolicy } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** Columns that a measure names and the check does not compare: what they ask would never be judged. */
export function unmeasured(
  drift: DriftPolicy,
  compared: readonly ComparedColumn[],
  policy: EffectivePolicy,
): readonly Check[] {
  const known = new Set(compared.map(({ name }) => name));
  return driftBoundsOf(drift).flatMap(([measure, { columns }]) =>
    (Array.isArray(columns) ? columns : [])
      .filter((name) => !known.has(name))
      .map((name) =>
        leftCheck({
          name,
          role: 'feature',
          status: 'error',
          why: 'it is not among the compared columns. Correct the name, or add it to "columns"',
          place: policy.placeOf(['drift', measure, 'columns']),
          measure,
        }),
      ),
  );
}

/** The check of a column that was not compared, or not by one measure. */
export function leftCheck(column: UnmeasuredColumn): Check {
  const { measure } = column;
  const role = column.role === 'feature' ? '' : `${column.role}/`;
  return {
    id: `drift/${role}${measure ?? 'column'}[${excerpt(column.name)}]`,
    title: `${titleOf(column)}${measure === undefined ? '' : ` ${measure}`}`,
    section: 'drift',
    status: column.status,
    message: `Not compared: ${column.why}.`.replace(/\.\.$/, '.').replace(/\?\.$/, '?'),
    place: column.place,
  };
}
