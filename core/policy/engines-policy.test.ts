import { describe, expect, it } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const trino = (rest = 'url: https://trino.example.com') => `engines: { trino: { ${rest} } }\n`;
const table = (name = 'hive.sales.orders', checks = '[{ row_count: { min: 1 } }]') =>
  `  - source: { table: ${name}, engine: trino }\n    checks: ${checks}\n`;
const policy = (...parts: readonly string[]) => parsePolicy(`version: 1\n${parts.join('')}`, 'sluice.yaml');
const codes = (...parts: readonly string[]) => {
  try {
    policy(...parts);
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(({ code, place }) => `${code} ${place?.key}`);
  }
};
const told = (base: readonly string[], head: readonly string[]) => {
  const effective = stricterOf(policy(...base), policy(...head));
  return {
    policy: effective.policy,
    told: effective.differences.map(({ key, base: one, head: other, effective: side }) => [key, one, other, side]),
  };
};

describe('engines and their tables', () => {
  it('are read, with what is silent left to the defaults', () => {
    const { engines, data } = policy(trino(), 'data:\n', table()).policy;
    expect(engines).toEqual({ trino: { url: 'https://trino.example.com' } });
    expect(data?.[0]?.source).toEqual({ table: 'hive.sales.orders', engine: 'trino' });
  });

  it('take no secret, no statement and no server without its address', () => {
    expect(codes(trino('url: https://me:secret@trino.example.com'), 'data:\n', table())).toEqual([
      expect.stringContaining('engines.trino.url'),
    ]);
    expect(codes(trino('url: https://t.example.com, password: x'), 'data:\n', table())).toEqual([
      'unknown-key engines.trino.password',
    ]);
    expect(codes(trino(), 'data:\n', table("'orders; drop table x'"))[0]).toContain('data[0].source');
    expect(codes('engines: {}\n', 'data:\n  - { source: a.csv, checks: [{ row_count: { min: 1 } }] }\n')[0]).toBe(
      'no-engine engines',
    );
  });

  it('contradict a table on an engine that is not there, or in no catalog', () => {
    expect(codes('data:\n', table())).toEqual(['unknown-engine data[0].source.engine']);
    expect(codes(trino(), 'data:\n', table('orders'))).toEqual(['unplaced-table data[0].source.table']);
    expect(codes(trino('url: https://t.example.com, catalog: hive'), 'data:\n', table('sales.orders'))).toEqual([]);
    expect(codes(trino('url: https://t.example.com, schema: sales'), 'data:\n', table('a.b.c'))).toEqual([
      'schema-without-catalog engines.trino.schema',
    ]);
    expect(
      codes(
        'engines: { athena: { region: eu-central-1, max_scanned_gb: 10 } }\n',
        'data:\n  - { source: { table: orders, engine: athena }, checks: [{ row_count: { min: 1 } }] }\n',
      ),
    ).toEqual(['unplaced-table data[0].source.table']);
  });

  it('contradict a table that has two entries', () => {
    expect(codes(trino(), 'data:\n', table(), table('HIVE.sales.orders'))).toEqual(['repeated-source data[1].source']);
  });
});

describe('a check that compares a table with other rows', () => {
  const key = (to: string) => `[{ relationships: { columns: [customer], to: ${to} } }]`;

  it('compares it with a table of the same engine, and with nothing else', () => {
    const both = `${trino()}`;
    expect(codes(both, 'data:\n', table('a.b.c', key('{ table: a.b.d, engine: trino }')))).toEqual([]);
    expect(codes(both, 'data:\n', table('a.b.c', key('customers.csv')))).toEqual([
      'two-engines data[0].checks[0].relationships.to',
    ]);
    expect(codes(both, 'data:\n', table('a.b.c', key('{ table: d, engine: trino }')))).toEqual([
      'unplaced-table data[0].checks[0].relationships.to.table',
    ]);
    expect(
      codes(
        both,
        'data:\n',
        table('a.b.c', '[{ train_test_overlap: { reference: { table: A.b.c, engine: trino }, max_share: 0 } }]'),
      ),
    ).toEqual(['same-data data[0].checks[0].train_test_overlap.reference']);
    expect(codes(both, 'data:\n', table('a.b.c', '[{ monotonic: { column: x, direction: increasing } }]'))).toEqual([
      'files-only data[0].checks[0].monotonic',
    ]);
    expect(codes(both, 'data:\n', table('a.b.c', '[{ skew: { reference: train.parquet, max: 0.2 } }]'))).toEqual([
      'files-only data[0].checks[0].skew',
    ]);
  });

  it('waits for the merge where only the pull request names the other table', () => {
    const base = [trino(), 'data:\n', table('a.b.c', key('{ table: a.b.known, engine: trino }'))];
    const { policy: effective } = told(base, [
      trino(),
      'data:\n',
      table(
        'a.b.c',
        '[{ relationships: { columns: [x], to: { table: a.b.KNOWN, engine: trino } } }, { relationships: { columns: [y], to: { table: a.b.secret, engine: trino } } }]',
      ),
    ]);
    expect(effective.data?.[0]?.checks.map((check) => check.relationships?.columns)).toEqual([['customer'], ['x']]);
  });
});

describe('the engines of a pull request', () => {
  it('are those of the base, whatever it says', () => {
    const { policy: effective, told: differences } = told(
      [trino('url: https://trino.example.com, user: ci'), 'data:\n', table()],
      [trino('url: https://evil.example.com, within: 1s'), 'data:\n', table()],
    );
    expect(effective.engines).toEqual({ trino: { url: 'https://trino.example.com', user: 'ci' } });
    expect(differences).toEqual([
      ['engines.trino.url', '"https://trino.example.com"', '"https://evil.example.com"', 'base'],
      ['engines.trino.user', 'ci', undefined, 'base'],
      ['engines.trino.within', undefined, '"1s"', 'base'],
    ]);
  });

  it('are none where the base has none, and a new table waits with them', () => {
    const file = '  - { source: a.csv, checks: [{ row_count: { min: 1 } }] }\n';
    const { policy: effective, told: differences } = told(['data:\n', file], [trino(), 'data:\n', file, table()]);
    expect(effective).not.toHaveProperty('engines');
    expect(effective.data).toEqual([{ source: 'a.csv', checks: [{ row_count: { min: 1 } }] }]);
    expect(differences.map(([key, , , side]) => [key, side])).toEqual([
      ['data[trino:hive.sales.orders]', 'base'],
      ['engines', 'base'],
    ]);
  });

  it('let a table of the base be checked more, and none be checked less', () => {
    const { policy: effective } = told(
      [trino(), 'data:\n', table('hive.sales.orders', '[{ row_count: { min: 10 } }]')],
      [trino(), 'data:\n', table('hive.sales.Orders', '[{ row_count: { min: 1 } }, { not_null: { columns: [id] } }]')],
    );
    expect(effective.data).toEqual([
      {
        source: { table: 'hive.sales.orders', engine: 'trino' },
        checks: [{ row_count: { min: 10 } }, { not_null: { columns: ['id'] } }],
      },
    ]);
  });

  it('keep a table that the pull request points elsewhere, and do not read where it points', () => {
    const { policy: effective } = told(
      [trino(), 'data:\n', table('hive.sales.orders')],
      [trino(), 'data:\n', table('hive.secret.salaries')],
    );
    expect(effective.data?.map(({ source }) => source)).toEqual([{ table: 'hive.sales.orders', engine: 'trino' }]);
  });

  it('let the only data of a pull request wait where the base has no data', () => {
    const gates =
      'model: { path: m.onnx }\nevaluation: { source: t.csv, target: y }\ngates: { accuracy: { min: 0.9 } }\n';
    const { policy: effective } = told([gates], [gates, trino(), 'data:\n', table()]);
    expect(effective).not.toHaveProperty('data');
  });
});
