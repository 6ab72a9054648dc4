import type { Table } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import type { CopiesMeasure } from '../measure.ts';
import type { Demand } from '../planned-check.ts';
import { counted, demanded, grouped, percent } from '../wording.ts';

/** Rows that repeat an earlier row in every column (missing values equal each other, as in pandas), as a share of all rows. */
export function duplicateRows(
  { max_share: most }: DataCheckOptions<'duplicate_rows'>,
  table: Table,
): readonly Demand[] {
  const measure: CopiesMeasure = { kind: 'copies', columns: table.columns, of: 'repeats' };
  const bound = { kind: 'max', value: most } as const;
  return [
    {
      name: 'duplicate_rows',
      title: `duplicate rows ≤ ${demanded(most)}`,
      unit: 'share',
      needs: [measure],
      judge: (measurements) => {
        if (table.rows === 0) {
          const message = 'The file has no rows, and no rows prove nothing. Check what writes it.';
          return { outcome: 'unjudged', message, bound };
        }
        const total = measurements.count(measure);
        const share = total / table.rows;
        return {
          outcome: share <= most ? 'holds' : 'broken',
          message:
            total === 0
              ? `None of ${counted(table.rows, 'row')} repeats another.`
              : `${grouped(total)} of ${counted(table.rows, 'row')} ${total === 1 ? 'repeats' : 'repeat'} an earlier one (${percent(share)}); at most ${demanded(most)} may.`,
          observed: share,
          bound,
          rows: table.rows,
          ...(total === 0 ? {} : { failing: { total, columns: table.columns, by: measure } }),
        };
      },
    },
  ];
}
