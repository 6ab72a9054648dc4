import { describe, expect, it } from 'vitest';
import { classifierModel, linearModel } from '../../../core/onnx/index.ts';
import { DataError } from '../../../core/problem/index.ts';
import { verdictOf } from '../../../core/report/index.ts';
import { randomOf } from '../../../core/statistics/index.ts';
import { checkOf, csv, judge, type Scene } from '../scene.ts';
import { drawnRows } from './weak-slice-gate.ts';

/** Class 1 where x is over 0. */
const byX = classifierModel([[0, 2]], [0, 0]);

/** One row in ten is wrong, of `weak` every other one. */
function rowsWith(weak: (country: string, age: number) => boolean): string {
  const { unit: random } = randomOf('weak slices');
  return csv(
    ['x', 'country', 'age', 'day', 'id', 'label'],
    Array.from({ length: 1_200 }, (_, row) => {
      const country = ['KR', 'US', 'DE'][Math.floor(random() * 3)] ?? 'KR';
      const age = 18 + Math.floor(random() * 60);
      const x = random() - 0.5;
      const right = x > 0 ? 1 : 0;
      const wrong = random() < (weak(country, age) ? 0.5 : 0.1);
      return [x, country, age, `2026-01-${10 + (row % 20)}`, `9007199254740${1000 + row}`, wrong ? 1 - right : right];
    }),
  );
}

const young = rowsWith((country, age) => country === 'KR' && age < 30);
const even = rowsWith(() => false);

const scene = (
  data: string,
  evaluation = ', weak_slices: {}',
  more: Partial<Scene> & { readonly gates?: string } = {},
): Scene => ({
  policy: [
    'version: 1',
    `model: { path: model.onnx, baseline: ${more.base === undefined ? 'none' : 'base'} }`,
    `evaluation: { source: rows.csv, target: label, ignore: [country, age, day, id]${evaluation} }`,
    `gates: { ${more.gates ?? 'accuracy: { min: 0.5 }'} }`,
  ].join('\n'),
  files: { 'model.onnx': byX, 'rows.csv': data },
  ...(more.base === undefined ? {} : { base: more.base }),
});

const weakOf = async (of: Scene) =>
  (await judge(of)).checks.filter(({ id }) => id.startsWith('gate/weak_slices')).map(({ id }) => id);

describe('weak slices that nobody declared', () => {
  it('are warned of with metric, interval, q-value and rows, and drawn beside all rows', async () => {
    const judgement = await judge(scene(young));
    const check = checkOf(judgement, 'gate/weak_slices[country=KR, age<30]');
    expect(check).toMatchObject({
      status: 'warn',
      title: 'accuracy where country=KR, age<30',
      evidence: { method: 'Wilson', level: 0.9 },
      message: expect.stringMatching(
        /^accuracy is 0\.\d+ on the \d+ rows where country=KR, age<30 \(between .*\), 0\.\d+ worse than the 0\.\d+ of all rows; the weakest of \d+ slices looked at: q < 0\.0001\. Name it/,
      ),
    });
    expect(verdictOf(judgement.checks, { onInconclusive: 'error' })).toBe('passed');
    const figure = judgement.figures.find(({ id }) => id === 'weak-slices');
    expect(figure?.kind === 'intervals' && figure.rows.map(({ name }) => name)).toEqual([
      'all rows',
      'country=KR, age<30',
    ]);
  });

  it('are shown only where the policy does not ask to be warned', async () => {
    const { checks, figures } = await judge(scene(young, ''));
    expect(checks.map(({ id }) => id)).toEqual(['gate/accuracy/min']);
    expect(figures.map(({ id }) => id)).toContain('weak-slices');
  });

  it('are not made up where there is none', async () => {
    const judgement = await judge(scene(even));
    expect(judgement.checks.map(({ id }) => id)).toEqual(['gate/accuracy/min']);
    expect(judgement.figures.map(({ id }) => id)).not.toContain('weak-slices');
  });

  it('are looked for in the columns that the policy names, or not at all', async () => {
    expect(await weakOf(scene(young, ', weak_slices: { columns: [age] }'))).toEqual(['gate/weak_slices[age<30]']);
    expect(await weakOf(scene(young, ', weak_slices: { columns: [day] }'))).toEqual([]);
    expect(await weakOf(scene(young, ', weak_slices: { columns: [age, country], most: 1 }'))).toHaveLength(1);
    expect(await weakOf(scene(young, ', weak_slices: { min_gap: 60% }'))).toEqual([]);
    expect(await weakOf(scene(young, ', weak_slices: off'))).toEqual([]);
    await expect(weakOf(scene(young, ', weak_slices: { columns: [county] }'))).rejects.toThrow(DataError);
  });

  it('are only shown where the baseline is as weak, and where a slice is declared', async () => {
    const { checks, figures } = await judge(scene(young, ', weak_slices: {}', { base: { 'model.onnx': byX } }));
    expect(checks.filter(({ status }) => status === 'warn')).toEqual([]);
    const figure = figures.find(({ id }) => id === 'weak-slices');
    expect(figure?.kind === 'intervals' && figure.rows[1]?.name).toBe('country=KR, age<30 (the baseline too)');
    const declared = ', weak_slices: {}, slices: [[country, { age: [30] }]]';
    expect(await weakOf(scene(young, declared))).toEqual([]);
  });

  it('do not make a judgement of a run that judged nothing', async () => {
    const of = scene(young, ', weak_slices: {}', { gates: 'accuracy: { max_regression: 0.01 }' });
    const judgement = await judge({ ...of, policy: of.policy.replace('baseline: none', 'baseline: base') });
    expect(judgement.checks.map(({ status }) => status)).toEqual(['skipped']);
  });

  it('of a regression are those with larger errors', async () => {
    const { unit: random } = randomOf('regression');
    const data = csv(
      ['x', 'country', 'y'],
      Array.from({ length: 600 }, () => {
        const country = random() < 0.3 ? 'KR' : 'US';
        const x = random();
        return [x, country, x + (country === 'KR' ? 5 : 1) * (random() - 0.5)];
      }),
    );
    const judgement = await judge({
      policy: [
        'version: 1',
        'model: { path: model.onnx, baseline: none, task: regression }',
        'evaluation: { source: rows.csv, target: y, ignore: [country], weak_slices: {} }',
        'gates: { mae: { max: 9 } }',
      ].join('\n'),
      files: { 'model.onnx': linearModel([[1]], [0]), 'rows.csv': data },
    });
    expect(checkOf(judgement, 'gate/weak_slices[country=KR]')).toMatchObject({ status: 'warn', unit: 'none' });
  });
});

it('draws a hundred thousand of many rows, spread evenly', () => {
  expect(drawnRows(100_000)).toBeUndefined();
  const drawn = drawnRows(3_000_000) ?? new Int32Array();
  expect(Math.abs(drawn.length - 100_000)).toBeLessThan(50);
  for (const period of [2, 7, 10, 1_000]) {
    const first = drawn.filter((row) => row % period === 0).length;
    expect(Math.abs(first - drawn.length / period)).toBeLessThan(200);
  }
});
