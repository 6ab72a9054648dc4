import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { classifierModel } from '../../../core/onnx/index.ts';
import { applyWaivers } from '../../../core/policy/index.ts';
import { verdictOf } from '../../../core/report/index.ts';
import { randomOf } from '../../../core/statistics/index.ts';
import type { ModelJudgement } from '../run.ts';
import { checkOf, csv, judge, type Scene } from '../scene.ts';

/** Class 1 where x is over `at`. */
const over = (at: number) => classifierModel([[0, 2]], [2 * at, 0]);

/** `share` of the labels are wrong. */
function rowsOf(seed: string, rows: number, share: number): string {
  const { unit: random } = randomOf(seed);
  return csv(
    ['x', 'country', 'label'],
    Array.from({ length: rows }, () => {
      const x = random() - 0.5;
      const right = x > 0 ? 1 : 0;
      return [x.toFixed(4), random() < 0.5 ? 'KR' : 'US', random() < share ? 1 - right : right];
    }),
  );
}

const bytes = (text: string) => new TextEncoder().encode(text);
const good = rowsOf('good', 300, 0.02);
const bad = rowsOf('bad', 300, 0.4);

const policy = (sets: string, more: { readonly gates?: string; readonly evaluation?: string } = {}) =>
  [
    'version: 1',
    'model: { path: model.onnx }',
    'evaluation:',
    '  source: data/test.csv',
    '  target: label',
    '  ignore: [country]',
    ...(more.evaluation === undefined ? [] : [`  ${more.evaluation}`]),
    ...(sets === '' ? [] : ['  sets:', ...sets.split('\n').map((line) => `    ${line}`)]),
    `gates: { ${more.gates ?? 'accuracy: { min: 0.85 }'} }`,
  ].join('\n');

const idsOf = ({ checks }: ModelJudgement) => checks.map(({ id }) => id);
const statusOf = (judgement: ModelJudgement, id: string) => checkOf(judgement, id).status;

describe('further sets of rows', () => {
  const sets = [
    '- { name: edge, source: data/edge.csv, gates: { recall: { min: 0.9 } }, slices: [country] }',
    '- { name: recent, source: data/recent.csv, gates: { accuracy: { min: 0.5, max_regression: 0.05 } } }',
  ].join('\n');
  const files = { 'model.onnx': over(0), 'data/test.csv': good, 'data/edge.csv': bad, 'data/recent.csv': bad };

  it('are each judged by bounds of their own, under ids of their own, in sections of their own', async () => {
    const judgement = await judge({ policy: policy(sets), files });
    expect(idsOf(judgement)).toEqual([
      'gate/accuracy/min',
      'gate[edge]/recall/min',
      'gate[edge]/recall/min[country=KR]',
      'gate[edge]/recall/min[country=US]',
      'gate[recent]/accuracy/min',
      'gate[recent]/accuracy/max_regression',
    ]);
    expect(statusOf(judgement, 'gate/accuracy/min')).toBe('pass');
    expect(checkOf(judgement, 'gate[edge]/recall/min')).toMatchObject({
      status: 'fail',
      title: 'edge: recall ≥ 0.9',
      place: { line: 8, key: 'evaluation.sets[0].gates.recall.min' },
    });
    expect(statusOf(judgement, 'gate[recent]/accuracy/min')).toBe('pass');
    expect(judgement.sources.map(({ path }) => path)).toEqual(['data/test.csv', 'data/edge.csv', 'data/recent.csv']);
    expect(new Set(judgement.figures.map(({ id }) => id)).size).toBe(judgement.figures.length);
  });

  it('are compared with the baseline on their own rows', async () => {
    const same = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, typeof text === 'string' ? bytes(text) : text]),
    );
    const judgement = await judge({ policy: policy(sets), files, base: same });
    expect(checkOf(judgement, 'gate[recent]/accuracy/max_regression')).toMatchObject({
      status: 'pass',
      baseline: 0.63,
    });
    expect(idsOf(judgement).some((id) => id.includes('@base'))).toBe(false);
    expect(judgement.notices.filter(({ level }) => level === 'warning')).toEqual([]);
  });

  it('that a pull request drops or relaxes are judged as before', async () => {
    const relaxed = policy('- { name: edge, source: data/test.csv, gates: { recall: { min: 0.1 } } }');
    const judgement = await judge({ policy: relaxed, basePolicy: policy(sets), files });
    expect(statusOf(judgement, 'gate[edge]/recall/min')).toBe('fail');
    expect(idsOf(judgement)).toContain('gate[recent]/accuracy/min');
  });
});

describe('rows that a pull request changes', () => {
  const scene = (head: string, base: string | undefined, more: Partial<Scene> = {}): Scene => ({
    policy: policy(''),
    files: { 'model.onnx': over(0), 'data/test.csv': head },
    base: { 'model.onnx': over(0), ...(base === undefined ? {} : { 'data/test.csv': bytes(base) }) },
    ...more,
  });

  it('do not take the place of those that the model fails on', async () => {
    const judgement = await judge(scene(good, bad));
    expect(statusOf(judgement, 'gate/accuracy/min')).toBe('pass');
    expect(checkOf(judgement, 'gate[@base]/accuracy/min')).toMatchObject({
      status: 'fail',
      title: 'base’s rows: accuracy ≥ 0.85',
    });
    expect(judgement.notices).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        message: expect.stringMatching(/changes data\/test\.csv \(300 rows at .*every bound must hold on both/),
        place: expect.objectContaining({ key: 'evaluation.source' }),
      }),
    );
  });

  it('are judged too where they are the harder ones', async () => {
    const judgement = await judge(scene(bad, good));
    expect(statusOf(judgement, 'gate/accuracy/min')).toBe('fail');
    expect(statusOf(judgement, 'gate[@base]/accuracy/min')).toBe('pass');
  });

  it('hold back both models: comparisons are made on both', async () => {
    const of = scene(good, bad, { policy: policy('', { gates: 'accuracy: { max_regression: 0.05 }' }) });
    const judgement = await judge({ ...of, files: { ...of.files, 'model.onnx': over(0.3) } });
    expect(statusOf(judgement, 'gate/accuracy/max_regression')).toBe('fail');
    expect(checkOf(judgement, 'gate[@base]/accuracy/max_regression').baseline).toBeCloseTo(0.6, 1);
  });

  it('are told of where the base has none, and nothing is said where they are the same', async () => {
    const added = await judge(scene(good, undefined));
    expect(added.notices.map(({ message }) => message).join()).toMatch(
      /has no data\/test\.csv: the verdict rests on rows/,
    );
    const same = await judge(scene(good, good));
    expect(same.notices.map(({ message }) => message).join()).not.toMatch(/test\.csv/);
    expect(idsOf(same)).not.toContain('gate[@base]/accuracy/min');
  });

  describe('and that DVC keeps', () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const pointer = (text: string) =>
      `outs:\n- md5: ${md5(text)}\n  size: ${text.length}\n  hash: md5\n  path: test.csv\n`;
    const cached = (text: string, at = '.dvc/cache/files/md5') => ({
      [`${at}/${md5(text).slice(0, 2)}/${md5(text).slice(2)}`]: text,
    });
    const tracked = (
      source: string,
      head: string,
      base: string,
      store: Readonly<Record<string, string>>,
      config = '',
    ) =>
      judge({
        policy: policy('').replace('data/test.csv', source),
        files: { 'model.onnx': over(0), 'data/test.csv': head, 'data/test.csv.dvc': pointer(head), ...store },
        base: { 'model.onnx': over(0), 'data/test.csv.dvc': bytes(pointer(base)), '.dvc/config': bytes(config) },
      });

    it.each(['data/test.csv', 'data/test.csv.dvc'])('are compared by the pointers: %s', async (source) => {
      const same = await tracked(source, good, good, {});
      expect(statusOf(same, 'gate/accuracy/min')).toBe('pass');
      expect(idsOf(same).join()).not.toMatch(/base/);
      expect(same.notices.map(({ message }) => message).join()).not.toMatch(/test\.csv/);
      const changed = await tracked(source, good, bad, cached(bad));
      expect(statusOf(changed, 'gate/accuracy/min')).toBe('pass');
      expect(statusOf(changed, 'gate[@base]/accuracy/min')).toBe('fail');
    });

    it.each([
      ['an older DVC’s cache', cached(bad, '.dvc/cache'), ''],
      ['a cache elsewhere', cached(bad, 'cache/files/md5'), '[cache]\n    dir = ../cache\n'],
      [
        'a remote that is a folder',
        cached(bad, 'store/files/md5'),
        `[core]\n    remote = near\n['remote "near"']\n    url = ../store\n`,
      ],
    ])('are found in %s', async (_, store, config) => {
      const judgement = await tracked('data/test.csv.dvc', good, bad, store, config);
      expect(statusOf(judgement, 'gate[@base]/accuracy/min')).toBe('fail');
    });

    it.each([
      ['in neither', {}, '', /no remote is configured/],
      ['other bytes in the cache', { [Object.keys(cached(bad))[0] ?? '']: good }, '', /DVC's cache/],
      [
        'in a remote that only DVC reads',
        {},
        `[core]\nremote = far\n['remote "far"']\nurl = ssh://host/store\n`,
        /ssh:\/\/host/,
      ],
    ])('are an error that says how to bring them: %s', async (_, store, config, said) => {
      const judgement = await tracked('data/test.csv.dvc', good, bad, store, config);
      expect(checkOf(judgement, 'gate/evaluation/base')).toMatchObject({
        status: 'error',
        message: expect.stringMatching(/dvc fetch --all-commits data\/test\.csv\.dvc/),
      });
      expect(checkOf(judgement, 'gate/evaluation/base').message).toMatch(said);
    });

    it('are not looked for where the pull request’s own configuration says', async () => {
      const config = `[core]\nremote = near\n['remote "near"']\nurl = ../store\n`;
      const judgement = await tracked('data/test.csv.dvc', good, bad, {
        ...cached(bad, 'store/files/md5'),
        '.dvc/config': config,
      });
      expect(statusOf(judgement, 'gate/evaluation/base')).toBe('error');
    });

    it('are an error where the base’s pointer leads elsewhere', async () => {
      const judgement = await judge({
        policy: policy('').replace('data/test.csv', 'data/test.csv.dvc'),
        files: { 'model.onnx': over(0), 'data/test.csv': good, 'data/test.csv.dvc': pointer(good) },
        base: { 'data/test.csv.dvc': bytes(pointer(bad).replace('test.csv', '../../secret.csv')) },
      });
      expect(checkOf(judgement, 'gate/evaluation/base').message).toMatch(/base commit does not name a file beside it/);
    });
  });

  it('are an error where the base’s cannot be read', async () => {
    const judgement = await judge(scene(good, 'x,country,label\n"torn,KR\n'));
    expect(statusOf(judgement, 'gate/evaluation/base')).toBe('error');
    expect(verdictOf(judgement.checks, { onInconclusive: 'warn' })).toBe('error');
  });

  it('do not escape judgement by columns that the model needs and the base’s rows lack', async () => {
    const other = good.replace('x,', 'z,');
    const judgement = await judge(scene(other, good, { policy: policy('', { evaluation: 'features: [z]' }) }));
    expect(checkOf(judgement, 'gate[@base]/rows')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('z'),
    });
  });

  it('may come with slices of columns that the base’s rows do not have', async () => {
    const wider = csv(
      ['x', 'country', 'plan', 'label'],
      good
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => {
          const [x = '', country = '', label = ''] = line.split(',');
          return [x, country, 'basic', label];
        }),
    );
    const of = scene(wider, good, { basePolicy: policy('').replace('ignore: [country]', 'features: [x]') });
    const head = policy('', { evaluation: 'slices: [plan, country]' }).replace('ignore: [country]', 'features: [x]');
    const judgement = await judge({ ...of, policy: head });
    expect(statusOf(judgement, 'gate/accuracy/min[plan=basic]')).toBe('pass');
    expect(statusOf(judgement, 'gate[@base]/accuracy/min')).toBe('pass');
    expect(idsOf(judgement).some((id) => id.startsWith('gate[@base]') && id.includes('['.concat('country')))).toBe(
      false,
    );
  });

  it('are covered by a waiver as the rows before were', async () => {
    const { checks } = await judge(scene(good, bad));
    const waiver = { check: 'gate/accuracy/min', reason: 'known', expires: '2027-01-31' };
    const waived = applyWaivers(checks, [waiver], '2026-11-21');
    expect(waived.checks.find(({ id }) => id === 'gate[@base]/accuracy/min')?.status).toBe('waived');
    const other = applyWaivers(checks, [{ ...waiver, check: 'gate/accuracy/max' }], '2026-11-21');
    expect(other.checks.find(({ id }) => id === 'gate[@base]/accuracy/min')?.status).toBe('fail');
  });

  it('never give a better verdict than the base’s rows alone, whatever the two are', async () => {
    const { unit: random } = randomOf('pairs of sets');
    const gates = 'accuracy: { min: 0.8, max_regression: 0.05 }, recall: { min: 0.7 }';
    const order = ['passed', 'failed', 'error'];
    let better = 0;
    for (let pair = 0; pair < 10; pair++) {
      const [base, head] = ['base', 'head'].map((side) =>
        rowsOf(`${side} ${pair}`, 100 + Math.floor(random() * 200), random() * (side === 'base' ? 0.5 : 0.2)),
      );
      const model = over((random() - 0.5) / 50);
      const of = (rows = '', ofBase = '') =>
        judge({
          policy: policy('', { gates, evaluation: 'slices: [country]' }),
          files: { 'model.onnx': model, 'data/test.csv': rows },
          base: { 'model.onnx': over(0), 'data/test.csv': bytes(ofBase) },
        });
      const rank = ({ checks }: ModelJudgement, onInconclusive: 'warn' | 'error') =>
        order.indexOf(verdictOf(checks, { onInconclusive }));
      const [alone, swapped] = [await of(base, base), await of(head, base)];
      for (const inconclusive of ['warn', 'error'] as const) {
        expect(rank(swapped, inconclusive)).toBeGreaterThanOrEqual(rank(alone, inconclusive));
      }
      const headAlone = swapped.checks.filter(({ id }) => !id.startsWith('gate[@base]'));
      if (order.indexOf(verdictOf(headAlone, { onInconclusive: 'warn' })) < rank(alone, 'warn')) better++;
    }
    // The pairs do try: some of the head's sets would have given a better verdict by themselves.
    expect(better).toBeGreaterThan(0);
  });
});
