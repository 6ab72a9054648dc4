import type { DataCheckOptions } from '../../../core/policy/index.ts';
import type { Demand } from '../planned-check.ts';
import { shareOfRows } from '../share-of-rows.ts';
import { ofRows, type Subject } from '../subject.ts';

/** Rows that repeat an earlier row in every column (missing values equal each other, as in pandas), as a share of all rows. */
export function duplicateRows(
  { max_share: most }: DataCheckOptions<'duplicate_rows'>,
  { table, where }: Subject,
): readonly Demand[] {
  return [
    shareOfRows(
      {
        name: 'duplicate_rows',
        title: 'duplicate rows',
        most,
        columns: table.columns,
        by: { kind: 'copies', columns: table.columns, of: 'repeats', ...ofRows(where) },
        none: 'repeats another',
        one: 'repeats an earlier one',
        many: 'repeat an earlier one',
      },
      { table, where },
    ),
  ];
}
