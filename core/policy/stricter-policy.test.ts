import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolicyError, SluiceError } from '../problem/index.ts';
import type { DataCheck } from './data-schema.ts';
import { arbitraryPolicy } from './fixtures/arbitrary-policy.ts';
import { demandsOf, impliedBy } from './fixtures/demands.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { parsePolicy } from './parse-policy.ts';
import type { PolicyPath } from './policy-path.ts';
import { type Policy, policySchema } from './schema.ts';
import { type EffectivePolicy, headOnly, stricterOf } from './stricter-policy.ts';

const load = (policy: Policy | string, file = 'sluice.yaml'): LoadedPolicy =>
  parsePolicy(typeof policy === 'string' ? policy : JSON.stringify(policy), file);
const merged = (base: string, head: string) => stricterOf(load(base), load(head));
/** `key: base -> head = effective` a difference. */
const told = ({ differences }: EffectivePolicy) =>
  differences.map(
    ({ key, base, head, effective }) => `${key}: ${base ?? '(none)'} -> ${head ?? '(none)'} = ${effective}`,
  );

const gates = (text: string, rest = '') =>
  `version: 1\nmodel: { path: m.onnx }\nevaluation: { source: t.csv, target: y }\ngates:\n${text.replace(/^/gm, '  ')}\n${rest}`;
const checks = (...entries: readonly string[]) =>
  `version: 1\ndata:\n  - source: a.csv\n    checks:\n${entries.map((entry) => `      - ${entry}\n`).join('')}`;
const effectiveChecks = (base: readonly string[], head: readonly string[]) => {
  const effective = merged(checks(...base), checks(...head));
  return { checks: effective.policy.data?.[0]?.checks, told: told(effective) };
};

describe('the stricter of two policies', () => {
  it('keeps what the pull request lowers', () => {
    const effective = merged(
      gates('accuracy: { min: 0.9, max_regression: 0.01 }'),
      gates('accuracy: { min: 0.8, max_regression: 0.05 }'),
    );
    expect(effective.policy.gates).toEqual({ accuracy: { min: 0.9, max_regression: 0.01 } });
    expect(told(effective)).toEqual([
      'gates.accuracy.min: 0.9 -> 0.8 = base',
      'gates.accuracy.max_regression: 0.01 -> 0.05 = base',
    ]);
  });

  it('takes what the pull request raises', () => {
    const effective = merged(
      gates('latency: { p95_ms: 100, max_regression: 10% }'),
      gates('latency: { p95_ms: 80, max_regression: 5% }'),
    );
    expect(effective.policy.gates).toEqual({ latency: { p95_ms: 80, max_regression: '5%' } });
    expect(told(effective)).toEqual([
      'gates.latency.p95_ms: 100 -> 80 = head',
      'gates.latency.max_regression: "10%" -> "5%" = head',
    ]);
  });

  it('keeps gates and checks that the pull request removes, and adds those it adds', () => {
    const effective = merged(
      gates('accuracy: { min: 0.9 }\nsize: { max_mb: 5 }'),
      gates('accuracy: { min: 0.9 }\nf1: { min: 0.7 }'),
    );
    expect(effective.policy.gates).toEqual({ accuracy: { min: 0.9 }, f1: { min: 0.7 }, size: { max_mb: 5 } });
    expect(told(effective)).toEqual([
      'gates.f1: (none) -> { min: 0.7 } = head',
      'gates.size: { max_mb: 5 } -> (none) = base',
    ]);
  });

  it('lets the base decide between an absolute and a relative change, which cannot be compared', () => {
    const effective = merged(gates('accuracy: { max_regression: 0.01 }'), gates('accuracy: { max_regression: 0.5% }'));
    expect(effective.policy.gates?.accuracy).toEqual({ max_regression: 0.01 });
    expect(told(effective)).toEqual(['gates.accuracy.max_regression: 0.01 -> "0.5%" = base']);
  });

  it('keeps the severity error, the larger mostly and the smaller min_rows', () => {
    expect(
      effectiveChecks(
        ['between: { column: a, min: 0, mostly: 0.9, severity: error }'],
        ['between: { column: a, min: 1, mostly: 0.8, severity: warn }'],
      ),
    ).toEqual({
      checks: [{ between: { column: 'a', min: 1, mostly: 0.9, severity: 'error' } }],
      told: [
        'data[a.csv].between[a].min: 0 -> 1 = head',
        'data[a.csv].between[a].severity: error -> warn = base',
        'data[a.csv].between[a].mostly: 0.9 -> 0.8 = base',
      ],
    });
  });

  it('treats a default said aloud as no difference', () => {
    const silent = checks('unique: { columns: [a] }');
    const aloud = `${checks('unique: { columns: [a], mostly: 1, severity: error }')}evidence: 0.9\non_inconclusive: warn\n`;
    expect(told(merged(silent, aloud))).toEqual([]);
    expect(merged(aloud, silent).policy).toEqual(load(aloud).policy);
  });

  it('sees a removed mostly as the stricter one', () => {
    expect(effectiveChecks(['unique: { columns: [a], mostly: 0.9 }'], ['unique: { columns: [a] }'])).toEqual({
      checks: [{ unique: { columns: ['a'] } }],
      told: ['data[a.csv].unique[a].mostly: 0.9 -> (none) = head'],
    });
  });

  it('leaves evidence to the base, and takes the stricter on_inconclusive', () => {
    const base = `${checks('unique: { columns: [a] }')}evidence: 0.8\non_inconclusive: error\n`;
    const head = `${checks('unique: { columns: [a] }')}evidence: off\non_inconclusive: pass\n`;
    expect(merged(base, head).policy).toMatchObject({ evidence: 0.8, on_inconclusive: 'error' });
    expect(merged(head, base).policy).toMatchObject({ evidence: 'off', on_inconclusive: 'error' });
  });

  it('narrows accepted values, and never widens them', () => {
    const narrow = 'accepted_values: { column: c, values: [KR, US] }';
    const wide = 'accepted_values: { column: c, values: [US, KR, JP] }';
    expect(effectiveChecks([wide], [narrow]).checks).toEqual(load(checks(narrow)).policy.data?.[0]?.checks);
    expect(effectiveChecks([narrow], [wide])).toEqual({
      checks: load(checks(narrow)).policy.data?.[0]?.checks,
      told: ['data[a.csv].accepted_values[c].values: [KR, US] -> [US, KR, JP] = base'],
    });
  });

  it('requires the columns of both, unless the base forbids others', () => {
    const open = effectiveChecks(
      ['schema: { required: [a, b] }'],
      ['schema: { required: [b, c], types: { d: number } }'],
    );
    expect(open).toEqual({
      checks: [{ schema: { required: ['a', 'b', 'c'], types: { d: 'number' } } }],
      told: [
        'data[a.csv].schema.required: [a, b] -> [b, c] = both',
        'data[a.csv].schema.types.d: (none) -> number = head',
      ],
    });
    const closed = effectiveChecks(
      ['schema: { required: [a, b], extra: forbid }'],
      ['schema: { required: [a, b, c], types: { a: number, d: number }, extra: forbid }'],
    );
    expect(closed).toEqual({
      checks: [{ schema: { required: ['a', 'b'], types: { a: 'number' }, extra: 'forbid' } }],
      told: [
        'data[a.csv].schema.required: [a, b] -> [a, b, c] = base',
        'data[a.csv].schema.types.a: (none) -> number = head',
        'data[a.csv].schema.types.d: (none) -> number = base',
      ],
    });
  });

  it('matches checks by name and columns, in any order', () => {
    const { checks: all, told: differences } = effectiveChecks(
      ['row_count: { min: 10 }', 'not_null: { columns: [a, b] }', 'between: { column: a, min: 0 }'],
      ['between: { column: b, min: 0 }', 'not_null: { columns: [b, a] }', 'row_count: { min: 5 }'],
    );
    expect(all).toEqual([
      { row_count: { min: 10 } },
      { not_null: { columns: ['a', 'b'] } },
      { between: { column: 'a', min: 0 } },
      { between: { column: 'b', min: 0 } },
    ]);
    expect(differences).toEqual([
      'data[a.csv].row_count.min: 10 -> 5 = base',
      'data[a.csv].between[a]: { between: { column: a, min: 0 } } -> (none) = base',
      'data[a.csv].between[b]: (none) -> { between: { column: b, min: 0 } } = head',
    ]);
  });

  it('keeps two checks of one kind on one column apart', () => {
    const two = ['unique: { columns: [a], mostly: 0.9 }', 'unique: { columns: [a], severity: warn }'];
    expect(effectiveChecks(two, [...two].reverse()).told).toEqual([]);
    expect(effectiveChecks(two, two.slice(1)).told).toEqual([
      'data[a.csv].unique[a]: { unique: { columns: [a], mostly: 0.9 } } -> (none) = base',
    ]);
  });

  it('judges no column twice when the pull request changes the columns of not_null', () => {
    expect(effectiveChecks(['not_null: { columns: [a, b] }'], ['not_null: { columns: [a] }']).checks).toEqual([
      { not_null: { columns: ['a', 'b'] } },
    ]);
    expect(effectiveChecks(['not_null: { columns: [a, b] }'], ['not_null: { columns: [a, b, c] }']).checks).toEqual([
      { not_null: { columns: ['a', 'b'] } },
      { not_null: { columns: ['c'] } },
    ]);
    expect(
      effectiveChecks(['not_null: { columns: [a], mostly: 0.9 }'], ['not_null: { columns: [a, b] }']).checks,
    ).toEqual([{ not_null: { columns: ['a'], mostly: 0.9 } }, { not_null: { columns: ['a', 'b'] } }]);
    expect(effectiveChecks(['not_null: { columns: all }'], ['not_null: { columns: [a] }']).checks).toEqual([
      { not_null: { columns: 'all' } },
    ]);
  });

  it('holds a source to both policies however its path is spelt', () => {
    const head = checks('row_count: { min: 5 }').replace('a.csv', './a.csv');
    const effective = merged(checks('row_count: { max: 9 }'), head);
    expect(effective.policy.data).toEqual([{ source: 'a.csv', checks: [{ row_count: { min: 5, max: 9 } }] }]);
  });

  it('judges on the rows of the base, on the slices of both', () => {
    const base = gates('accuracy: { min: 0.9 }').replace(
      'target: y',
      'target: y, ignore: [id], slices: [a, { b: [1] }], min_rows: 50',
    );
    const head = gates('accuracy: { min: 0.9 }').replace(
      't.csv, target: y',
      'easy.csv, target: z, slices: [{ b: [2] }, a]',
    );
    const effective = merged(base, head);
    expect(effective.policy.evaluation).toEqual({
      source: 't.csv',
      target: 'y',
      ignore: ['id'],
      slices: ['a', { b: [1] }, { b: [2] }],
    });
    expect(told(effective)).toEqual([
      'evaluation.source: t.csv -> easy.csv = base',
      'evaluation.target: y -> z = base',
      'evaluation.ignore: [id] -> (none) = base',
      'evaluation.slices[b]: { b: [1] } -> (none) = base',
      'evaluation.slices[b]: (none) -> { b: [2] } = head',
      'evaluation.min_rows: 50 -> (none) = head',
    ]);
  });

  it('keeps the condition of a slice until the merge, and adds new ones', () => {
    const of = (slices: string) => gates('accuracy: { min: 0.9 }').replace('target: y', `target: y, slices: ${slices}`);
    const effective = merged(
      of('[{ name: young, where: age < 30 }, [a, b]]'),
      of('[[b, a], { name: young, where: age < 3 }, { name: old, where: age > 60 }]'),
    );
    expect(effective.policy.evaluation?.slices).toEqual([
      { name: 'young', where: 'age < 30' },
      ['a', 'b'],
      ['b', 'a'],
      { name: 'old', where: 'age > 60' },
    ]);
    expect(told(effective)).toEqual([
      'evaluation.slices[young]: { name: young, where: "age < 30" } -> { name: young, where: "age < 3" } = base',
      'evaluation.slices[a × b]: [a, b] -> (none) = base',
      'evaluation.slices[b × a]: (none) -> [b, a] = head',
      'evaluation.slices[old]: (none) -> { name: old, where: "age > 60" } = head',
    ]);
  });

  it('judges the sets of both, by the stricter bounds, on the rows of the base', () => {
    const of = (sets: string) => gates('accuracy: { min: 0.9 }').replace('target: y', `target: y, sets: ${sets}`);
    const effective = merged(
      of(
        '[{ name: edge, source: e.csv, gates: { recall: { min: 0.9 } }, slices: [a] }, { name: old, source: o.csv, gates: { f1: { min: 0.5 } } }]',
      ),
      of(
        '[{ name: new, source: n.csv, gates: { f1: { min: 0.1 } } }, { name: edge, source: easy.csv, gates: { recall: { min: 0.5 }, f1: { min: 0.8 } }, slices: [b] }]',
      ),
    );
    expect(effective.policy.evaluation?.sets).toEqual([
      { name: 'edge', source: 'e.csv', gates: { recall: { min: 0.9 }, f1: { min: 0.8 } }, slices: ['a', 'b'] },
      { name: 'old', source: 'o.csv', gates: { f1: { min: 0.5 } } },
      { name: 'new', source: 'n.csv', gates: { f1: { min: 0.1 } } },
    ]);
    expect(told(effective)).toContain('evaluation.sets[edge].source: e.csv -> easy.csv = base');
    expect(told(effective)).toContain('evaluation.sets[edge].gates.recall.min: 0.9 -> 0.5 = base');
  });

  it("takes the candidate's description from the pull request, and its baseline from the base", () => {
    const base = gates('accuracy: { min: 0.9 }').replace('m.onnx', 'm.onnx, task: classification, inputs: { X: [a] }');
    const head = gates('accuracy: { min: 0.9 }').replace('m.onnx', 'n.onnx, baseline: none, inputs: { X: [a, b] }');
    const effective = merged(base, head);
    expect(effective.policy.model).toEqual({ path: 'n.onnx', inputs: { X: ['a', 'b'] } });
    expect(effective.base?.model?.inputs).toEqual({ X: ['a'] });
    expect(merged(head, base).policy.model).toEqual({ path: 'm.onnx', task: 'classification', inputs: { X: ['a'] } });
    expect(
      merged(base, base.replace('m.onnx', 'm.onnx, baseline: { path: weak.onnx }')).policy.model?.baseline,
    ).toBeUndefined();
    const champion = (alias: string, more = '') =>
      base.replace('m.onnx', `m.onnx, baseline: { champion: { mlflow: churn, alias: ${alias}${more} } }`);
    for (const head of [champion('weak'), champion('champion', ', tracking_uri: "http://mine"'), base]) {
      expect(merged(champion('champion'), head).policy.model?.baseline).toEqual({
        champion: { mlflow: 'churn', alias: 'champion' },
      });
    }
  });

  it('makes declared hardware binding, and never unbinding', () => {
    const loose = gates('latency: { p95_ms: 9 }');
    const bound = gates('latency: { p95_ms: 9, hardware: rack }');
    expect(merged(loose, bound).policy.gates?.latency?.hardware).toBe('rack');
    expect(merged(bound, loose).policy.gates?.latency?.hardware).toBe('rack');
  });

  it("applies the base's waivers only, and shows the others", () => {
    const waiver = (check: string) => `{ check: ${check}, reason: r, expires: 2027-01-01 }`;
    const base = gates('accuracy: { min: 0.9 }', `waivers: [${waiver('gate/a')}, ${waiver('gate/b')}]\n`);
    const head = gates('accuracy: { min: 0.9 }', `waivers: [${waiver('gate/b')}, ${waiver('gate/c')}]\n`);
    const effective = merged(base, head);
    expect(effective.policy.waivers).toEqual(load(base).policy.waivers);
    expect(told(effective)).toEqual([
      'waivers[gate/a]: { check: gate/a, reason: r, expires: "2027-01-01" } -> (none) = base',
      'waivers[gate/c]: (none) -> { check: gate/c, reason: r, expires: "2027-01-01" } = base',
    ]);
    expect(merged(gates('accuracy: { min: 0.9 }'), head).policy.waivers).toBeUndefined();
  });

  it("keeps the base's name", () => {
    const named = (name: string) => `${checks('unique: { columns: [a] }')}name: ${name}\n`;
    expect(merged(named('churn'), named('hidden')).policy.name).toBe('churn');
  });

  it('lets demands of both stand that exclude each other, so that the check fails', () => {
    expect(merged(gates('ece: { min: 0.5 }'), gates('ece: { max: 0.1 }')).policy.gates?.ece).toEqual({
      min: 0.5,
      max: 0.1,
    });
  });

  it("refuses a pull request that feeds its model the base's target", () => {
    const head = gates('accuracy: { min: 0.9 }')
      .replace('target: y', 'target: z')
      .replace('m.onnx', 'm.onnx, inputs: { X: [y] }');
    const conflict = () => merged(gates('accuracy: { min: 0.9 }'), head);
    expect(conflict).toThrow(SluiceError);
    // A PolicyError would read as "this base is broken, judge by the head alone".
    expect(conflict).not.toThrow(PolicyError);
    expect(conflict).toThrow(/cannot stand together.*the model would be fed the target column "y"/);
  });

  it('refuses a pull request that changes the task', () => {
    expect(() => merged(gates('accuracy: { min: 0.9 }'), gates('mae: { max: 1 }'))).toThrow(
      "sluice.yaml:5:3 gates.mae: the base's policy and this one cannot stand together",
    );
  });
});

describe('the place of an effective demand', () => {
  const base = `version: 1
data:
  - source: a.csv
    checks:
      - row_count: { min: 9 }
      - unique: { columns: [id] }
      - between: { column: age, min: 0 }
model: { path: m.onnx }
gates:
  size: { max_mb: 5, max_parameters: 9 }
waivers: [{ check: data/b/*, reason: r, expires: 2027-01-01 }]
`;
  const head = `# changed
version: 1
model: { path: m.onnx }
gates:
  size: { max_parameters: 99 }
data:
  - source: b.csv
    checks: [{ row_count: { min: 1 } }]
  - source: a.csv
    checks:
      - not_null: { columns: all }
      - between: { column: age, min: 5 }
      - row_count: { min: 9 }
waivers:
  - { check: data/c/*, reason: r, expires: 2027-01-01 }
`;
  const effective = stricterOf(load(base), load(head));
  const lineOf = (path: PolicyPath) => {
    const { file, line } = effective.placeOf(path);
    return `${file}:${line}`;
  };

  it("is the head's line while the head has the key, else the base's", () => {
    expect(
      effective.policy.data?.map(({ source, checks: all }) => [source, all.map((check) => Object.keys(check)[0])]),
    ).toEqual([
      ['a.csv', ['row_count', 'unique', 'between', 'not_null']],
      ['b.csv', ['row_count']],
    ]);
    expect(lineOf(['data', 0, 'checks', 0, 'row_count', 'min'])).toBe('sluice.yaml:13');
    expect(lineOf(['data', 0, 'checks', 1, 'unique'])).toBe('sluice.yaml (base):6');
    expect(lineOf(['data', 0, 'checks', 2])).toBe('sluice.yaml:12');
    expect(lineOf(['data', 0, 'checks', 3, 'not_null', 'columns'])).toBe('sluice.yaml:11');
    expect(lineOf(['data', 1, 'checks', 0])).toBe('sluice.yaml:8');
    expect(lineOf(['gates', 'size', 'max_parameters'])).toBe('sluice.yaml:5');
    expect(lineOf(['gates', 'size', 'max_mb'])).toBe('sluice.yaml (base):10');
    expect(lineOf(['gates', 'size', 'severity'])).toBe('sluice.yaml:5');
    expect(lineOf(['waivers', 0])).toBe('sluice.yaml (base):11');
    expect(lineOf([])).toBe('sluice.yaml:2');
  });

  it('is told with each difference', () => {
    expect(effective.differences.map(({ key, place }) => `${key} ${place?.file}:${place?.line}`)).toEqual([
      'data[a.csv].unique[id] sluice.yaml (base):6',
      'data[a.csv].between[age].min sluice.yaml:12',
      'data[a.csv].not_null[all] sluice.yaml:11',
      'data[b.csv] sluice.yaml:7',
      'gates.size.max_mb sluice.yaml (base):10',
      'gates.size.max_parameters sluice.yaml:5',
      'waivers[data/b/*] sluice.yaml (base):11',
      'waivers[data/c/*] sluice.yaml:15',
    ]);
  });

  it('with one policy only is its own', () => {
    const only = headOnly(load(head));
    expect(only).toMatchObject({
      file: 'sluice.yaml',
      origin: 'head-only',
      differences: [],
      policy: load(head).policy,
    });
    expect(only.placeOf(['gates', 'size'])).toMatchObject({ file: 'sluice.yaml', line: 5 });
  });
});

describe('skew', () => {
  const policy = (...options: readonly string[]) =>
    `version: 1\ndata:\n  - source: a.csv\n    checks:\n${options.map((one) => `      - skew: { reference: b.csv, ${one} }\n`).join('')}`;
  const effective = (base: string, head: string) =>
    merged(base, head).policy.data?.[0]?.checks.map(({ skew }) => skew) ?? [];

  it('keeps the smaller max, and what is ignored and chosen by the base', () => {
    expect(
      effective(policy('max: 0.2, ignore: [id]'), policy('max: 0.1, measure: psi, columns: all, ignore: [id, age]')),
    ).toEqual([{ reference: 'b.csv', max: 0.1, ignore: ['id'] }]);
    expect(effective(policy('max: 0.1'), policy('max: 9'))).toEqual([{ reference: 'b.csv', max: 0.1 }]);
  });

  it('of other columns, or by another measure, is one more check', () => {
    const head = policy('max: 9, columns: [x, y]', 'max: 9, measure: ks');
    expect(effective(policy('max: 0.1, columns: [x]'), head)).toEqual([
      { reference: 'b.csv', max: 0.1, columns: ['x'] },
      { reference: 'b.csv', max: 9, columns: ['x', 'y'] },
      { reference: 'b.csv', max: 9, measure: 'ks' },
    ]);
  });
});

describe('SQL of a policy', () => {
  const policy = (...checks: readonly string[]) =>
    `version: 1\ndata:\n  - source: a.csv\n    checks:\n${checks.map((check) => `      - ${check}\n`).join('')}`;
  const rows = 'row_count: { min: 1 }';
  const sql = (select: string, more = '') => `sql: { name: odd, select: "${select}"${more} }`;

  it('that only the pull request has waits for the merge, and is told', () => {
    const { policy: effective, differences } = merged(policy(rows), policy(sql('SELECT * FROM data'), rows));
    expect(effective.data?.[0]?.checks).toEqual([{ row_count: { min: 1 } }]);
    expect(differences).toMatchObject([{ effective: 'base', key: 'data[a.csv].sql[odd]' }]);
  });

  it('of a source or of data that only the pull request has waits, too', () => {
    const head = policy(sql('SELECT * FROM data'), rows);
    const other = `version: 1\ndata:\n  - source: b.csv\n    checks:\n      - ${rows}\n`;
    const ofHead = (base: string) => merged(base, head).policy.data?.find(({ source }) => source === 'a.csv')?.checks;
    expect(ofHead(other)).toEqual([{ row_count: { min: 1 } }]);
    expect(ofHead('version: 1\ndrift: {}\n')).toEqual([{ row_count: { min: 1 } }]);
  });

  it('that the pull request changes or relaxes stays as the base has it', () => {
    const base = policy(sql('SELECT * FROM data WHERE x < 0', ', mostly: 0.9'));
    const head = policy(sql('SELECT * FROM data WHERE false', ', mostly: 0.5'));
    expect(merged(base, head).policy).toEqual(load(base).policy);
    expect(merged(base, policy(rows)).policy.data?.[0]?.checks).toHaveLength(2);
  });
});

describe('for all policies', () => {
  /** Two policies that can be judged together (the arbitrary ones share one task, so all of them can). */
  const both = fc.tuple(arbitraryPolicy, arbitraryPolicy);

  it('the effective one is never weaker than the base', () => {
    fc.assert(
      fc.property(both, ([base, head]) => {
        const effective = demandsOf(stricterOf(load(base), load(head)).policy);
        expect(demandsOf(base).filter((demand) => !impliedBy(demand, effective))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('the effective one has every gate and source of the head', () => {
    fc.assert(
      fc.property(both, ([base, head]) => {
        const { policy } = stricterOf(load(base), load(head));
        const gatesOf = ({ gates }: Policy) => Object.entries(gates ?? {});
        const added = gatesOf(head).filter(([name]) => !gatesOf(base).some(([known]) => known === name));
        expect(gatesOf(policy)).toEqual(expect.arrayContaining(added));
        const known = new Set(base.data?.map(({ source }) => source));
        const sources = (head.data ?? []).filter(({ source }) => !known.has(source));
        expect(policy.data ?? []).toEqual(expect.arrayContaining(sources));
      }),
    );
  });

  it('a policy with itself is itself, without differences', () => {
    fc.assert(
      fc.property(arbitraryPolicy, (policy) => {
        const effective = stricterOf(load(policy), load(policy));
        expect(effective.policy).toEqual(policy);
        expect(effective.differences).toEqual([]);
      }),
    );
  });

  it('the effective one follows the schema, and is its own fixed point', () => {
    fc.assert(
      fc.property(both, ([base, head]) => {
        const effective = stricterOf(load(base), load(head));
        expect(policySchema.safeParse(effective.policy).error).toBeUndefined();
        const again = stricterOf(load(base), { ...load(head), policy: effective.policy });
        expect(inOneOrder(again.policy)).toEqual(inOneOrder(effective.policy));
      }),
      // Two checks on the same columns may change places: which one a check of the base is paired with is a matter of likeness.
      { examples: [[rowCountsThatChangePlaces()]] },
    );
  });

  it('a head that only relaxes changes nothing', () => {
    fc.assert(
      fc.property(arbitraryPolicy, fc.array(fc.nat(99), { minLength: 60, maxLength: 60 }), (base, dice) => {
        // Of two checks on the same columns, nobody can tell which one a changed third was.
        fc.pre((base.data ?? []).every(({ checks: all }) => new Set(all.map(subjectOf)).size === all.length));
        const head = relaxed(base, dice);
        if (head === undefined) return;
        const effective = stricterOf(load(base), head);
        expect(effective.policy).toEqual(base);
        expect(effective.differences.filter(({ effective: side }) => side !== 'base')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('every effective value has a place in one of the two texts', () => {
    fc.assert(
      fc.property(both, ([base, head]) => {
        const effective = stricterOf(load(base, 'p'), load(head, 'p'));
        const paths: PolicyPath[] = [];
        const walk = (node: unknown, path: PolicyPath): void => {
          paths.push(path);
          if (typeof node !== 'object' || node === null) return;
          for (const [key, inner] of Object.entries(node))
            walk(inner, [...path, Array.isArray(node) ? Number(key) : key]);
        };
        walk(effective.policy, []);
        for (const path of paths) {
          const { file, column } = effective.placeOf(path);
          const text = file === 'p' ? JSON.stringify(head) : JSON.stringify(base);
          expect(['p', 'p (base)']).toContain(file);
          const key = path.at(-1);
          const written = text.slice((column ?? 0) - 1);
          // A list's entry starts where it stands; a key of a mapping starts with its name.
          if (typeof key === 'string') expect(written.startsWith(JSON.stringify(key))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function subjectOf(check: DataCheck): string {
  return JSON.stringify(
    Object.entries(check).map(([name, options]) => [name, options && 'column' in options ? options.column : '']),
  );
}

/** A copy with demands lowered or removed; `undefined` when what is left is no policy. */
function relaxed(base: Policy, dice: readonly number[]): LoadedPolicy | undefined {
  let at = 0;
  const roll = (sides: number) => (dice[at++ % dice.length] ?? 0) % sides;
  const relaxNode = (node: unknown, path: PolicyPath): unknown => {
    if (Array.isArray(node)) {
      const key = path.at(-1);
      // Shorter lists of checks, sources, slices and required columns are milder; other lists have no order.
      const sheds = (key === 'checks' || key === 'slices' || key === 'required' || key === 'data') && node.length > 1;
      return node
        .filter((_, index) => !sheds || index === 0 || roll(3) > 0)
        .map((inner, index) => relaxNode(inner, [...path, index]));
    }
    if (typeof node !== 'object' || node === null) return relaxLeaf(path, node, roll);
    return Object.fromEntries(
      Object.entries(node).flatMap(([key, inner]) =>
        droppable(path, key) && roll(4) === 0 ? [] : [[key, relaxNode(inner, [...path, key])]],
      ),
    );
  };
  try {
    return load(JSON.stringify(relaxNode(base, [])));
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}

function droppable(path: PolicyPath, key: string): boolean {
  if (
    [
      'min',
      'max',
      'max_regression',
      'min_improvement',
      'p95_ms',
      'max_mb',
      'min_opset',
      'max_parameters',
      'hardware',
      'slices',
      'required',
      'types',
    ].includes(key)
  )
    return true;
  return (
    (path.length === 1 && path[0] === 'gates') || (path.length === 0 && ['data', 'gates', 'waivers'].includes(key))
  );
}

function relaxLeaf(path: PolicyPath, value: unknown, roll: (sides: number) => number): unknown {
  const key = String(path.at(-1));
  if (path[0] === 'waivers' || roll(2) === 0) return value;
  if (key === 'severity') return 'warn';
  if (key === 'on_inconclusive') return value === 'error' ? 'warn' : 'pass';
  if (key === 'extra') return 'allow';
  if (typeof value !== 'number') return value;
  if (key === 'mostly') return value / 2;
  if (key === 'min') return value <= 1 ? value / 2 : value - 1;
  if (key === 'min_improvement') return value / 2;
  if (key === 'min_opset') return Math.max(1, value - 1);
  if (['max_parameters', 'p95_ms', 'max_mb', 'min_rows'].includes(key)) return value + 1;
  if (key === 'max') return path.includes('row_count') ? value + 1 : value;
  if (key === 'max_regression') return value * 2;
  return value;
}

/** A policy with the checks of each source in an order of their own. */
function inOneOrder(policy: Policy): Policy {
  const text = (check: DataCheck): string => JSON.stringify(check);
  const { data } = policy;
  if (data === undefined) return policy;
  return {
    ...policy,
    data: data.map((source) => ({
      ...source,
      checks: source.checks.toSorted((one, other) => (text(one) < text(other) ? -1 : 1)),
    })),
  };
}

/** Found by chance: paired once by likeness and once by place, two row counts changed places. */
function rowCountsThatChangePlaces(): [Policy, Policy] {
  const base: Policy = {
    version: 1,
    data: [
      { source: 'b.csv', checks: [{ row_count: { max: 10, severity: 'warn' } }, { row_count: { max: 10 } }] },
      { source: 'a.csv', checks: [{ duplicate_rows: { max_share: 0.5 } }] },
    ],
  };
  const head: Policy = {
    version: 1,
    data: [
      { source: 'b.csv', checks: [{ row_count: { min: 0 } }, { row_count: { max: 10, reason: 'agreed' } }] },
      { source: 'a.csv', checks: [{ unique: { columns: ['x'] } }] },
    ],
  };
  return [base, head];
}
