import { describe, expect, it } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { parsePolicy } from './parse-policy.ts';

const judged = 'version: 1\nmodel: { path: m.onnx }\nevaluation: { source: t.csv, target: y }\n';
const gates = (text: string) => `${judged}gates: { ${text} }\n`;
const check = (text: string) => `version: 1\ndata: [{ source: a.csv, checks: [{ ${text} }] }]\n`;
const evaluation = (text: string) =>
  `version: 1\nmodel: { path: m.onnx }\nevaluation: { source: t.csv, target: y, ${text} }\ngates: { accuracy: { min: 0.9 } }\n`;
const sound = 'data: [{ source: a.csv, checks: [{ unique: { columns: [id] } }] }]\n';

function codesOf(text: string): readonly (readonly [string, string | undefined])[] {
  try {
    parsePolicy(text, 'sluice.yaml');
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ code, place }) => [code, place?.key]);
    throw error;
  }
}

describe('a policy is refused', () => {
  it.each([
    [
      'with a column of skew both named and ignored',
      check('skew: { reference: b.csv, max: 0.1, columns: [x, y], ignore: [y] }'),
      'named-and-ignored',
      'data[0].checks[0].skew.columns[1]',
    ],
    [
      'with skew against itself',
      check('skew: { reference: a.csv, max: 0.1 }'),
      'same-data',
      'data[0].checks[0].skew.reference',
    ],
    [
      'with two checks in one list entry',
      check('unique: { columns: [a] }, row_count: { min: 1 }'),
      'not-one-key',
      'data[0].checks[0]',
    ],
    [
      'with an average of a metric that has none',
      gates('mae: { max: 1, average: macro }'),
      'option-without-effect',
      'gates.mae.average',
    ],
    [
      'with an average the area cannot have',
      gates('roc_auc: { min: 0.8, average: micro }'),
      'option-without-effect',
      'gates.roc_auc.average',
    ],
    ['with a k of accuracy', gates('accuracy: { min: 0.8, k: 3 }'), 'option-without-effect', 'gates.accuracy.k'],
    [
      'with a loss of labels where there is one target',
      gates('hamming_loss: { max: 0.1 }'),
      'mixed-tasks',
      'gates.hamming_loss',
    ],
    [
      'with an average over samples where there is one target',
      gates('f1: { min: 0.1, average: samples }'),
      'mixed-tasks',
      'gates.f1.average',
    ],
    [
      'with one of several targets as a feature',
      evaluation('features: [y, x]').replace('target: y', 'target: [y, z]'),
      'target-leak',
      'evaluation.features',
    ],
    [
      'with an area of several targets',
      gates('roc_auc: { min: 0.1 }').replace('target: y', 'target: [y, z]'),
      'mixed-tasks',
      'gates.roc_auc',
    ],
    ['with a ranking of no queries', gates('ndcg: { min: 0.1 }'), 'mixed-tasks', 'gates.ndcg'],
    ['with accuracy of queries', evaluation('query: q'), 'mixed-tasks', 'gates.accuracy'],
    [
      'with slices of queries',
      evaluation('query: q, slices: [s]').replace('accuracy', 'mrr'),
      'mixed-tasks',
      'evaluation.slices',
    ],
    [
      'with a change of a slope',
      gates('calibration_slope: { max_regression: 0.1 }'),
      'option-without-effect',
      'gates.calibration_slope.max_regression',
    ],
    ['with an empty list entry', check(''), 'not-one-key', 'data[0].checks[0]'],
    ['with between and no bound', check('between: { column: a }'), 'no-bound', 'data[0].checks[0].between'],
    ['with row_count and no bound', check('row_count: {}'), 'no-bound', 'data[0].checks[0].row_count'],
    ['with class_share and no bound', check('class_share: { column: a }'), 'no-bound', 'data[0].checks[0].class_share'],
    ['with schema and no columns', check('schema: { extra: forbid }'), 'no-bound', 'data[0].checks[0].schema'],
    [
      'with min above max in a check',
      check('between: { column: a, min: 2, max: 1 }'),
      'min-above-max',
      'data[0].checks[0].between.min',
    ],
    ['with min above max in a gate', gates('accuracy: { min: 0.9, max: 0.8 }'), 'min-above-max', 'gates.accuracy.min'],
    [
      'with min above max in fairness',
      gates('fairness: { group: g, accuracy_ratio: { min: 0.9, max: 0.8 } }'),
      'min-above-max',
      'gates.fairness.accuracy_ratio.min',
    ],
    ['with an empty metric', gates('accuracy: { severity: warn }'), 'no-bound', 'gates.accuracy'],
    ['with an empty latency', gates('latency: { batch_size: 8 }'), 'no-bound', 'gates.latency'],
    ['with an empty size', gates('size: {}'), 'no-bound', 'gates.size'],
    ['with fairness and no metric', gates('fairness: { group: g }'), 'no-bound', 'gates.fairness'],
    [
      'with an empty fairness metric',
      gates('fairness: { group: g, accuracy_ratio: {} }'),
      'no-bound',
      'gates.fairness.accuracy_ratio',
    ],
    ['with gates and no model', 'version: 1\ngates: { size: { max_mb: 1 } }\n', 'gate-without-model', 'gates'],
    [
      'with a metric and no evaluation',
      'version: 1\nmodel: { path: m.onnx }\ngates: { f1: { min: 0.5 } }\n',
      'gate-without-evaluation',
      'gates.f1',
    ],
    [
      'with a regression bound and baseline none',
      gates('accuracy: { max_regression: 1% }').replace('m.onnx', 'm.onnx, baseline: none'),
      'no-baseline',
      'gates.accuracy.max_regression',
    ],
    [
      'with classification and regression metrics',
      gates('accuracy: { min: 0.9 }, mae: { max: 1 }'),
      'mixed-tasks',
      'gates.mae',
    ],
    [
      'with fairness of the other task',
      gates('rmse: { max: 1 }, fairness: { group: g, recall_difference: { max: 0.1 } }'),
      'mixed-tasks',
      'gates.rmse',
    ],
    [
      'with a metric that its task lacks',
      gates('accuracy: { min: 0.9 }').replace('m.onnx', 'm.onnx, task: regression'),
      'mixed-tasks',
      'gates.accuracy',
    ],
    ['with a bound no model can reach', gates('accuracy: { min: 90 }'), 'out-of-range', 'gates.accuracy.min'],
    ['with a bound below every value', gates('mae: { max: -1 }'), 'out-of-range', 'gates.mae.max'],
    [
      'with a regression bound that forbids nothing',
      gates('recall: { max_regression: 1 }'),
      'out-of-range',
      'gates.recall.max_regression',
    ],
    ['with the target among the features', evaluation('features: [x, y]'), 'target-leak', 'evaluation.features'],
    [
      'with the target among the inputs',
      evaluation('ignore: [id]').replace('m.onnx', 'm.onnx, inputs: { X: [y] }'),
      'target-leak',
      'model.inputs.X',
    ],
    [
      'with a slice over two columns',
      evaluation('slices: [{ a: [1], b: [2] }]'),
      'not-one-key',
      'evaluation.slices[0]',
    ],
    [
      'with two columns in one part of an intersection',
      evaluation('slices: [[c, { a: [1], b: [2] }]]'),
      'not-one-key',
      'evaluation.slices[0][1]',
    ],
    [
      'with a column crossed with itself',
      evaluation('slices: [[a, { a: [1] }]]'),
      'repeated-column',
      'evaluation.slices[0][1]',
    ],
    [
      'with weak slices of the truth itself',
      evaluation('weak_slices: { columns: [a, y] }'),
      'target-leak',
      'evaluation.weak_slices.columns[1]',
    ],
    [
      'with two sets of one name',
      evaluation(
        'sets: [{ name: s, source: a.csv, gates: { f1: { min: 0 } } }, { name: s, source: b.csv, gates: { f1: { min: 0 } } }]',
      ),
      'duplicate-set',
      'evaluation.sets[1].name',
    ],
    [
      'with a set that demands nothing',
      evaluation('sets: [{ name: s, source: a.csv, gates: {} }]'),
      'no-bound',
      'evaluation.sets[0].gates',
    ],
    [
      'with a bound of a set that no model can reach',
      evaluation('sets: [{ name: s, source: a.csv, gates: { recall: { min: 90 } } }]'),
      'out-of-range',
      'evaluation.sets[0].gates.recall.min',
    ],
    [
      'with slices of a set whose edges fall',
      evaluation('sets: [{ name: s, source: a.csv, gates: { f1: { min: 0 } }, slices: [{ a: [3, 1] }] }]'),
      'edges-not-rising',
      'evaluation.sets[0].slices[0].a',
    ],
    [
      'with two conditions of one name',
      evaluation('slices: [{ name: n, where: a }, { name: n, where: b }]'),
      'duplicate-slice',
      'evaluation.slices[1].name',
    ],
    ['with edges that fall', evaluation('slices: [{ a: [3, 1] }]'), 'edges-not-rising', 'evaluation.slices[0].a'],
    [
      'with one source twice',
      `version: 1\ndata:\n  - { source: a.csv, checks: [{ row_count: { min: 1 } }] }\n  - { source: ./a.csv, checks: [{ row_count: { min: 2 } }] }\n`,
      'repeated-source',
      'data[1].source',
    ],
    [
      'with a waiver for everything',
      `version: 1\n${sound}waivers: [{ check: "*", reason: r, expires: 2027-01-01 }]\n`,
      'waives-everything',
      'waivers[0].check',
    ],
  ])('%s', (_what, text, code, key) => {
    expect(codesOf(text)).toEqual([[code, key]]);
  });

  it('even when the schema refuses other parts of it', () => {
    expect(codesOf(gates('accuracy: { min: 0.9, max: 0.8 }, size: { max_mb: big }'))).toEqual([
      ['min-above-max', 'gates.accuracy.min'],
      ['wrong-type', 'gates.size.max_mb'],
    ]);
  });
});

describe('a policy is accepted', () => {
  it.each([
    ['with a metric bounded from its bad side', gates('accuracy: { max: 0.99 }')],
    ['with min equal to max', check('between: { column: a, min: 1, max: 1 }')],
    ['with latency and no evaluation', 'version: 1\nmodel: { path: m.onnx }\ngates: { latency: { p95_ms: 5 } }\n'],
    [
      'with absolute bounds and baseline none',
      gates('accuracy: { min: 0.9 }').replace('m.onnx', 'm.onnx, baseline: none'),
    ],
    [
      'with regression metrics and their fairness',
      gates('r2: { min: 0.2 }, fairness: { group: g, mae_ratio: { max: 1.5 } }'),
    ],
    ['with an unbounded metric far down', gates('r2: { min: -3 }')],
    [
      'with one check twice, milder and stricter',
      `version: 1\ndata: [{ source: a.csv, checks: [{ not_null: { columns: [a], mostly: 0.9 } }, { not_null: { columns: [a], severity: warn } }] }]\n`,
    ],
    [
      'with a waiver for one source',
      `version: 1\n${sound}waivers: [{ check: data/a.csv/*, reason: r, expires: 2027-01-01 }]\n`,
    ],
  ])('%s', (_what, text) => {
    expect(codesOf(text)).toEqual([]);
  });
});
