import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { TableFacts } from './column-facts.ts';
import { renderDataDraft } from './data-draft.ts';
import { usualTargets } from './target-guess.ts';
import type { TextForm } from './text-forms.ts';

export interface DataSuggestion {
  /** As the policy names it: relative to the policy's folder, or an address. */
  readonly path: string;
  readonly facts: TableFacts;
  readonly forms: ReadonlyMap<string, TextForm>;
  /** The column whose classes are watched; one with a usual name when not given. */
  readonly label?: string;
}

/** A random half of the rows holds to it as well. */
const rowsKept = 0.4;

/** A whole policy of data checks as commented YAML. @throws InputError when the label is no column of few values */
export function renderSuggestion({ path, facts, forms, label }: DataSuggestion): string {
  const classes = facts.columns.filter(({ values }) => values !== undefined && values.length > 1);
  const named = facts.columns.find(({ column }) => column.name === label);
  if (label !== undefined && (named === undefined || !classes.includes(named))) {
    throw new InputError({
      code: named === undefined ? 'missing-column' : 'not-a-label',
      message:
        named === undefined ? `there is no column "${label}"` : `the column "${label}" has no two to twenty classes`,
      place: { file: path },
      fix: `Name one of ${
        classes
          .map(({ column }) => excerpt(column.name, 40))
          .slice(0, 12)
          .join(', ') || 'none'
      }.`,
    });
  }
  const guessed = usualTargets
    .map((usual) => classes.find(({ column }) => column.name.toLowerCase() === usual))
    .find((found) => found !== undefined);
  const target = (named ?? guessed)?.column.name;
  return `${[
    '# yaml-language-server: $schema=https://raw.githubusercontent.com/sluice-ml/sluice/v1/core/policy/policy.schema.json',
    `# Written by sluice data suggest from ${excerpt(path)} (${facts.table.rows} rows).`,
    '# Every check holds for these rows as they are today, with room. They are a start: tighten them to what a model needs.',
    '# Paths are relative to the folder of this file.',
    'version: 1',
    '',
    ...renderDataDraft({
      path,
      facts,
      forms,
      rowsKept,
      isClassification: target !== undefined,
      ...(target === undefined ? {} : { target }),
    }),
  ].join('\n')}`;
}
