import { describe, expect, it } from 'vitest';
import { PolicyError, SluiceError } from '../problem/index.ts';
import { policyJsonSchema } from './json-schema.ts';
import { contradictionsOfAddresses, newNamesOf, outsidePlaces } from './outside-names.ts';
import { parsePolicy } from './parse-policy.ts';
import { isMapping } from './policy-path.ts';
import type { Policy } from './schema.ts';
import { stricterOf } from './stricter-policy.ts';

/** Every place of the JSON Schema that holds a free text, and the named part that says what it is. */
function textPlaces(): ReadonlyMap<string, string> {
  const schema = policyJsonSchema();
  const definitions = isMapping(schema['$defs']) ? schema['$defs'] : {};
  const places = new Map<string, string>();
  const walk = (node: unknown, place: string, within: readonly string[]): void => {
    if (!isMapping(node)) return;
    const part = String(node['$ref'] ?? '')
      .split('/')
      .at(-1);
    if (part !== undefined && part !== '' && !within.includes(part)) walk(definitions[part], place, [...within, part]);
    for (const key of ['anyOf', 'oneOf', 'allOf'])
      for (const one of Array.isArray(node[key]) ? node[key] : []) walk(one, place, within);
    walk(node['items'], `${place}[]`, within);
    for (const one of Array.isArray(node['prefixItems']) ? node['prefixItems'] : []) walk(one, `${place}[]`, within);
    walk(node['additionalProperties'], `${place}.*`, within);
    for (const [key, one] of Object.entries(isMapping(node['properties']) ? node['properties'] : {}))
      walk(one, place === '' ? key : `${place}.${key}`, within);
    if (node['type'] === 'string' && node['enum'] === undefined && node['const'] === undefined)
      places.set(place, within.at(-1) ?? '');
  };
  walk(schema, '', []);
  return places;
}

/** Parts of the schema that are words of their own kind: columns, times, percentages, reasons. */
const wordParts = new Set(['column', 'reason', 'duration', 'change', 'guardrail', 'customMetric', 'where']);
/** Texts that name a thing inside of what was opened, or are said to a reader. */
const words: readonly RegExp[] = [
  /^name$/,
  /^waivers\[\]\./,
  /\.(name|column|columns\[\]|label|features\[\]|ignore\[\]|required\[\]|field|fields\[\]|group|group\[\])$/,
  /\.(max_regression|min_improvement|min_gap|pattern|max_age|select|hardware)$/,
  /\.(min|max|values\[\]|where|where\..*|slices\[\]+(\[\])?)$/,
  /^model\.(baseline\.)?predictions\.(key|truth|label|scores|scores\[\]|value)$/,
  /^model\.(inputs|outputs|classes)\b/,
  // Of the base's server: its address and token are the base's.
  /^model\.endpoint\.(model|version)$/,
  /^model\.run\.(id|metrics\.\*)$/,
  /^model\.baseline\.champion\.artifact$/,
  /^evaluation\.(target|target\[\]|query|positive)$/,
  // Run as tests are, without secrets.
  /^episodes\.(command\[\]|output)$/,
  /^drift\.(prediction|target)$/,
  /^engines\.(trino|athena)\.(catalog|schema|database)$/,
];

describe('the places of a policy that name something outside the repository', () => {
  const all = [...textPlaces()].filter(([place]) => !/^(smoke|canary)\./.test(place));
  const listed: readonly string[] = Object.values(outsidePlaces).flat();

  it('are all there are: every text of the schema is one of them, or a word', () => {
    const undecided = all
      .filter(([place, part]) => !listed.includes(place) && !wordParts.has(part))
      .filter(([place]) => !words.some((word) => word.test(place)))
      .map(([place]) => place);
    expect(undecided, 'add it to outsidePlaces, or to the words of this test').toEqual([]);
  });

  it('hold every file that the schema has', () => {
    const files = all.flatMap(([place, part]) => (part === 'path' ? [place] : []));
    expect(files.filter((place) => !listed.includes(place))).toEqual([]);
  });

  it('are in the schema', () => {
    const places = new Set(all.map(([place]) => place));
    expect(listed.filter((place) => !places.has(place))).toEqual([]);
  });
});

const server = 'https://evil.example';
const object = 's3://evil/rows.csv';
const rows = (source: string, ...checks: readonly string[]) =>
  `data:\n  - source: ${source}\n    checks: [${['{ row_count: { min: 1 } }', ...checks].join(', ')}]\n`;
const evaluation = (source: string, more = '') => `evaluation: { source: "${source}", target: y${more} }\n`;
const accuracy = 'gates: { accuracy: { min: 0.5 } }\n';
const table = '{ table: evil.s.t, engine: trino }';
const other = '{ table: other.s.t, engine: trino }';
const trino = 'engines: { trino: { url: "https://trino.example" } }\n';
const model = (text: string) => `model: { ${text} }\n`;

/** A pull request's policy that names something outside at this place. */
const heads: Readonly<Record<string, string>> = {
  'model.predictions': model(`predictions: "${object}"`) + evaluation('t.csv') + accuracy,
  'model.predictions.path': model(`predictions: { path: "${object}" }`) + evaluation('t.csv') + accuracy,
  'model.baseline.predictions':
    model(`predictions: p.csv, baseline: { predictions: "${object}" }`) + evaluation('t.csv') + accuracy,
  'model.baseline.predictions.path':
    model(`predictions: p.csv, baseline: { predictions: { path: "${object}" } }`) + evaluation('t.csv') + accuracy,
  'data[].source': rows(`"${object}"`),
  'data[].source.table': trino + rows(table),
  'data[].checks[].relationships.to': rows('a.csv', `{ relationships: { columns: [k], to: "${object}" } }`),
  'data[].checks[].relationships.to.table': trino + rows(other, `{ relationships: { columns: [k], to: ${table} } }`),
  'data[].checks[].new_categories.reference': rows(
    'a.csv',
    `{ new_categories: { column: k, reference: "${object}" } }`,
  ),
  'data[].checks[].new_categories.reference.table':
    trino + rows(other, `{ new_categories: { column: k, reference: ${table} } }`),
  'data[].checks[].train_test_overlap.reference': rows(
    'a.csv',
    `{ train_test_overlap: { reference: "${object}", max_share: 0 } }`,
  ),
  'data[].checks[].train_test_overlap.reference.table':
    trino + rows(other, `{ train_test_overlap: { reference: ${table}, max_share: 0 } }`),
  'data[].checks[].skew.reference': rows('a.csv', `{ skew: { reference: "${object}", max: 0.1 } }`),
  'data[].checks[].sql.tables.*': rows(
    'a.csv',
    `{ sql: { name: s, select: SELECT * FROM t, tables: { t: "${object}" } } }`,
  ),
  'evaluation.source': model('path: m.onnx') + evaluation(object) + accuracy,
  'evaluation.sets[].source':
    model('path: m.onnx') +
    evaluation('t.csv', `, sets: [{ name: edge, source: "${object}", gates: { recall: { min: 0.5 } } }]`) +
    accuracy,
  'drift.reference': `drift: { reference: "${object}", current: now.csv }\n`,
  'drift.reference.source': `drift: { reference: { source: "${object}" }, current: now.csv }\n`,
  'drift.current': `drift: { reference: then.csv, current: "${object}" }\n`,
  'drift.current.source': `drift: { reference: then.csv, current: { source: "${object}" } }\n`,
  'model.endpoint.url': model(`endpoint: { url: "${server}" }`) + evaluation('t.csv') + accuracy,
  'model.endpoint.token_env':
    model(`endpoint: { url: "${server}", token_env: SLUICE_ENDPOINT_TOKEN }`) + evaluation('t.csv') + accuracy,
  'model.run.experiment': model('run: { experiment: evil }') + accuracy,
  'model.run.tracking_uri': model(`run: { experiment: evil, tracking_uri: "${server}" }`) + accuracy,
  'model.baseline.champion.mlflow':
    model('path: m.onnx, baseline: { champion: { mlflow: evil, alias: a } }') + evaluation('t.csv') + accuracy,
  'model.baseline.champion.alias':
    model('path: m.onnx, baseline: { champion: { mlflow: m, alias: evil } }') + evaluation('t.csv') + accuracy,
  'model.baseline.champion.tracking_uri':
    model(`path: m.onnx, baseline: { champion: { mlflow: m, alias: a, tracking_uri: "${server}" } }`) +
    evaluation('t.csv') +
    accuracy,
  'engines.trino.url': `engines: { trino: { url: "${server}" } }\n`,
  'engines.trino.user': 'engines: { trino: { url: "https://trino.example", user: evil } }\n',
  'engines.trino.session.*': 'engines: { trino: { url: "https://trino.example", session: { role: evil } } }\n',
  'engines.athena.region': 'engines: { athena: { region: eu-evil-1, max_scanned_gb: 1 } }\n',
  'engines.athena.workgroup': 'engines: { athena: { region: eu-central-1, workgroup: evil, max_scanned_gb: 1 } }\n',
  'engines.athena.output':
    'engines: { athena: { region: eu-central-1, output: "s3://evil-bucket/", max_scanned_gb: 1 } }\n',
};

/** Policies of base branches that name nothing of the kind: without the part, and with a part that stays in the repository. */
const bases: Readonly<Record<string, string>> = {
  'data alone': rows('b.csv'),
  'the same file': rows('a.csv'),
  'a model': model('path: m.onnx, baseline: none') + evaluation('t.csv') + accuracy,
  'a model without rows': `${model('path: m.onnx')}gates: { size: { max_mb: 5 } }\n`,
  predictions: model('predictions: p.csv, baseline: none') + evaluation('t.csv') + accuracy,
  'a drift check': 'drift: { columns: [a] }\n',
  'a drift check of files': 'drift: { reference: then.csv, current: now.csv }\n',
  'another bucket': rows('"s3://own/rows.csv"') + model('path: m.onnx') + evaluation('s3://own/t.csv') + accuracy,
};
const kept = rows('kept.csv');
const load = (text: string) => parsePolicy(`version: 1\n${text}`, 'sluice.yaml');
/** `data` of both, where one has none, so that every policy demands something. */
const whole = (text: string) => load(text.includes('data:') ? text : text + kept);

describe('what only a pull request names outside the repository waits for the merge', () => {
  it('at every place there is', () => {
    const held = [...outsidePlaces.rows, ...outsidePlaces.elsewhere];
    expect(Object.keys(heads).sort()).toEqual([...held].sort());
  });

  describe.each(Object.entries(heads))('%s', (_place, text) => {
    const head = whole(text);

    it('is outside of the repository in this test', () => {
      expect(newNamesOf(head.policy, { version: 1 }).length).toBeGreaterThan(0);
      expect(JSON.stringify(head.policy)).toMatch(/evil/);
    });

    it.each(Object.entries(bases))('where the base has %s', (_, base) => {
      const { policy, differences } = stricterOf(whole(base), head);
      expect(JSON.stringify(policy)).not.toMatch(/evil/);
      expect(differences.some(({ head: told, effective }) => effective === 'base' && /evil/.test(told ?? ''))).toBe(
        true,
      );
    });

    it('and counts once the base has it', () => {
      expect(stricterOf(head, head).policy).toMatchObject(head.policy);
    });
  });

  it('and what the pull request demands of it waits with it, so that the rest is judged', () => {
    const base = load(`${model('path: m.onnx')}gates: { size: { max_mb: 5 } }\n`);
    const head = load(
      `${model('path: m.onnx')}${evaluation(object)}gates: { size: { max_mb: 4 }, accuracy: { min: 0.5 }, guardrails: [{ output: y, finite: true }] }\nexplain: { importance: {} }\n`,
    );
    const { policy, differences } = stricterOf(base, head);
    expect(policy).toEqual({ version: 1, model: { path: 'm.onnx' }, gates: { size: { max_mb: 4 } } });
    expect(differences.map(({ key, effective }) => [key, effective])).toEqual([
      ['evaluation', 'base'],
      ['explain', 'base'],
      ['gates.accuracy', 'base'],
      ['gates.guardrails', 'base'],
      ['gates.size.max_mb', 'head'],
    ]);
  });

  it('and a set keeps its line where another waits before it', () => {
    const set = (name: string, source: string) =>
      `\n    - { name: ${name}, source: "${source}", gates: { recall: { min: 0.5 } } }`;
    const of = (...sets: readonly string[]) =>
      load(`${model('path: m.onnx')}evaluation:\n  source: t.csv\n  target: y\n  sets:${sets.join('')}\n${accuracy}`);
    const head = of(set('first', 'a.csv'), set('bucket', object), set('last', 'b.csv'));
    const effective = stricterOf(of(set('first', 'a.csv')), head);
    expect(effective.policy.evaluation?.sets?.map(({ name }) => name)).toEqual(['first', 'last']);
    const path = ['evaluation', 'sets', 1, 'source'];
    expect(effective.placeOf(path)).toEqual(head.placeOf(['evaluation', 'sets', 2, 'source']));
  });

  it('and another key of a bucket is another object, however it is spelt', () => {
    const { policy } = stricterOf(load(rows('"s3://own/rows.csv"')), load(rows('"s3://own/x/../rows.csv"')));
    expect(policy.data?.map(({ source }) => source)).toEqual(['s3://own/rows.csv']);
  });

  it('and a source all of whose checks wait is not opened', () => {
    const head = load(
      `data:\n  - { source: a.csv, checks: [{ row_count: { min: 1 } }] }\n  - { source: b.csv, checks: [{ sql: { name: s, select: SELECT 1 } }] }\n`,
    );
    expect(stricterOf(load(rows('a.csv')), head).policy.data?.map(({ source }) => source)).toEqual(['a.csv']);
  });

  it('and what a part of the base reads, no other part may', () => {
    const base = load(model('path: m.onnx') + evaluation('s3://own/t.csv') + accuracy + rows('a.csv'));
    const head = load(
      model('path: m.onnx') +
        evaluation('s3://own/t.csv') +
        accuracy +
        rows('a.csv', '{ relationships: { columns: [k], to: "s3://own/t.csv" } }'),
    );
    expect(stricterOf(base, head).policy).toEqual(base.policy);
  });
});

describe('newNamesOf', () => {
  it('finds what a merge let through, in the part of the policy it stands in', () => {
    const evil: Policy = { version: 1, drift: { reference: object } };
    expect(newNamesOf(evil, { version: 1, drift: { current: object } })).toEqual([]);
    expect(newNamesOf(evil, load(rows(`"${object}"`)).policy)).toEqual([
      expect.objectContaining({ path: ['drift', 'reference'], name: object }),
    ]);
  });
});

describe('an address that nothing reads', () => {
  it.each([
    [rows('"https://host/rows.csv"'), 'data[0].source', /s3:\/\/bucket/],
    [rows('"S3://bucket/rows.csv"'), 'data[0].source', /s3:\/\/bucket/],
    ['drift: { reference: "gs://bucket/x.csv" }\n', 'drift.reference', /s3:\/\/bucket/],
    [`${model('path: "s3://bucket/m.onnx"')}gates: { size: { max_mb: 1 } }\n`, 'model.path', /repository/],
    [`${model('path: "oci://host/m.onnx"')}gates: { size: { max_mb: 1 } }\n`, 'model.path', /repository/],
  ])('is told when the policy is read: %s', (text, key, expected) => {
    const thrown = (() => {
      try {
        return load(text);
      } catch (error) {
        return error;
      }
    })();
    if (!(thrown instanceof PolicyError)) throw thrown;
    expect(thrown.problems).toEqual([
      expect.objectContaining({
        code: 'unsupported-address',
        place: expect.objectContaining({ key }),
        expected: expect.stringMatching(expected),
      }),
    ]);
    expect(thrown).toBeInstanceOf(SluiceError);
  });

  it('is no file that only looks like one', () => {
    expect(contradictionsOfAddresses({ data: [{ source: 'C:\\rows.csv' }, { source: 'a:b.csv' }] })).toEqual([]);
  });
});
