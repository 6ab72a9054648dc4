import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { type DriftMeasure, type DriftPolicy, driftBoundsOf, driftMeasures } from './drift-schema.ts';
import { policyJsonSchema } from './json-schema.ts';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const whole = `version: 1
drift:
  reference: data/train.parquet
  current: { source: data/events.csv, where: { country: [KR, JP], age: { min: 18 }, day: { min: "2026-08-01" }, bot: false } }
  columns: all
  ignore: [id, day]
  prediction: score
  target: churned
  bins: 20
  min_rows: 200
  psi: { warn: 0.1, fail: 0.2 }
  ks: { columns: [age], fail: 0.15, reason: the model is steep in age }
  chi2: { warn: 0.2 }
  drifted_columns: { warn: 0.1, fail: 0.3 }
`;

const read = (drift: string) => parsePolicy(`version: 1\ndrift:\n${drift.replaceAll(/^/gm, '  ')}`, 'sluice.yaml');
const problemsOf = (drift: string) => {
  try {
    read(drift);
  } catch (error) {
    if (error instanceof PolicyError) {
      return error.problems.map(({ code, place }) => `${code} ${place?.key} ${place?.line}`);
    }
    throw error;
  }
  return [];
};

describe('the policy of a drift check', () => {
  test.each([
    ['with everything', whole],
    ['with nothing but two files', 'version: 1\ndrift: { reference: a.csv, current: b.csv }\n'],
    ['with files that the run names', 'version: 1\ndrift: {}\n'],
  ])('may be written %s, and the JSON Schema agrees', (_, text) => {
    const { policy } = parsePolicy(text, 'sluice.yaml');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(policyJsonSchema());
    expect(validate(policy), JSON.stringify(validate.errors)).toBe(true);
  });

  test('without a measure demands a PSI of at most 0.2, and 0.1 is worth watching', () => {
    expect(driftBoundsOf({})).toEqual([['psi', { warn: 0.1, fail: 0.2 }]]);
    expect(driftBoundsOf({ ks: { fail: 0.1 } })).toEqual([['ks', { fail: 0.1 }]]);
  });

  test.each([
    ['an unknown measure', 'reference: a.csv\npsy: { fail: 0.2 }', ['unknown-key drift.psy 4']],
    ['a measure without a bound', 'psi: { columns: [age] }', ['no-bound drift.psi 3']],
    ['a watch above the failure', 'psi: { warn: 0.3, fail: 0.2 }', ['warn-above-fail drift.psi.warn 3']],
    ['a negative bound', 'ks: { fail: -1 }', ['too-small drift.ks.fail 3']],
    ['a share above one', 'drifted_columns: { fail: 30 }', ['too-large drift.drifted_columns.fail 3']],
    ['the same rows twice', 'reference: a.csv\ncurrent: { source: a.csv }', ['same-data drift.current 4']],
    ['a column named and ignored', 'columns: [age, id]\nignore: [id]', ['named-and-ignored drift.columns[1] 3']],
    [
      'a range of nothing',
      'current: { source: a.csv, where: { age: { min: 9, max: 1 } } }',
      ['min-above-max drift.current.where.age.min 3'],
    ],
  ])('refuses %s, at its line', (_, drift, expected) => {
    const found = problemsOf(drift);
    expect(found.map((one) => one.replace(/^\S+/, ''))).toEqual(expected.map((one) => one.replace(/^\S+/, '')));
    if (!/too-/.test(expected[0] ?? '')) expect(found).toEqual(expected);
  });
});

describe('the stricter of two drift checks', () => {
  const merged = (base: string, head: string) => stricterOf(read(base), read(head)).policy.drift;

  test('keeps the lower bounds, and what the base compares with', () => {
    const drift = merged(
      'reference: a.csv\ncurrent: b.csv\nignore: [id]\npsi: { warn: 0.1, fail: 0.2 }',
      'reference: other.csv\ncurrent: b.csv\nignore: [id, age]\npsi: { warn: 0.05, fail: 0.9 }\ntarget: y',
    );
    expect(drift).toEqual({
      reference: 'a.csv',
      current: 'b.csv',
      ignore: ['id'],
      target: 'y',
      psi: { warn: 0.05, fail: 0.2 },
    });
  });

  test('a pull request that names another measure does not lose the usual one', () => {
    expect(merged('reference: a.csv', 'reference: a.csv\nks: { fail: 0.9 }')).toEqual({
      reference: 'a.csv',
      psi: { warn: 0.1, fail: 0.2 },
      ks: { fail: 0.9 },
    });
    expect(merged('reference: a.csv', 'reference: a.csv\npsi: { fail: 9 }')?.psi).toEqual({ warn: 0.1, fail: 0.2 });
  });

  test('more columns are stricter', () => {
    expect(merged('columns: [a]', 'columns: [b]')?.columns).toEqual(['a', 'b']);
    expect(merged('columns: [a]', 'min_rows: 5')).toMatchObject({ min_rows: 5 });
    expect(merged('columns: [a]', 'min_rows: 5')?.columns).toBeUndefined();
    expect(merged('min_rows: 5', 'columns: [a]')).not.toHaveProperty('columns');
  });

  test('a check that the pull request takes away stays', () => {
    const head = parsePolicy(
      'version: 1\ndata: [{ source: a.csv, checks: [{ row_count: { min: 1 } }] }]\n',
      'sluice.yaml',
    );
    expect(stricterOf(read('reference: a.csv'), head).policy.drift).toEqual({ reference: 'a.csv' });
  });

  test('no bound is ever laxer than the base', () => {
    const bounds = fc.record(
      { warn: fc.constantFrom(0.01, 0.1), fail: fc.constantFrom(0.1, 0.2, 0.5) },
      { requiredKeys: ['fail'] },
    );
    const drift = fc.dictionary(fc.constantFrom(...driftMeasures), bounds, {
      noNullPrototype: true,
    }) as fc.Arbitrary<DriftPolicy>;
    fc.assert(
      fc.property(drift, drift, (base, head) => {
        const load = (value: DriftPolicy) => parsePolicy(JSON.stringify({ version: 1, drift: value }), 'sluice.yaml');
        const effective = stricterOf(load(base), load(head)).policy.drift ?? {};
        for (const [measure, bound] of [...driftBoundsOf(base), ...driftBoundsOf(head)]) {
          const kept = effective[measure satisfies DriftMeasure];
          for (const key of ['warn', 'fail'] as const) {
            if (bound[key] !== undefined) expect(kept?.[key]).toBeLessThanOrEqual(bound[key]);
          }
        }
      }),
    );
  });
});
