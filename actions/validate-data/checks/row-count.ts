import type { DataCheckOptions } from '../../../core/policy/index.ts';
import type { CountMeasure } from '../measure.ts';
import type { Demand, Judgement } from '../planned-check.ts';
import { ofRows, type Subject } from '../subject.ts';
import { counted, grouped } from '../wording.ts';

/** The number of rows, between `min` and `max`. An empty file passes only where the policy says `min: 0`. */
export function rowCount({ min, max }: DataCheckOptions<'row_count'>, { table, where }: Subject): readonly Demand[] {
  const judge = (rows: number): Judgement => {
    const tooFew = min !== undefined && rows < min;
    const tooMany = max !== undefined && rows > max;
    const empty = rows === 0 && min === undefined;
    return {
      outcome: empty ? 'unjudged' : tooFew || tooMany ? 'broken' : 'holds',
      message: empty
        ? 'The file has no rows, and no rows prove nothing. Check what writes it, or say min: 0 if it may be empty.'
        : `${counted(rows, 'row')}${tooFew ? `, ${grouped(min - rows)} too few` : tooMany ? `, ${grouped(rows - max)} too many` : ''}.`,
      observed: rows,
      rows,
      ...(max !== undefined && (tooMany || min === undefined)
        ? { bound: { kind: 'max', value: max } as const }
        : min === undefined
          ? {}
          : { bound: { kind: 'min', value: min } as const }),
    };
  };
  const measure: CountMeasure = { kind: 'present', columns: [], ...ofRows(where) };
  const range = [min === undefined ? '' : `≥ ${grouped(min)}`, max === undefined ? '' : `≤ ${grouped(max)}`];
  const title = `rows ${range.filter((side) => side !== '').join(', ')}`;
  if (where.length === 0)
    return [{ name: 'row_count', title, unit: 'rows', needs: [], judge: () => judge(table.rows) }];
  return [{ name: 'row_count', title, unit: 'rows', needs: [measure], judge: (found) => judge(found.count(measure)) }];
}
