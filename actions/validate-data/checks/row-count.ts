import type { Table } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import type { Demand, Judgement } from '../planned-check.ts';
import { counted, grouped } from '../wording.ts';

/** The number of rows, between `min` and `max`. An empty file passes only where the policy says `min: 0`. */
export function rowCount({ min, max }: DataCheckOptions<'row_count'>, table: Table): readonly Demand[] {
  const rows = table.rows;
  const tooFew = min !== undefined && rows < min;
  const tooMany = max !== undefined && rows > max;
  const range = [min === undefined ? '' : `≥ ${grouped(min)}`, max === undefined ? '' : `≤ ${grouped(max)}`];
  const words = range.filter((side) => side !== '').join(', ');
  const empty = rows === 0 && min === undefined;
  const judgement: Judgement = {
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
  return [{ name: 'row_count', title: `rows ${words}`, unit: 'rows', needs: [], judge: () => judgement }];
}
