import { type Column, conditionSql, duckdbLiterals, missingColumn, type Table } from '../../core/data/index.ts';
import type { Where } from '../../core/policy/index.ts';
import { describeProblem, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Chosen } from './measure.ts';
import { type Demand, settled } from './planned-check.ts';

/** The rows a check is about, or what keeps that from being said of this table. */
export function chosenRows(where: Where | undefined, table: Table): Chosen | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const chosen: { column: Column; condition: Where[string] }[] = [];
  for (const [name, condition] of Object.entries(where ?? {})) {
    const column = table.columns.find((one) => one.name === name);
    if (column === undefined) {
      problems.push(missingColumn(name, table.file, table.columns));
      continue;
    }
    // Whether a condition fits a column does not depend on the engine.
    const sql = conditionSql(column, condition, duckdbLiterals, {});
    if (typeof sql === 'string') chosen.push({ column, condition });
    else problems.push(sql);
  }
  return problems.length === 0 ? chosen : { problems };
}

/** The demands of a check on the rows its `where` chooses; where it cannot choose, a check that says why and cannot be judged. */
export function ofChosenRows(
  kind: string,
  where: Where | undefined,
  table: Table,
  demandsOf: (chosen: Chosen) => readonly Demand[],
): readonly Demand[] {
  const chosen = chosenRows(where, table);
  if ('problems' in chosen) {
    const message = `The rows cannot be chosen: ${chosen.problems.map((problem) => describeProblem(problem)).join(' ')}`;
    return [settled(kind, kind, { outcome: 'unjudged', message })];
  }
  if (chosen.length === 0) return demandsOf(chosen);
  const words = chosenWords(chosen);
  return demandsOf(chosen).map((demand) => ({
    ...demand,
    name: `${demand.name}{${words}}`,
    title: `${demand.title} where ${words}`,
  }));
}

/** `country is KR or JP, age ≥ 18`. */
function chosenWords(chosen: Chosen): string {
  return excerpt(
    chosen
      .map(({ column, condition }) => {
        const name = excerpt(column.name, 40);
        if (Array.isArray(condition))
          return `${name} is ${condition.map((one) => excerpt(String(one), 20)).join(' or ')}`;
        if (typeof condition !== 'object') return `${name} is ${excerpt(String(condition), 40)}`;
        const { min, max } = condition as { readonly min?: unknown; readonly max?: unknown };
        const sides = [...(min === undefined ? [] : [`≥ ${min}`]), ...(max === undefined ? [] : [`≤ ${max}`])];
        return `${name} ${excerpt(sides.join(' and '), 60)}`;
      })
      .join(', '),
    160,
  );
}
