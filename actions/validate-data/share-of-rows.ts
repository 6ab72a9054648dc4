import type { Column } from '../../core/data/index.ts';
import type { BesideCondition, ConflictsMeasure, CopiesMeasure, CountMeasure } from './measure.ts';
import type { Demand } from './planned-check.ts';
import { ofRows, type Subject } from './subject.ts';
import { counted, demanded, grouped, percent } from './wording.ts';

/** A check that holds when at most a share of the rows is of a kind. */
export interface ShareDemand {
  readonly name: string;
  readonly title: string;
  readonly most: number;
  readonly columns: readonly Column[];
  readonly by: CopiesMeasure | ConflictsMeasure | BesideCondition;
  /** What none does: `repeats another`. */
  readonly none: string;
  readonly one: string;
  readonly many: string;
}

/** Counts the rows of a kind among all that are meant. */
export function shareOfRows(
  { name, title, most, columns, by, none, one, many }: ShareDemand,
  { table, where }: Pick<Subject, 'table' | 'where'>,
): Demand {
  const bound = { kind: 'max', value: most } as const;
  const found: CountMeasure =
    by.kind === 'copies' || by.kind === 'conflicts' ? by : { kind: 'count', condition: by, ...ofRows(where) };
  const among: CountMeasure = { kind: 'present', columns: [], ...ofRows(where) };
  return {
    name,
    title: `${title} ≤ ${demanded(most)}`,
    unit: 'share',
    needs: [found, ...(where.length === 0 ? [] : [among])],
    judge: (measurements) => {
      const rows = where.length === 0 ? table.rows : measurements.count(among);
      if (rows === 0) {
        const message = `${table.rows === 0 ? 'The file has no rows' : 'No row meets the conditions'}, and no rows prove nothing. Check what writes it.`;
        return { outcome: 'unjudged', message, bound };
      }
      const total = measurements.count(found);
      const share = total / rows;
      return {
        outcome: share <= most ? 'holds' : 'broken',
        message:
          total === 0
            ? `None of ${counted(rows, 'row')} ${none}.`
            : `${grouped(total)} of ${counted(rows, 'row')} ${total === 1 ? one : many} (${percent(share)}); at most ${demanded(most)} may.`,
        observed: share,
        bound,
        rows,
        ...(total === 0 ? {} : { failing: { total, columns, by, ...ofRows(where) } }),
      };
    },
  };
}
