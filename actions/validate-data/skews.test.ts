import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { type DataCheckOptions, headOnly, parsePolicy } from '../../core/policy/index.ts';
import {
  type Check,
  parseReport,
  renderHtml,
  renderJson,
  renderJunit,
  renderMarkdown,
  renderTerminal,
} from '../../core/report/index.ts';
import { normalQuantile, randomOf } from '../../core/statistics/index.ts';
import { run, validateData } from './run.ts';

let directory = '';
let engine: Engine;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-skew-'));
  engine = await openEngine();
  await write('train.csv', 2000, 0);
  await write('alike.csv', 1500, 0);
  await write('apart.csv', 1500, 1);
  await write('few.csv', 60, 0.4);
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

const random = randomOf('skew');
const normal = () => normalQuantile((random.bits() + 0.5) / 2 ** 32);

/** Rows whose ages are so many standard deviations from the training data's. */
async function write(name: string, count: number, age: number): Promise<void> {
  const row = (_: unknown, index: number) =>
    `u${index},2026-11-01,${age + normal()},${random.unit() < 0.7 ? 'KR' : 'US'},${random.unit() < 0.5 ? 'a' : 'b'}`;
  const rows = Array.from({ length: count }, row);
  await writeFile(join(directory, name), `user,day,age,country,half\n${rows.join('\n')}\n`);
}

async function judge(
  source: string,
  skew: Partial<DataCheckOptions<'skew'>>,
  more: object = {},
  policy: object = {},
): Promise<readonly Check[]> {
  const check = { skew: { reference: 'train.csv', max: 0.2, ...skew } };
  const text = JSON.stringify({ version: 1, data: [{ source, ...more, checks: [check] }], ...policy });
  const found = await validateData({
    policy: headOnly(parsePolicy(text, 'sluice.yaml')),
    directory,
    engine,
    host: silentHost,
  });
  return found.checks;
}

const statuses = (checks: readonly Check[]) => checks.map(({ id, status }) => `${id.split('/').at(-1)} ${status}`);

describe('skew against another file', () => {
  it('is none of two samples of the same', async () => {
    const checks = await judge('alike.csv', { ignore: ['user', 'day'] });
    expect(statuses(checks)).toEqual(['skew[age][psi] pass', 'skew[country][psi] pass', 'skew[half][psi] pass']);
    expect(checks[0]).toMatchObject({
      id: 'data/alike.csv/skew[age][psi]',
      title: 'age psi ≤ 0.2 against train.csv',
      section: 'data',
      bound: { kind: 'max', value: 0.2 },
      place: { file: 'sluice.yaml' },
    });
  });

  it('fails the column that is apart beyond chance, with the interval that shows it', async () => {
    const checks = await judge('apart.csv', { ignore: ['user', 'day'], reason: 'the model was trained on it' });
    expect(statuses(checks)).toEqual(['skew[age][psi] fail', 'skew[country][psi] pass', 'skew[half][psi] pass']);
    expect(checks[0]?.evidence?.lower).toBeGreaterThan(0.2);
    expect(checks[0]?.message).toContain('that is skew');
    expect(checks[0]?.message.match(/the model was trained on it/g)).toHaveLength(1);
  });

  it.each(['ks', 'jensen_shannon', 'wasserstein'] as const)(
    'is measured by %s where that is asked',
    async (measure) => {
      const [check] = await judge('apart.csv', { columns: ['age'], measure, max: 0.1 });
      expect(check).toMatchObject({ id: `data/apart.csv/skew[age][${measure}]`, status: 'fail' });
      expect((await judge('alike.csv', { columns: ['age'], measure, max: 0.1 }))[0]?.status).toBe('pass');
    },
  );

  it('only warns where that is its severity', async () => {
    expect(statuses(await judge('apart.csv', { columns: ['age'], severity: 'warn' }))).toEqual(['skew[age][psi] warn']);
  });

  it('is inconclusive where the rows do not settle it, and plain where evidence is off', async () => {
    const [check] = await judge('few.csv', { columns: ['age'], max: 0.15 });
    expect(check).toMatchObject({ status: 'inconclusive', evidence: { level: 0.9 } });
    expect(check?.rowsToSettle).toBeGreaterThan(0);
    const [plain] = await judge('few.csv', { columns: ['age'], max: 0.15 }, {}, { evidence: 'off' });
    expect(plain).toMatchObject({ observed: check?.observed, evidence: { method: 'point' } });
    expect(['pass', 'fail']).toContain(plain?.status);
  });

  it('is about the rows that where chooses, and leaves what chose them out', async () => {
    const checks = await judge('alike.csv', { ignore: ['user', 'day'], where: { country: 'US' } });
    expect(statuses(checks)).toEqual(['skew[age][psi]{country is US} pass', 'skew[half][psi]{country is US} pass']);
    // The chosen rows alone are of one half.
    const [half] = await judge('alike.csv', { columns: ['half'], where: { half: 'a' } });
    expect(half?.status).toBe('fail');
  });

  it('lists what it does not compare of all columns', async () => {
    const checks = await judge('alike.csv', {});
    expect(statuses(checks)).toContain('skew[user][psi] skipped');
    expect(statuses(checks)).toContain('skew[day][psi] skipped');
  });
});

describe('what cannot be judged is an error, never a pass:', () => {
  it('a column that one file lacks', async () => {
    const [check] = await judge('alike.csv', { columns: ['ages'] });
    expect(check).toMatchObject({ status: 'error' });
    expect(check?.message).toContain('Did you mean "age"?');
    await writeFile(join(directory, 'lost.csv'), `age\n${Array.from({ length: 50 }, normal).join('\n')}\n`);
    expect(statuses(await judge('lost.csv', { ignore: ['user', 'day', 'half'] }))).toContain(
      'skew[country][psi] error',
    );
  });

  it('a column that is named and holds what cannot be compared', async () => {
    const named = ['day', 'user'];
    expect(statuses(await judge('alike.csv', { columns: named }))).toEqual([
      'skew[day][psi] error',
      'skew[user][psi] error',
    ]);
    expect(statuses(await judge('alike.csv', { columns: ['country'], measure: 'ks' }))).toEqual([
      'skew[country][ks] error',
    ]);
  });

  it('columns of which none is left', async () => {
    const all = ['user', 'day', 'age', 'country', 'half'];
    expect(statuses(await judge('alike.csv', { ignore: all }))).toEqual(['skew[psi] error']);
    expect(statuses(await judge('alike.csv', { ignore: ['age', 'country', 'half'] }))).toEqual([
      'skew[day][psi] error',
      'skew[user][psi] error',
    ]);
    expect(statuses(await judge('alike.csv', { ignore: ['age'], measure: 'ks' }))).toContain('skew[day][ks] error');
  });

  it('too few rows', async () => {
    const [check] = await judge('few.csv', { columns: ['age'], where: { country: 'nowhere' } });
    expect(check).toMatchObject({ status: 'error' });
    expect(check?.message).toBe(
      'Too few rows to compare: 0 rows of few.csv that "where" chooses, and it takes 30 on both sides.',
    );
  });

  it('a condition on a column that is not there', async () => {
    const checks = await judge('alike.csv', { where: { nation: 'KR' } });
    expect(checks).toMatchObject([{ status: 'error', message: expect.stringContaining('cannot be chosen') }]);
  });
});

it('shows no value of a sensitive column in any report', async () => {
  const data = {
    source: 'apart.csv',
    sensitive: ['country', 'user'],
    checks: [{ skew: { reference: 'train.csv', max: 0.2 } }],
  };
  await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ version: 1, data: [data] }));
  const report = await run({ policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false }, silentHost);
  expect(report.verdict).toBe('failed');
  const json = renderJson(report);
  expect(() => parseReport(json)).not.toThrow();
  const pages = [json, await renderHtml(report), renderMarkdown(report), renderJunit(report)];
  for (const page of [...pages, renderTerminal(report, { colour: false, width: 120 })]) {
    expect(page).toContain('country');
    expect(page).not.toMatch(/\bKR\b|\bu17\b/);
  }
});
