import { type DataCheck, oneLineYaml } from '../../core/policy/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Draft, Drafted } from './drafted-checks.ts';

/** The draft as a policy in commented YAML. Every name of it comes from somebody's file: comments are of one line, values are quoted. */
export function importedPolicy(draft: Draft, source: string): string {
  const merged = withOneSchema(draft.drafted);
  const told = new Set<string>();
  const checks = merged.flatMap(({ from, checks: all, note }) => [
    `      # ${excerpt(from, 200)}${note === undefined ? '' : `: ${excerpt(note, 200)}`}`,
    ...all.map((check) => `      - ${oneLineYaml(named(check, told))}`),
  ]);
  return [
    `# Written by sluice data from a ${excerpt(draft.of, 120)}.`,
    '# Paths are relative to the folder of this file.',
    'version: 1',
    'data:',
    `  - source: ${oneLineYaml(source)}`,
    '    checks:',
    ...checks,
    ...(draft.left.length === 0 ? [] : ['', '# Without a counterpart:']),
    ...draft.left.map(({ from, why }) => `# - ${excerpt(from, 200)}: ${excerpt(why, 240)}`),
    '',
  ].join('\n');
}

type Schema = NonNullable<DataCheck['schema']>;

/** Columns that are each demanded to be there are one check; what only warns is one of its own. */
function withOneSchema(drafted: readonly Drafted[]): readonly Drafted[] {
  const schemas = drafted.flatMap(({ from, checks }) =>
    checks.flatMap(({ schema }) => (schema === undefined ? [] : [{ from, schema }])),
  );
  if (schemas.length < 2) return drafted;
  const others = drafted.flatMap((each) => {
    const checks = each.checks.filter(({ schema }) => schema === undefined);
    return checks.length === 0 ? [] : [{ ...each, checks }];
  });
  const merged = [...new Set(schemas.map(({ schema }) => schema.severity))].map((severity): Drafted => {
    const same = schemas.filter(({ schema }) => schema.severity === severity);
    return {
      from: [...new Set(same.map(({ from }) => from))].join('; '),
      checks: [{ schema: mergedSchema(same.map(({ schema }) => schema)) }],
    };
  });
  return [...merged, ...others];
}

function mergedSchema(schemas: readonly Schema[]): Schema {
  const whole = schemas.find(({ order, extra }) => order !== undefined || extra !== undefined) ?? schemas[0];
  // The order of a complete list stays; columns that others name come after it.
  const required = [...new Set([...(whole?.required ?? []), ...schemas.flatMap((schema) => schema.required ?? [])])];
  const types = Object.assign({}, ...schemas.map((schema) => schema.types ?? {}));
  return {
    ...whole,
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(types).length === 0 ? {} : { types }),
  };
}

/** Each SELECT under a name of its own. */
function named(check: DataCheck, told: Set<string>): DataCheck {
  if (check.sql === undefined) return check;
  let name = check.sql.name;
  for (let at = 2; told.has(name); at++) name = `${check.sql.name}-${at}`;
  told.add(name);
  return { sql: { ...check.sql, name } };
}
