import type { Column } from '../../core/data/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Condition } from './measure.ts';
import type { Demand } from './planned-check.ts';
import { counted } from './wording.ts';

interface Mistyped {
  readonly name: string;
  readonly title: string;
  readonly column: Column;
  readonly rows: number;
  /** What the check compares: `numbers`. */
  readonly wanted: 'numbers' | 'text' | 'true and false' | 'dates and times';
  readonly fix?: string;
}

/** A check that cannot be judged because the column is of another type. Of text that should be numbers it shows what is in the way. */
export function mistyped({ name, title, column, rows, wanted, fix }: Mistyped): Demand {
  const what = `Column "${excerpt(column.name)}" is ${column.type} (${column.sqlType}), and this check is about ${wanted}.`;
  if (wanted !== 'numbers' || column.type !== 'string') {
    const message = `${what} ${fix ?? 'Correct the check or how the file is written.'}`;
    return { name, title, unit: 'none', needs: [], judge: () => ({ outcome: 'unjudged', message }) };
  }
  const by: Condition = { kind: 'unnumeric', column };
  return {
    name,
    title,
    unit: 'none',
    needs: [{ kind: 'count', condition: by }],
    judge: (measurements) => {
      const total = measurements.count({ kind: 'count', condition: by });
      if (rows === 0) {
        const message = 'The file has no rows, and no rows prove nothing. Check what writes it.';
        return { outcome: 'unjudged', message };
      }
      const why =
        total === 0
          ? 'Its numbers are written as text: write them as numbers.'
          : `${counted(total, 'value is', 'values are')} not a number; the first are listed. Correct them, or leave them empty if they are unknown.`;
      return {
        outcome: 'unjudged',
        message: `${what} ${fix ?? why}`,
        ...(total === 0 ? {} : { failing: { total, columns: [column], by } }),
      };
    },
  };
}
