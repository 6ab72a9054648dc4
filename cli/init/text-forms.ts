import { type Engine, quoteIdentifier, quoteLiteral } from '../../core/data/index.ts';
import type { TableFacts } from './column-facts.ts';

/** A form that texts have, as an RE2 expression that is matched whole. */
export interface TextForm {
  readonly name: string;
  readonly pattern: string;
}

const forms: readonly TextForm[] = [
  { name: 'UUIDs', pattern: '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}' },
  { name: 'e-mail addresses', pattern: '[^@\\s]+@[^@\\s]+\\.[^@\\s]+' },
  { name: 'web addresses', pattern: 'https?://[^\\s]+' },
  { name: 'times of day', pattern: '[0-2]?[0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?' },
  { name: 'dates of numbers', pattern: '[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}' },
  { name: 'hexadecimal digests', pattern: '[0-9A-Fa-f]{32,128}' },
  { name: 'digits', pattern: '[0-9]+' },
];

/** The form that every text of a column has, by column: texts of many different values only. */
export async function readTextForms(
  engine: Engine,
  { table, columns }: TableFacts,
): Promise<ReadonlyMap<string, TextForm>> {
  const texts = columns.filter(
    ({ column, values, distinct }) => column.type === 'string' && values === undefined && distinct > 0,
  );
  const found = new Map<string, TextForm>();
  const atOnce = 40;
  for (let from = 0; from < texts.length; from += atOnce) {
    const part = texts.slice(from, from + atOnce);
    const questions = part.flatMap(({ column }, index) =>
      forms.map(
        ({ pattern }, form) =>
          `bool_and(regexp_full_match(${quoteIdentifier(column.name)}, ${quoteLiteral(pattern)})) AS f${index}_${form}`,
      ),
    );
    const [row = {}] = await engine.query(`SELECT ${questions.join(', ')} FROM ${table.sql}`);
    for (const [index, { column }] of part.entries()) {
      const form = forms.find((_, at) => row[`f${index}_${at}`] === true);
      if (form !== undefined) found.set(column.name, form);
    }
  }
  return found;
}
