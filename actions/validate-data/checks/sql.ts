import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { type Demand, type Judgement, settled } from '../planned-check.ts';
import { masked, type Subject } from '../subject.ts';
import { counted, demanded, grouped, percent } from '../wording.ts';

/** Rows that a SELECT of the policy's own finds, as a share of the table's rows. It has been run when this is planned. */
export function sql(options: DataCheckOptions<'sql'>, { table, selected, isSensitive }: Subject): readonly Demand[] {
  const { name: called, mostly = 1 } = options;
  const name = `sql[${called}]`;
  const title = `${called}: no row${mostly === 1 ? '' : ` (≥ ${demanded(mostly)})`}`;
  const bound = { kind: 'min', value: mostly } as const;
  const judgement = (): Judgement => {
    if (table.rows === 0)
      return {
        outcome: 'unjudged',
        message: 'The file has no rows, and no rows prove nothing. Check what writes it.',
        bound,
      };
    const found = selected(options);
    if ('refused' in found)
      return { outcome: 'unjudged', message: `The SELECT cannot be judged: ${found.refused}.`, bound };
    const { total, rows, answer } = found;
    // An answer that is no rows of the table may have more rows than that.
    const share = Math.min(1, total / table.rows);
    const allowed = mostly === 1 ? 'none may' : `at most ${demanded(1 - mostly)} may`;
    const noun = rows === undefined ? 'row of its own' : 'row';
    const failing =
      rows !== undefined
        ? { total, columns: table.columns, by: { kind: 'listed', rows } as const }
        : {
            total,
            columns: [],
            by: {
              kind: 'answer',
              columns: answer?.columns ?? [],
              // Where a value comes from is not known here, so none is shown beside a sensitive column.
              rows: (answer?.rows ?? []).map((row) => (table.columns.some(isSensitive) ? row.map(() => masked) : row)),
            } as const,
          };
    return {
      outcome: 1 - share >= mostly ? 'holds' : 'broken',
      message:
        total === 0
          ? `It finds none of ${counted(table.rows, 'row')}.`
          : `It finds ${counted(total, noun, rows === undefined ? 'rows of its own' : 'rows')} where the file has ${grouped(table.rows)} (${percent(share)}); ${allowed} be found.`,
      observed: 1 - share,
      bound,
      rows: table.rows,
      ...(total === 0 ? {} : { failing }),
    };
  };
  return [{ ...settled(name, title, judgement()), unit: 'share' }];
}
