import { describe, expect, it } from 'vitest';
import { classifierModel } from '../../../core/onnx/index.ts';
import { DataError, PolicyError } from '../../../core/problem/index.ts';
import { checkOf, csv, judge } from '../scene.ts';

/** Class 1 where x is over 0. */
const byX = classifierModel([[0, 2]], [0, 0]);

// Wrong on the young of Korea only; age is empty in row 0 and in row 40.
const cells = Array.from({ length: 400 }, (_, row) => {
  const country = row % 4 === 0 ? 'KR' : 'US';
  const age = row % 40 === 0 && row < 50 ? '' : row % 3 === 0 ? 20 : 50;
  const x = row % 2 === 0 ? 1 : -1;
  const right = x > 0 ? 1 : 0;
  const wrong = country === 'KR' && age === 20;
  return [x + row / 1000, country, row % 5 === 0 ? 'f' : 'm', age, wrong ? 1 - right : right] as const;
});
const rows = csv(['x', 'country', 'sex', 'age', 'label'], cells);

const of = (slices: string, more: { readonly base?: string; readonly gates?: string; readonly end?: string } = {}) => {
  const policy = (declared: string, gates: string) =>
    [
      'version: 1',
      'model: { path: model.onnx, baseline: none }',
      `evaluation: { source: rows.csv, target: label, ignore: [country, sex, age], slices: ${declared} }`,
      `gates: { ${gates} }`,
      more.end ?? '',
    ].join('\n');
  return judge({
    policy: policy(slices, more.gates ?? 'accuracy: { min: 0.8 }'),
    files: { 'model.onnx': byX, 'rows.csv': rows },
    ...(more.base === undefined ? {} : { basePolicy: policy(more.base, 'accuracy: { min: 0.8 }') }),
  });
};

describe('a slice by a condition', () => {
  it('is the rows where the condition is true, not those where it is NULL', async () => {
    const judgement = await of(`[{ name: young_kr, where: "age < 30 AND country = 'KR'" }]`);
    const expected = cells.filter(([, country, , age]) => country === 'KR' && age === 20).length;
    expect(checkOf(judgement, 'gate/accuracy/min[young_kr]')).toMatchObject({
      status: 'fail',
      observed: 0,
      evidence: { n: expected },
    });
  });

  it('that holds for no row is listed as skipped', async () => {
    const judgement = await of('[{ name: nobody, where: age > 1000 }]');
    expect(checkOf(judgement, 'gate/accuracy/min[nobody]').status).toBe('skipped');
  });

  it.each([
    ['a second statement', 'age < 30; DROP TABLE x'],
    ['a subquery', 'age < (SELECT 1)'],
    ['a file', "age IN (SELECT * FROM read_csv('/etc/passwd'))"],
    ['text', 'country'],
    ['a name of DuckDB', "current_user() = 'x'"],
  ])('is refused with the line of the policy when it is %s', async (_, where) => {
    const judged = of(`[{ name: odd, where: ${JSON.stringify(where)} }]`);
    await expect(judged).rejects.toThrow(PolicyError);
    await expect(judged).rejects.toMatchObject({
      problems: [{ code: 'slice-condition', place: { line: 3, key: 'evaluation.slices[0].where' } }],
    });
  });

  it('names a column that is not there', async () => {
    const judged = of('[{ name: odd, where: agee < 3 }]');
    await expect(judged).rejects.toThrow(DataError);
    await expect(judged).rejects.toMatchObject({ problems: [{ fix: expect.stringContaining('age') }] });
  });
});

describe('intersections', () => {
  it('are a slice for every combination that has rows', async () => {
    const judgement = await of('[[country, { age: [30] }]]');
    const status = (slice: string) => checkOf(judgement, `gate/accuracy/min[${slice}]`).status;
    expect(status('country=KR, age<30')).toBe('fail');
    expect(status('country=KR, age≥30')).toBe('pass');
    expect(status('country=US, age<30')).toBe('pass');
    expect(status('country=KR, age=empty')).toBe('skipped');
    expect(judgement.checks.filter(({ id }) => id.includes('[country=US')).length).toBe(2);
  });

  it('of too many values are refused with their number', async () => {
    await expect(of('[[country, x]]')).rejects.toMatchObject({ problems: [{ code: 'too-many-slices' }] });
  });
});

describe('slices that a pull request adds', () => {
  // Broken by a little: alone it fails, among a hundred slices that hold it would not.
  const weak = { name: 'weak', where: "age = 20 AND country = 'KR' OR country = 'US' AND x BETWEEN 1 AND 1.35" };
  const declared = `{ name: ${weak.name}, where: "${weak.where}" }`;
  const many = Array.from({ length: 60 }, (_, at) => `{ name: s${at}, where: country = 'US' OR x > 0.${100 + at} }`);

  it('are no cover for one of the base that is broken', async () => {
    const alone = await of(`[${declared}]`, { base: `[${declared}]` });
    const covered = await of(`[${declared}, ${many.join(', ')}]`, { base: `[${declared}]` });
    const id = 'gate/accuracy/min[weak]';
    expect(checkOf(alone, id).status).toBe('fail');
    expect(checkOf(covered, id)).toEqual({ ...checkOf(alone, id), place: expect.anything() });
    expect(covered.checks.length).toBeGreaterThan(60);
    // Without a base they are one family.
    expect(checkOf(await of(`[${declared}, ${many.join(', ')}]`), id).status).toBe('inconclusive');
  });
});
