import { excerpt } from '../text/index.ts';
import type { Contradiction } from './contradictions.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';

/** Rules over `engines` and the tables on them. */
export function contradictionsOfEngines(policy: unknown): readonly Contradiction[] {
  const engines = valueAt(policy, ['engines']);
  const sources = valueAt(policy, ['data']);
  const trino = valueAt(engines, ['trino']);
  const tables = (Array.isArray(sources) ? sources : []).flatMap((entry, index) => {
    const path: PolicyPath = ['data', index];
    return [[...path, 'source'], ...referencePaths(entry, path)].flatMap((at) => {
      const source = valueAt(policy, at);
      return isMapping(source) ? contradictionsOfTable(source, engines, at) : [];
    });
  });
  return [
    ...(isMapping(engines) && Object.keys(engines).length === 0
      ? [
          {
            code: 'no-engine',
            message: '"engines" names none',
            path: ['engines'],
            fix: 'Write trino or athena below it, or remove it.',
          },
        ]
      : []),
    ...(isMapping(trino) && 'schema' in trino && !('catalog' in trino)
      ? [
          {
            code: 'schema-without-catalog',
            message: 'a schema is in a catalog, and none is named',
            path: ['engines', 'trino', 'schema'],
            lackingIn: ['engines', 'trino'],
            fix: 'Name the catalog beside it.',
          },
        ]
      : []),
    ...tables,
  ];
}

function contradictionsOfTable(
  source: Readonly<Record<string, unknown>>,
  engines: unknown,
  path: PolicyPath,
): readonly Contradiction[] {
  const { table, engine } = source;
  if (typeof table !== 'string' || typeof engine !== 'string') return [];
  const known = valueAt(engines, [engine]);
  if (known === undefined) {
    return [
      {
        code: 'unknown-engine',
        message: `the policy does not say where ${excerpt(engine, 40)} is`,
        path: [...path, 'engine'],
        fix: `Write "engines: { ${engine === 'athena' ? 'athena: { region: ..., max_scanned_gb: ... }' : 'trino: { url: ... }'} }" at the top of the policy.`,
      },
    ];
  }
  const parts = table.split('.').length;
  const lacking =
    engine === 'athena'
      ? parts < 2 && valueAt(known, ['database']) === undefined
        ? 'database'
        : undefined
      : parts < 3 && valueAt(known, ['catalog']) === undefined
        ? 'catalog'
        : parts < 2 && valueAt(known, ['schema']) === undefined
          ? 'schema'
          : undefined;
  if (lacking === undefined) return [];
  return [
    {
      code: 'unplaced-table',
      message: `it is not said in which ${lacking} the table "${excerpt(table, 60)}" is`,
      path: [...path, 'table'],
      expected: engine === 'athena' ? 'database.table' : 'catalog.schema.table',
      fix: `Write the whole name, or engines.${engine}.${lacking}.`,
    },
  ];
}

/** Where the checks of a source name other rows. */
function referencePaths(entry: unknown, path: PolicyPath): readonly PolicyPath[] {
  const checks = valueAt(entry, ['checks']);
  return (Array.isArray(checks) ? checks : []).flatMap((check, at) =>
    isMapping(check)
      ? Object.keys(check).flatMap((name) => ['to', 'reference'].map((key) => [...path, 'checks', at, name, key]))
      : [],
  );
}
