import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../core/data/index.ts';
import { classifierModel, floatTensor, identityModel, linearModel, writeModel } from '../../core/onnx/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { checkOf, csv, judge, type Scene } from './scene.ts';

// A classifier of two features: class 1 where x + y > 0, surer the further away.
const byTheSum = classifierModel(
  [
    [0, 2],
    [0, 2],
  ],
  [0, 0],
);
/** The same labels, surer scores. */
const byTheSumAgain = classifierModel(
  [
    [0, 4],
    [0, 4],
  ],
  [0, 0],
);
const always0 = classifierModel(
  [
    [0, 0],
    [0, 0],
  ],
  [1, 0],
);
/** Rows on a spiral; every tenth label is wrong. */
const points = Array.from({ length: 200 }, (_, row) => {
  const [x, y] = [Math.cos(row * 1.7) * 2, Math.sin(row * 2.3) * 2].map((value) => Number(value.toFixed(3)));
  const label = (x ?? 0) + (y ?? 0) > 0 ? 1 : 0;
  return [x ?? 0, y ?? 0, row % 10 === 0 ? 1 - label : label] as const;
});
const rows = csv(['x', 'y', 'label'], points);

function policy(
  gates: string,
  more: { readonly evaluation?: string; readonly model?: string; readonly end?: string } = {},
): string {
  return [
    'version: 1',
    `model: { path: model.onnx${more.model ?? ''} }`,
    `evaluation: { source: rows.csv, target: label${more.evaluation ?? ''} }`,
    `gates: { ${gates} }`,
    more.end ?? '',
  ].join('\n');
}

const scene = (gates: string, more: Partial<Scene> & Parameters<typeof policy>[1] = {}): Scene => ({
  policy: policy(gates, more),
  files: { 'model.onnx': byTheSum, 'rows.csv': rows, ...more.files },
  ...(more.base === undefined ? {} : { base: more.base }),
  ...(more.basePolicy === undefined ? {} : { basePolicy: more.basePolicy }),
});

async function refused(of: Scene): Promise<string> {
  const error = await judge(of).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SluiceError)) throw new Error(`expected a SluiceError, not ${String(error)}`);
  return error.message;
}

describe('a bound', () => {
  it('passes, fails or stays open by the interval of the measurement', async () => {
    const judgement = await judge(scene('accuracy: { min: 0.8 }, f1: { min: 0.97 }, recall: { min: 0.9 }'));
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({
      status: 'pass',
      observed: 0.9,
      evidence: { method: 'Wilson', n: 200, level: 0.9 },
      place: { file: 'sluice.yaml', line: 4, key: 'gates.accuracy.min' },
    });
    expect(checkOf(judgement, 'gate/f1/min').status).toBe('fail');
    expect(checkOf(judgement, 'gate/recall/min').status).toBe('inconclusive');
  });

  it('compares points when evidence is off', async () => {
    const judgement = await judge(scene('accuracy: { min: 0.9 }, f1: { min: 0.97 }', { end: 'evidence: off' }));
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
    expect(checkOf(judgement, 'gate/f1/min')).toMatchObject({ status: 'fail', evidence: { method: 'point' } });
  });

  it('warns when its severity says so', async () => {
    const judgement = await judge(scene('f1: { min: 0.97, severity: warn }'));
    expect(checkOf(judgement, 'gate/f1/min').status).toBe('warn');
  });

  it('counts rows to settle in evaluation rows, not in the part a proportion rests on', async () => {
    const judgement = await judge(scene('recall: { min: 0.88 }, accuracy: { min: 0.88 }'));
    const { evidence, rowsToSettle = 0 } = checkOf(judgement, 'gate/recall/min');
    expect(evidence?.n).toBeLessThan(150);
    expect(rowsToSettle).toBeGreaterThan(300);
  });
});

describe('what cannot be judged is an error and never a pass:', () => {
  it('a metric of probabilities, of a model without', async () => {
    const labelsOnly = identityModel('int64', ['batch']);
    const judgement = await judge(
      scene('roc_auc: { min: 0.5 }, accuracy: { min: 0.5 }', {
        files: {
          'model.onnx': labelsOnly,
          'rows.csv': csv(
            ['X', 'label'],
            points.map(([, , label]) => [label, label]),
          ),
        },
      }),
    );
    expect(checkOf(judgement, 'gate/roc_auc/min')).toMatchObject({ status: 'error' });
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it('a metric that the rows leave undefined', async () => {
    const judgement = await judge(
      scene('roc_auc: { min: 0.5 }', {
        files: {
          'rows.csv': csv(
            ['x', 'y', 'label'],
            [
              [1, 1, 1],
              [2, 1, 1],
            ],
          ),
        },
      }),
    );
    expect(checkOf(judgement, 'gate/roc_auc/min')).toMatchObject({
      status: 'error',
      message: expect.stringContaining('no row is of class "0"'),
    });
  });

  it('predictions that are NaN', async () => {
    const judgement = await judge({
      policy: policy('mae: { max: 1 }'),
      files: {
        'model.onnx': linearModel([[1]], [0]),
        'rows.csv': csv(
          ['x', 'label'],
          [
            [1, 1],
            ['', 2],
            [3, 3],
          ],
        ),
      },
    });
    expect(checkOf(judgement, 'gate/mae/max')).toMatchObject({
      status: 'error',
      message: 'model.onnx predicts NaN or infinity in 1 row (row 2).',
    });
  });

  it('scores that are no probabilities, where the metric needs them to be', async () => {
    const scores = writeModel({
      graph: {
        nodes: [{ operator: 'Identity', inputs: ['X'], outputs: ['scores'] }],
        inputs: [{ name: 'X', type: 'float32', shape: ['n', 2] }],
        outputs: [{ name: 'scores', type: 'float32', shape: ['n', 2] }],
      },
    });
    const judgement = await judge(
      scene('log_loss: { max: 1 }, accuracy: { min: 0 }', { files: { 'model.onnx': scores } }),
    );
    expect(checkOf(judgement, 'gate/log_loss/max').message).toMatch(/no probability|not to 1/);
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it('a binary average over three classes', async () => {
    const judgement = await judge(
      scene('precision: { min: 0.1, average: binary }', {
        files: {
          'model.onnx': classifierModel(
            [
              [0, 2, 0],
              [0, 2, 0],
            ],
            [0, 0, 0],
          ),
          'rows.csv': csv(
            ['x', 'y', 'label'],
            [
              [1, 1, 1],
              [-1, -1, 0],
              [3, 3, 2],
            ],
          ),
        },
      }),
    );
    expect(checkOf(judgement, 'gate/precision/min').message).toContain('needs two classes, and there are 3');
  });
});

describe('the comparison with the baseline', () => {
  const gates = 'accuracy: { min: 0.5, max_regression: 0.01 }';

  it('is skipped, and why is said, without a base commit', async () => {
    const judgement = await judge(scene(gates));
    expect(checkOf(judgement, 'gate/accuracy/max_regression').status).toBe('skipped');
    expect(judgement.notices.map(({ message }) => message)).toEqual([expect.stringContaining('no base commit')]);
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it('is skipped when the base has no such file', async () => {
    const judgement = await judge(scene(gates, { base: {} }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'skipped',
      message: expect.stringContaining('0123456789ab has no model.onnx'),
    });
  });

  it('is with the base branch’s file, row by row', async () => {
    const judgement = await judge(scene(gates, { files: { 'model.onnx': always0 }, base: { 'model.onnx': byTheSum } }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'fail',
      baseline: 0.9,
      evidence: { against: { kind: 'min', value: -0.01 }, method: 'paired score', n: 200 },
    });
    expect(judgement.baseline?.path).toBe('model.onnx@0123456789ab');
    expect(checkOf(judgement, 'gate/accuracy/max_regression').message).toMatch(
      /Of \d+ rows that only one of them has right it won \d+ and lost \d+; McNemar's exact test of “not worse”: p < 0\.0001\./,
    );
  });

  it('finds the base’s model where the base’s policy has it', async () => {
    const judgement = await judge(
      scene(gates, {
        base: { 'old/model.onnx': byTheSum },
        basePolicy: policy(gates).replace('model.onnx', 'old/model.onnx'),
      }),
    );
    expect(checkOf(judgement, 'gate/accuracy/max_regression').status).toBe('pass');
  });

  it('is not settled by equal labels of few rows: models that are not the same may differ on the next', async () => {
    const other = scene('accuracy: { max_regression: 0.01 }', { base: { 'model.onnx': byTheSumAgain } });
    const check = checkOf(await judge(other), 'gate/accuracy/max_regression');
    expect(check).toMatchObject({ status: 'inconclusive', observed: 0.9, baseline: 0.9 });
    expect(check.message).toMatch(
      /About \d+ more rows like these would settle it\. No row is right in one of the two models only\.$/,
    );
  });

  it('says that candidate and baseline are the same file, and still judges', async () => {
    const judgement = await judge(scene(gates, { base: { 'model.onnx': byTheSum } }));
    expect(judgement.notices.map(({ message }) => message)).toContain(
      'Candidate and baseline are the same file, byte for byte.',
    );
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'pass',
      evidence: { lower: 0, upper: 0 },
    });
  });

  it('is an error when the base’s model cannot be used; the rest is judged', async () => {
    const judgement = await judge(scene(gates, { base: { 'model.onnx': linearModel([[1], [1], [1]], [0]) } }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'error',
      message: expect.stringContaining('wants 3 features'),
    });
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it('is an error when the baseline predicts NaN', async () => {
    const judgement = await judge({
      policy: policy('mae: { max: 9, max_regression: 1 }', { model: ', baseline: { path: base.onnx }' }),
      files: {
        'model.onnx': linearModel([[1]], [0]),
        'base.onnx': linearModel([[Number.NaN]], [0]),
        'rows.csv': csv(
          ['x', 'label'],
          [
            [1, 1],
            [2, 2],
          ],
        ),
      },
    });
    expect(checkOf(judgement, 'gate/mae/max_regression')).toMatchObject({
      status: 'error',
      message: 'The baseline cannot be judged: base.onnx predicts NaN or infinity in 2 rows (row 1, 2).',
    });
    expect(checkOf(judgement, 'gate/mae/max').status).toBe('pass');
  });

  it('is an error when the baseline’s file is not there; the rest is judged', async () => {
    const judgement = await judge(scene(gates, { model: ', baseline: { path: gone.onnx }' }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'error',
      message: expect.stringContaining('there is no such model file'),
    });
    expect(judgement.notices).toContainEqual(expect.objectContaining({ level: 'warning' }));
  });

  it('takes a percentage of the baseline’s value, and of 0 the number itself', async () => {
    const line = (slope: number) => linearModel([[slope]], [0]);
    const values = csv(
      ['x', 'label'],
      Array.from({ length: 60 }, (_, row) => [row, row]),
    );
    const of = (baseline: number, candidate: number) =>
      judge({
        policy: policy('mae: { max_regression: 50% }', { model: ', baseline: { path: base.onnx }' }),
        files: { 'model.onnx': line(candidate), 'base.onnx': line(baseline), 'rows.csv': values },
      });
    expect(checkOf(await of(1.1, 1.12), 'gate/mae/max_regression')).toMatchObject({
      status: 'pass',
      evidence: { unit: 'share', against: { kind: 'max', value: 0.5 } },
    });
    expect(checkOf(await of(1.1, 1.3), 'gate/mae/max_regression').status).toBe('fail');
    const fromZero = checkOf(await of(1, 1.3), 'gate/mae/max_regression');
    expect(fromZero).toMatchObject({ status: 'fail', message: expect.stringContaining("baseline's value is 0") });
    expect(checkOf(await of(1, 1), 'gate/mae/max_regression').status).toBe('pass');
  });

  it('can ask for an improvement', async () => {
    const of = (candidate: Uint8Array, baseline: Uint8Array) =>
      judge(
        scene('roc_auc: { min_improvement: 0.1 }', {
          files: { 'model.onnx': candidate },
          base: { 'model.onnx': baseline },
        }),
      );
    expect(checkOf(await of(byTheSum, always0), 'gate/roc_auc/min_improvement')).toMatchObject({
      status: 'pass',
      evidence: { method: 'paired DeLong' },
    });
    expect(checkOf(await of(byTheSum, byTheSum), 'gate/roc_auc/min_improvement').status).toBe('fail');
  });
});

describe('models and data that do not fit', () => {
  it('name the identifier that was taken for a feature', async () => {
    const withId = csv(
      ['patient_id', 'x', 'y', 'label'],
      points.map((cells, row) => [row, ...cells]),
    );
    const message = await refused(scene('accuracy: { min: 0.5 }', { files: { 'rows.csv': withId } }));
    expect(message).toBe(
      'sluice.yaml:2:10 model.path: the input "X" of model.onnx wants 2 features, and rows.csv gives 3: patient_id, x, y. Is "patient_id" a feature? If not, add it to evaluation.ignore.',
    );
    const ignored = scene('accuracy: { min: 0.5 }', {
      files: { 'rows.csv': withId },
      evaluation: ', ignore: [patient_id]',
    });
    expect(checkOf(await judge(ignored), 'gate/accuracy/min').status).toBe('pass');
  });

  it('name the column that an input was probably meant to take', async () => {
    const two = writeModel({
      graph: {
        nodes: [{ operator: 'Add', inputs: ['height', 'wieght'], outputs: ['Y'] }],
        inputs: ['height', 'wieght'].map((name) => ({ name, type: 'float32' as const, shape: ['n', 1] })),
        outputs: [{ name: 'Y', type: 'float32', shape: ['n', 1] }],
      },
    });
    const files = {
      'model.onnx': two,
      'rows.csv': csv(
        ['height', 'weight', 'label'],
        [
          [1, 2, 3],
          [2, 3, 5],
        ],
      ),
    };
    const message = await refused({ policy: policy('mae: { max: 1 }'), files });
    expect(message).toContain('wants the input "wieght", and rows.csv has no feature column of that name');
    expect(message).toContain('Did you mean the column "weight"?');
    const mapped = policy('mae: { max: 1 }', { model: ', inputs: { wieght: [weight] }' });
    expect(checkOf(await judge({ policy: mapped, files }), 'gate/mae/max').observed).toBe(0);
  });

  it('name a text column before a number input', async () => {
    const text = csv(
      ['x', 'y', 'label'],
      points.map(([x, , label]) => [x, 'red', label]),
    );
    expect(await refused(scene('accuracy: { min: 0.5 }', { files: { 'rows.csv': text } }))).toContain(
      'takes float32, and the column "y" is of type string',
    );
  });

  it('name a fraction before an integer input', async () => {
    const files = {
      'model.onnx': identityModel('int64', ['n', 1]),
      'rows.csv': csv(
        ['X', 'label'],
        [
          [1, 1],
          [2.5, 2],
        ],
      ),
    };
    expect(await refused({ policy: policy('mae: { max: 1 }'), files })).toContain(
      'takes int64, and 1 value of the column "X" does not fit: found row 2, expected a whole number in every row',
    );
  });

  it('name an input of three dimensions', async () => {
    const files = { 'model.onnx': identityModel('float32', ['n', 2, 3]) };
    expect(await refused(scene('mae: { max: 1 }', { files }))).toContain(
      'has more than two dimensions: found [n, 2, 3]',
    );
  });

  it('name an output without one entry a row', async () => {
    const files = { 'model.onnx': identityModel('float32', ['n', 2]) };
    expect(await refused(scene('mae: { max: 1 }', { files }))).toContain('does not have one entry a row');
  });

  it('name the nearest column to a target that is not there', async () => {
    const of = scene('accuracy: { min: 0.5 }');
    expect(await refused({ ...of, policy: of.policy.replace('target: label', 'target: lable') })).toMatch(
      /column "lable" is not in rows.csv.*Did you mean "label"\?/,
    );
  });

  it('name empty labels with their number and first rows', async () => {
    const holes = csv(
      ['x', 'y', 'label'],
      points.map(([x, y, label], row) => [x, y, row % 50 === 3 ? '' : label]),
    );
    expect(await refused(scene('accuracy: { min: 0.5 }', { files: { 'rows.csv': holes } }))).toContain(
      '4 labels of column "label" in rows.csv are empty or NaN: found row 4, 54, 104, ..., expected a label in every row',
    );
  });

  it('name an evaluation file without rows', async () => {
    const files = { 'rows.csv': 'x,y,label\n' };
    expect(await refused(scene('accuracy: { min: 0.5 }', { files }))).toContain('rows.csv has no rows');
  });

  it('call a file that is no model by the policy’s path and line', async () => {
    const message = await refused(scene('accuracy: { min: 0.5 }', { files: { 'model.onnx': 'not a model' } }));
    expect(message).toMatch(/^sluice\.yaml:2:10 model\.path: model\.onnx: the model is not an ONNX file/);
  });

  it('name labels that the model and the data do not share', async () => {
    const words = csv(
      ['x', 'y', 'label'],
      points.map(([x, y, label]) => [x, y, label === 1 ? 'yes' : 'no']),
    );
    const files = { 'rows.csv': words };
    expect(await refused(scene('accuracy: { min: 0.5 }', { files }))).toContain('model: { classes: [no, yes] }');
    const named = scene('accuracy: { min: 0.5 }, roc_auc: { min: 0.5 }', { files, model: ', classes: [no, yes]' });
    expect(checkOf(await judge(named), 'gate/accuracy/min').observed).toBe(0.9);
  });

  it('name a positive class that no row has', async () => {
    expect(await refused(scene('recall: { min: 0.5 }', { evaluation: ', positive: 2' }))).toContain(
      'evaluation.positive is no label of "label": found 2, expected one of "0", "1"',
    );
  });
});

it('warns of a class that the model never predicts', async () => {
  const judgement = await judge(scene('accuracy: { min: 0.1 }', { files: { 'model.onnx': always0 } }));
  expect(judgement.notices).toContainEqual(expect.objectContaining({ message: 'model.onnx never predicts "1".' }));
});

it('runs a model that fixes its rows a call as one that does not', async () => {
  const fixed = writeModel({
    graph: {
      nodes: [{ operator: 'MatMul', inputs: ['X', 'w'], outputs: ['Y'] }],
      inputs: [{ name: 'X', type: 'float32', shape: [7, 2] }],
      outputs: [{ name: 'Y', type: 'float32', shape: [7, 1] }],
      initializers: [floatTensor('w', [2, 1], [1, 2])],
    },
  });
  const of = (model: Uint8Array) =>
    judge(scene('mae: { max: 9 }, r2: { min: -9 }', { files: { 'model.onnx': model } }));
  const [one, other] = [await of(fixed), await of(linearModel([[1], [2]], [0]))];
  expect(one.checks).toEqual(other.checks);
});

it('reads one score a row as the probability of the second class', async () => {
  const sigmoid = writeModel({
    graph: {
      nodes: [
        { operator: 'MatMul', inputs: ['X', 'w'], outputs: ['z'] },
        { operator: 'Sigmoid', inputs: ['z'], outputs: ['p'] },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['n', 2] }],
      outputs: [{ name: 'p', type: 'float32', shape: ['n', 1] }],
      initializers: [floatTensor('w', [2, 1], [2, 2])],
    },
  });
  const gates = 'accuracy: { min: 0 }, roc_auc: { min: 0 }, log_loss: { max: 9 }';
  const one = await judge(scene(gates, { files: { 'model.onnx': sigmoid } }));
  const other = await judge(scene(gates));
  for (const [index, { observed }] of one.checks.entries()) {
    expect(observed).toBeCloseTo(Number(other.checks[index]?.observed), 5);
  }
});

it('judges what needs no rows without any', async () => {
  const judgement = await judge({
    policy:
      'version: 1\nmodel: { path: model.onnx }\ngates: { size: { max_mb: 1, max_parameters: 3 }, latency: { p50_ms: 1000 } }\n',
    files: { 'model.onnx': byTheSum },
  });
  expect(judgement.checks.map(({ id, status }) => [id, status])).toEqual([
    ['gate/latency/p50_ms', 'pass'],
    ['gate/size/max_mb', 'pass'],
    ['gate/size/max_parameters', 'fail'],
  ]);
  expect(judgement.sources).toEqual([]);
});

describe('slices', () => {
  const sliced = csv(
    ['x', 'y', 'country', 'age', 'label'],
    points.map(([x, y, label], row) => {
      const country = row < 5 ? 'UK' : row % 2 === 0 ? 'KR' : 'US';
      // In KR the labels are turned round: the model is wrong on nearly all of them.
      return [x, y, country, row % 80, country === 'KR' ? 1 - label : label];
    }),
  );
  const of = (gates: string, end = '') =>
    judge(
      scene(gates, {
        files: { 'rows.csv': sliced },
        evaluation: ', ignore: [country, age], slices: [country, { age: [0, 40] }]',
        end,
      }),
    );

  it('fail where the evidence says so, pass where it holds, and are skipped where they are small', async () => {
    const judgement = await of('accuracy: { min: 0.4 }');
    const status = (slice: string) => checkOf(judgement, `gate/accuracy/min[${slice}]`).status;
    expect([status('country=KR'), status('country=US'), status('country=UK')]).toEqual(['fail', 'pass', 'skipped']);
    expect(status('age=[0, 40)')).toBe('pass');
    expect(checkOf(judgement, 'gate/accuracy/min[country=KR]').message).toMatch(/Among 4 slice checks: p .*, q /);
  });

  it('are drawn with their intervals beside all rows', async () => {
    const { figures } = await of('accuracy: { min: 0.4 }');
    const figure = figures.find(({ id }) => id === 'slices/accuracy');
    expect(figure?.kind === 'intervals' && figure.rows.map(({ name, n }) => [name, n])).toEqual([
      ['all rows', 200],
      ['country=KR', 97],
      ['country=US', 98],
      ['age=[0, 40)', 120],
      ['age≥40', 80],
    ]);
  });

  it('are compared as points when evidence is off', async () => {
    const judgement = await of('accuracy: { min: 0.15 }', 'evidence: off');
    expect(checkOf(judgement, 'gate/accuracy/min[country=US]').status).toBe('pass');
    expect(checkOf(judgement, 'gate/accuracy/min[country=KR]').status).toBe('pass');
  });

  it('leave a slice out of a metric it has no rows for', async () => {
    const oneSided = csv(
      ['x', 'y', 'country', 'label'],
      points.map(([x, y, label]) => [x, y, label === 1 ? 'A' : 'B', label]),
    );
    const judgement = await judge(
      scene('recall: { min: 0.5 }, roc_auc: { min: 0.5 }', {
        files: { 'rows.csv': oneSided },
        evaluation: ', ignore: [country], slices: [country]',
      }),
    );
    expect(checkOf(judgement, 'gate/recall/min[country=B]').status).toBe('skipped');
    expect(checkOf(judgement, 'gate/roc_auc/min[country=A]').status).toBe('skipped');
  });
});

describe('fairness', () => {
  const grouped = csv(
    ['x', 'y', 'sex', 'label'],
    points.map(([x, y, label], row) => [x, y, row < 5 ? 'x' : row % 3 === 0 ? 'f' : 'm', label]),
  );
  const of = (bounds: string, rowsOf = grouped, group = 'sex') =>
    judge(
      scene(`fairness: { group: ${group}, ${bounds} }`, {
        files: { 'rows.csv': rowsOf },
        evaluation: ', ignore: [sex]',
      }),
    );

  it('compares groups with rows enough and lists the others as skipped', async () => {
    const judgement = await of('demographic_parity_difference: { max: 0.5 }, accuracy_ratio: { min: 0.5 }');
    expect(checkOf(judgement, 'gate/fairness/demographic_parity_difference/max')).toMatchObject({
      status: 'pass',
      evidence: { method: 'cautious bootstrap (2000 resamples)', n: 195 },
      message: expect.stringContaining('over 2 groups'),
    });
    expect(checkOf(judgement, 'gate/fairness/accuracy_ratio/min').status).toBe('pass');
    expect(checkOf(judgement, 'gate/fairness/group[sex=x]').status).toBe('skipped');
  });

  it('fails where the groups are treated apart beyond doubt', async () => {
    const apart = csv(
      ['x', 'y', 'sex', 'label'],
      points.map(([x, y, label]) => [x, y, x + y > 0 ? 'm' : 'f', label]),
    );
    const judgement = await of(
      'demographic_parity_ratio: { min: 0.8 }, demographic_parity_difference: { max: 0.05 }',
      apart,
    );
    expect(judgement.checks.map(({ status, observed }) => [status, observed])).toEqual([
      ['fail', 1],
      ['fail', 0],
    ]);
  });

  it('is an error with one group, which has nothing to be compared with', async () => {
    const alone = csv(
      ['x', 'y', 'sex', 'label'],
      points.map(([x, y, label]) => [x, y, 'f', label]),
    );
    const judgement = await of('accuracy_difference: { max: 0.1 }', alone);
    expect(checkOf(judgement, 'gate/fairness/accuracy_difference/max').status).toBe('error');
  });

  it('takes several columns as their intersections', async () => {
    const judgement = await of('selection_rate_difference: { max: 1 }', grouped, '[sex, label]');
    expect(checkOf(judgement, 'gate/fairness/selection_rate_difference/max').title).toContain('sex × label');
  });

  it('refuses a group column with a value for nearly every row', async () => {
    const ids = csv(
      ['x', 'y', 'sex', 'label'],
      points.map(([x, y, label], row) => [x, y, row, label]),
    );
    expect(
      await refused(
        scene('fairness: { group: sex, accuracy_difference: { max: 0.1 } }', {
          files: { 'rows.csv': ids },
          evaluation: ', ignore: [sex]',
        }),
      ),
    ).toContain('"sex" makes 200 groups');
  });
});

describe('a baseline of its own file', () => {
  const gates = 'accuracy: { min: 0.5, max_regression: 0.01 }';
  const own = { model: ', baseline: { path: base.onnx }' };
  const regression = 'gate/accuracy/max_regression';

  it('is the base commit’s: a pull request cannot put a weaker one in its place', async () => {
    const judgement = await judge(
      scene(gates, {
        ...own,
        files: { 'model.onnx': always0, 'base.onnx': always0 },
        base: { 'base.onnx': byTheSum },
      }),
    );
    expect(checkOf(judgement, regression)).toMatchObject({ status: 'fail', baseline: 0.9 });
    expect(judgement.baseline?.path).toBe('base.onnx@0123456789ab');
    expect(judgement.notices.map(({ message }) => message).join()).not.toMatch(
      /base commit [0-9a-f]+ has no base\.onnx/,
    );
  });

  it('is fed as the base’s policy says', async () => {
    const judgement = await judge(
      scene(gates, {
        model: ', baseline: { path: base.onnx }, inputs: { X: [x, x] }',
        files: { 'base.onnx': byTheSum },
        base: { 'base.onnx': byTheSum },
        basePolicy: policy(gates, own),
      }),
    );
    expect(checkOf(judgement, regression).baseline).toBe(0.9);
  });

  it('is the checked-out one, under a warning, when the base has none that could be replaced', async () => {
    const judgement = await judge(scene(gates, { ...own, files: { 'base.onnx': byTheSum }, base: {} }));
    expect(checkOf(judgement, regression).status).toBe('pass');
    expect(judgement.notices[0]).toEqual({
      level: 'warning',
      message: expect.stringMatching(/0123456789ab has no base\.onnx, .* Review it/),
    });
  });

  it('is the checked-out one where there is no base', async () => {
    const judgement = await judge(scene(gates, { ...own, files: { 'base.onnx': byTheSum } }));
    expect(checkOf(judgement, regression).status).toBe('pass');
    expect(judgement.baseline?.path).toBe('base.onnx');
  });

  it('cannot lie outside of the repository, whatever the base holds', async () => {
    const judgement = await judge(scene(gates, { model: ', baseline: { path: ../base.onnx }', base: {} }));
    expect(checkOf(judgement, regression).status).toBe('error');
  });
});

describe('the weights beside the base’s model', () => {
  const gates = 'accuracy: { min: 0.5, max_regression: 0.01 }';
  const weights = Buffer.from(Float32Array.of(0, 2, 0, 2).buffer);
  const external = (location: string) =>
    writeModel({
      graph: {
        nodes: [
          { operator: 'MatMul', inputs: ['X', 'w'], outputs: ['scores'] },
          { operator: 'Softmax', inputs: ['scores'], outputs: ['probabilities'] },
        ],
        inputs: [{ name: 'X', type: 'float32', shape: ['n', 2] }],
        outputs: [{ name: 'probabilities', type: 'float32', shape: ['n', 2] }],
        initializers: [{ name: 'w', type: 'float32', dims: [2, 2], external: { location } }],
      },
    });

  it('are brought under whatever name it gives them', async () => {
    const model = { 'models/model.onnx': external('any name.bin'), 'models/any name.bin': weights };
    const judgement = await judge({
      policy: policy(gates).replace('model.onnx', 'models/model.onnx'),
      files: { 'models/model.onnx': byTheSum, 'rows.csv': rows },
      base: model,
    });
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({ observed: 0.9, baseline: 0.9 });
  });

  it('are never brought from outside of its folder', async () => {
    const asked: string[] = [];
    const base = new Proxy<Record<string, Uint8Array>>(
      { 'model.onnx': external('../secret') },
      {
        get(files, path) {
          asked.push(String(path));
          return files[String(path)];
        },
      },
    );
    const judgement = await judge(scene(gates, { base }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'error',
      message: expect.stringContaining('a file that is not beside it'),
    });
    expect(asked).toEqual(['model.onnx', 'rows.csv', 'rows.csv.dvc']);
  });
});

describe('evaluation rows outside of the repository', () => {
  it.each(['../elsewhere.csv', 'link.csv'])('are refused with the policy’s line and a way out: %s', async (source) => {
    const outside = join(await mkdtemp(join(tmpdir(), 'sluice-outside-')), 'elsewhere.csv');
    await writeFile(outside, rows);
    try {
      const message = await refused({
        policy: policy('accuracy: { min: 0.5 }').replace('rows.csv', source),
        files: { 'model.onnx': byTheSum },
        links: { 'link.csv': outside, '../elsewhere.csv': outside },
      });
      expect(message).toMatch(
        /^sluice\.yaml:3:\d+ evaluation\.source: .*lies outside .* Put the data into the repository/,
      );
      expect(message).not.toContain(tmpdir());
    } finally {
      await rm(dirname(outside), { recursive: true });
    }
  });
});

describe('a model or target that no row fits', () => {
  const constant = writeModel({
    graph: {
      nodes: [{ operator: 'Identity', inputs: ['c'], outputs: ['Y'] }],
      outputs: [{ name: 'Y', type: 'float32', shape: [1] }],
      initializers: [floatTensor('c', [1], [1])],
    },
  });
  /** Asks for a terabyte for each row's first value. */
  const hungry = writeModel({
    graph: {
      nodes: [
        { operator: 'Cast', inputs: ['X'], outputs: ['whole'], attributes: { to: { int: 7 } } },
        { operator: 'Abs', inputs: ['whole'], outputs: ['sizes'] },
        { operator: 'ReduceMax', inputs: ['sizes'], outputs: ['size'], attributes: { keepdims: { int: 0 } } },
        { operator: 'Mul', inputs: ['size', 'terabyte'], outputs: ['shape'] },
        { operator: 'ConstantOfShape', inputs: ['shape'], outputs: ['Y'] },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['n', 2] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['n'] }],
      initializers: [{ name: 'terabyte', type: 'int64', dims: [1], integers: [2 ** 42] }],
    },
  });

  it('is refused for having no inputs', async () => {
    expect(await refused(scene('mae: { max: 1 }', { files: { 'model.onnx': constant } }))).toMatch(
      /^sluice\.yaml:2:\d+ model\.path: model\.onnx has no inputs/,
    );
  });

  it('fails the checks that rows would have judged, and no others, for asking for more memory than there is', async () => {
    const judgement = await judge(scene('mae: { max: 1 }, size: { max_mb: 1 }', { files: { 'model.onnx': hungry } }));
    expect(checkOf(judgement, 'gate/evaluation/run')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/model\.onnx: the model needs more memory than it may use/),
      place: { line: 2 },
    });
    expect(checkOf(judgement, 'gate/mae/max').status).toBe('error');
    expect(checkOf(judgement, 'gate/size/max_mb').status).toBe('pass');
  });

  it('fails for a file beside it that runs code, and is judged all the same', async () => {
    const judgement = await judge(
      scene('accuracy: { min: 0.5 }', {
        files: { 'model.pkl': Uint8Array.of(0x80, 4, 0x95, 0x15), 'README.md': '# x' },
      }),
    );
    expect(checkOf(judgement, 'gate/files/beside')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('model.pkl is a Python pickle'),
    });
    expect(judgement.checks.filter(({ status }) => status === 'error')).toEqual([]);
  });

  it('is no baseline for asking so; the candidate is judged all the same', async () => {
    const gates = 'accuracy: { min: 0.5, max_regression: 0.01 }';
    const judgement = await judge(scene(gates, { base: { 'model.onnx': hungry } }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression').status).toBe('error');
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it('is refused for a target of lists', async () => {
    await using engine = await openEngine();
    const folder = await mkdtemp(join(tmpdir(), 'sluice-lists-'));
    try {
      const file = join(folder, 'rows.parquet');
      await engine.query(`COPY (SELECT 1.5 AS x, 2.5 AS y, [1] AS label) TO '${file}' (FORMAT parquet)`);
      const message = await refused({
        policy: policy('accuracy: { min: 0.5 }').replace('rows.csv', 'rows.parquet'),
        files: { 'model.onnx': byTheSum, 'rows.parquet': await readFile(file) },
      });
      expect(message).toMatch(/^sluice\.yaml:3:\d+ evaluation\.target: .*does not hold one label a row.*INTEGER\[\]/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
