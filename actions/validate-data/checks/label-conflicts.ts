import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { allColumns } from '../column-of.ts';
import type { Demand } from '../planned-check.ts';
import { shareOfRows } from '../share-of-rows.ts';
import { ofRows, type Subject } from '../subject.ts';

/** Rows that another row equals in the features and not in the label: no model can be right on all of them. Every such row counts. */
export function labelConflicts(options: DataCheckOptions<'label_conflicts'>, subject: Subject): readonly Demand[] {
  const { label: named, max_share: most } = options;
  const { table, where } = subject;
  const names = options.features ?? table.columns.map(({ name }) => name).filter((name) => name !== named);
  return allColumns('label_conflicts', [named, ...names], table, ([label, ...features]) => {
    if (label === undefined) throw new RangeError('label conflicts without a label');
    return shareOfRows(
      {
        name: `label_conflicts[${excerpt(named)}]`,
        title: `alike rows with another ${excerpt(named, 60)}`,
        most,
        columns: [label, ...features],
        by: { kind: 'conflicts', features, label, ...ofRows(where) },
        none: `has a twin with another label`,
        one: 'has a twin with another label',
        many: 'have a twin with another label',
      },
      subject,
    );
  });
}
