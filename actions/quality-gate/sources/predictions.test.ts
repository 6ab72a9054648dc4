import { describe, expect, it } from 'vitest';
import { classifierModel } from '../../../core/onnx/index.ts';
import { SluiceError } from '../../../core/problem/index.ts';
import { checkOf, csv, judge, type Scene } from '../scene.ts';

const count = 300;
const label = (row: number) => (row % 2 === 0 ? 'yes' : 'no');
/** Wrong in every tenth row. */
const said = (row: number) => (row % 10 === 0 ? (label(row) === 'yes' ? 'no' : 'yes') : label(row));
const score = (row: number) => (said(row) === 'yes' ? 0.9 - row / 1e4 : 0.1 + row / 1e4);
const range = Array.from({ length: count }, (_, row) => row);

const rows = csv(
  ['id', 'team', 'label'],
  range.map((row) => [`r${row}`, row % 3 === 0 ? 'a' : 'b', label(row)]),
);
const predictions = csv(
  ['y_true', 'y_pred', 'y_score'],
  range.map((row) => [label(row), said(row), score(row)]),
);
const perfect = csv(
  ['y_true', 'y_pred', 'y_score'],
  range.map((row) => [label(row), label(row), label(row) === 'yes' ? 0.9 : 0.1]),
);

const gates = 'accuracy: { min: 0.8, max_regression: 0.01 }, roc_auc: { min: 0.5 }';
const policy = (model: string, more: { evaluation?: string; gates?: string } = {}) =>
  [
    'version: 1',
    `model: { ${model} }`,
    `evaluation: { source: rows.csv, target: label${more.evaluation ?? ''} }`,
    `gates: { ${more.gates ?? gates} }`,
    '',
  ].join('\n');
const scene = (
  model: string,
  files: Scene['files'],
  more: Parameters<typeof policy>[1] & Partial<Scene> = {},
): Scene => ({
  ...more,
  policy: policy(model, more),
  files: { 'rows.csv': rows, ...files },
});
async function refused(of: Scene): Promise<string> {
  const error: unknown = await judge(of).catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error.message;
  throw new Error(`expected a SluiceError, not ${String(error)}`);
}

describe('a file of predictions', () => {
  it('is judged by the gates of a model: metrics, slices, fairness', async () => {
    const judgement = await judge(
      scene(
        'predictions: out.csv, baseline: none',
        { 'out.csv': predictions },
        {
          evaluation: ', slices: [team]',
          gates:
            'accuracy: { min: 0.8 }, roc_auc: { min: 0.5 }, log_loss: { max: 1 }, fairness: { group: team, accuracy_difference: { max: 0.5 } }',
        },
      ),
    );
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({
      status: 'pass',
      observed: 0.9,
      evidence: { method: 'Wilson', n: count },
    });
    expect(judgement.checks.map(({ id, status }) => `${id} ${status}`)).toEqual(
      expect.arrayContaining([
        'gate/roc_auc/min pass',
        'gate/log_loss/max pass',
        'gate/fairness/accuracy_difference/max pass',
      ]),
    );
    expect(judgement.checks.some(({ id }) => id.includes('team=a'))).toBe(true);
    expect(judgement.sources[0]).toMatchObject({ path: 'rows.csv', rows: count });
  });

  it('may be the evaluation file itself', async () => {
    const own = csv(
      ['team', 'label', 'guess'],
      range.map((row) => ['a', label(row), said(row)]),
    );
    const judgement = await judge(
      scene(
        'predictions: { path: rows.csv, label: guess }, baseline: none',
        { 'rows.csv': own },
        { gates: 'accuracy: { min: 0.8 }' },
      ),
    );
    expect(checkOf(judgement, 'gate/accuracy/min').observed).toBe(0.9);
  });

  it('is brought to the evaluation rows by a key, whatever its order', async () => {
    const shuffled = csv(
      ['id', 'y_pred'],
      range.map((row) => (row * 7) % count).map((row) => [`r${row}`, said(row)]),
    );
    const judgement = await judge(
      scene(
        'predictions: { path: out.csv, key: id }, baseline: none',
        { 'out.csv': shuffled },
        { gates: 'accuracy: { min: 0.8 }' },
      ),
    );
    expect(checkOf(judgement, 'gate/accuracy/min').observed).toBe(0.9);
  });

  it('of a regression is read as numbers', async () => {
    const numbers = csv(
      ['x', 'label'],
      range.map((row) => [row, row / 2]),
    );
    const out = csv(
      ['y_true', 'y_pred'],
      range.map((row) => [row / 2, row / 2 + 1]),
    );
    const judgement = await judge(
      scene(
        'predictions: out.csv, baseline: none',
        { 'rows.csv': numbers, 'out.csv': out },
        { gates: 'mae: { max: 2 }, rmse: { max: 2 }' },
      ),
    );
    expect(checkOf(judgement, 'gate/mae/max').observed).toBeCloseTo(1, 12);
  });

  it('has a column of scores for each class where there are several', async () => {
    const three = ['a', 'b', 'c'];
    const truth = csv(
      ['label'],
      range.map((row) => [three[row % 3] ?? '']),
    );
    const out = csv(
      ['y_true', 'pa', 'pb', 'pc'],
      range.map((row) => [three[row % 3] ?? '', ...three.map((_, at) => (at === row % 3 ? 0.6 : 0.2))]),
    );
    const judgement = await judge(
      scene(
        'predictions: { path: out.csv, scores: [pa, pb, pc] }, classes: [a, b, c], baseline: none',
        { 'rows.csv': truth, 'out.csv': out },
        {
          gates: 'accuracy: { min: 0.9 }, log_loss: { max: 1 }',
        },
      ),
    );
    expect(checkOf(judgement, 'gate/accuracy/min').observed).toBe(1);
    expect(checkOf(judgement, 'gate/log_loss/max').observed).toBeCloseTo(-Math.log(0.6), 12);
  });

  it.each([
    [
      'fewer rows',
      csv(['y_true', 'y_pred'], [['yes', 'yes']]),
      '',
      /is not of the evaluation rows: found 1 row, expected 300 rows/,
    ],
    [
      'another order of rows',
      csv(
        ['y_true', 'y_pred'],
        range.map((row) => [label(row + 1), said(row)]),
      ),
      '',
      /is not the truth of the evaluation rows in 300 rows: found another one in row 1, 2, 3/,
    ],
    [
      'nothing that shows whose rows they are',
      csv(
        ['y_pred'],
        range.map((row) => [said(row)]),
      ),
      '',
      /nothing shows that out\.csv is of the evaluation rows.*y_true/,
    ],
    [
      'a key that is there twice',
      csv(
        ['id', 'y_pred'],
        range.map((row) => [`r${row % 299}`, said(row)]),
      ),
      ', key: id',
      /does not tell its rows apart: found r0 in rows 1 and 300/,
    ],
    [
      'a key without an evaluation row',
      csv(
        ['id', 'y_pred'],
        range.slice(1).map((row) => [`r${row}`, said(row)]),
      ),
      ', key: id',
      /no prediction for 1 evaluation row: found none for row 1/,
    ],
    [
      'a row without a prediction',
      csv(
        ['y_true', 'y_pred'],
        range.map((row) => [label(row), row === 7 ? '' : said(row)]),
      ),
      '',
      /"y_pred" of out\.csv is empty in row 8/,
    ],
    [
      'no column of predictions',
      csv(
        ['y_true', 'guess'],
        range.map((row) => [label(row), said(row)]),
      ),
      '',
      /no column of predictions/,
    ],
    [
      'no such column',
      csv(
        ['y_true', 'y_predicted'],
        range.map((row) => [label(row), said(row)]),
      ),
      ', label: y_predict',
      /y_predicted/,
    ],
  ])('is refused with %s', async (_what, out, more, message) => {
    expect(
      await refused(
        scene(
          `predictions: { path: out.csv${more} }, baseline: none`,
          { 'out.csv': out },
          { gates: 'accuracy: { min: 0.8 }' },
        ),
      ),
    ).toMatch(message);
  });

  it('with scores that are NaN is an error and never a pass', async () => {
    const out = csv(
      ['y_true', 'y_score'],
      range.map((row) => [label(row), row === 3 ? 'NaN' : score(row)]),
    );
    const judgement = await judge(
      scene('predictions: out.csv, baseline: none', { 'out.csv': out }, { gates: 'roc_auc: { min: 0.5 }' }),
    );
    expect(checkOf(judgement, 'gate/roc_auc/min')).toMatchObject({
      status: 'error',
      message: expect.stringContaining('row 4'),
    });
  });
});

describe('the baseline of predictions', () => {
  const regression = 'gate/accuracy/max_regression';

  it('is the base commit’s file, row by row', async () => {
    const judgement = await judge(
      scene('predictions: out.csv', { 'out.csv': predictions }, { base: { 'out.csv': Buffer.from(perfect) } }),
    );
    expect(checkOf(judgement, regression)).toMatchObject({ status: 'fail', baseline: 1, observed: 0.9 });
  });

  it('is an error where it is of other rows; the candidate is judged all the same', async () => {
    const other = csv(
      ['y_true', 'y_pred'],
      range.slice(1).map((row) => [label(row), label(row)]),
    );
    const judgement = await judge(
      scene('predictions: out.csv', { 'out.csv': predictions }, { base: { 'out.csv': Buffer.from(other) } }),
    );
    expect(checkOf(judgement, regression)).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/out\.csv@0123456789ab is not of the evaluation rows/),
    });
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it('can be a file of its own, the base commit’s where that has one', async () => {
    const named = 'predictions: out.csv, baseline: { predictions: { path: champion.csv } }';
    const files = { 'out.csv': predictions, 'champion.csv': predictions };
    expect(
      checkOf(await judge(scene(named, files, { base: { 'champion.csv': Buffer.from(perfect) } })), regression).status,
    ).toBe('fail');
    const without = await judge(scene(named, files, { base: {} }));
    expect(checkOf(without, regression).status).toBe('pass');
    expect(without.notices[0]).toMatchObject({ level: 'warning', message: expect.stringContaining('Review it') });
  });

  it('can be a model that is run here', async () => {
    const numbers = csv(
      ['x', 'label'],
      range.map((row) => [label(row) === 'yes' ? 1 : -1, label(row) === 'yes' ? 1 : 0]),
    );
    const out = csv(
      ['y_true', 'y_pred'],
      range.map((row) => [label(row) === 'yes' ? 1 : 0, said(row) === 'yes' ? 1 : 0]),
    );
    const judgement = await judge(
      scene(
        'predictions: out.csv, baseline: { path: base.onnx }',
        { 'rows.csv': numbers, 'out.csv': out, 'base.onnx': classifierModel([[0, 4]], [0, 0]) },
        {
          gates: 'accuracy: { min: 0.5, max_regression: 0.01 }',
        },
      ),
    );
    expect(checkOf(judgement, regression)).toMatchObject({ status: 'fail', baseline: 1, observed: 0.9 });
    expect(judgement.baseline?.path).toBe('base.onnx');
  });

  it('is none, and comparisons are skipped, without a base', async () => {
    const judgement = await judge(scene('predictions: out.csv', { 'out.csv': predictions }));
    expect(checkOf(judgement, regression).status).toBe('skipped');
  });
});
