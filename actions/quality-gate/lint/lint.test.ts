import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentHost } from '../../../core/host/index.ts';
import { type LabelSample, metrics, type ValueSample } from '../../../core/metrics/index.ts';
import type { MetricName } from '../../../core/policy/index.ts';
import { decide, randomOf } from '../../../core/statistics/index.ts';
import { crossCheck } from '../mcnemar-cross-check.ts';
import type { Pair } from '../measured-metric.ts';
import { metricIntervals } from '../metric-interval.ts';
import { assumedFacts } from './evaluation-facts.ts';
import { lintPolicy, type PolicyLint } from './lint-policy.ts';
import { resolutionOfBound, resolutionOfChange } from './resolution.ts';
import { usualAssumptions } from './standard-error.ts';

const options = { level: 0.9, assumptions: usualAssumptions };

/** Shares of simulated evaluations that the gate's own measuring and deciding fails, and passes. */
function decided(
  name: MetricName,
  against: { kind: 'min' | 'max'; value: number },
  of: 'candidate' | 'difference',
  pairOf: (trial: number) => Pair,
  trials = 400,
): { fail: number; pass: number } {
  const found = { fail: 0, pass: 0 };
  for (let trial = 0; trial < trials; trial++) {
    const certainty = { level: 0.9, seed: `lint ${trial}` } as const;
    const measured = metricIntervals([{ metric: metrics[name], options: {} }], pairOf(trial), certainty).get(name);
    const interval = measured?.[of];
    if (interval === undefined) throw new RangeError('not measured');
    const status = of === 'difference' ? crossCheck(against, interval, measured?.pairs)?.override?.status : undefined;
    const decision = status ?? decide(against, interval);
    if (decision === 'fail') found.fail += 1 / trials;
    if (decision === 'pass') found.pass += 1 / trials;
  }
  return found;
}

function labels(rows: number, right: number, seed: string): LabelSample {
  const random = randomOf(seed);
  const actual = Int32Array.from({ length: rows }, (_, row) => row % 2);
  const predicted = actual.map((label) => (random.unit() < right ? label : 1 - label));
  return { task: 'classification', classes: ['0', '1'], positive: 1, actual, predicted };
}

/** A baseline right on nine of ten rows, a candidate that loses and wins such shares of the rows. */
function changed(rows: number, lost: number, won: number, seed: string): Pair<LabelSample> {
  const random = randomOf(seed);
  const actual = Int32Array.from({ length: rows }, (_, row) => row % 2);
  const before = Int32Array.from(actual);
  const predicted = Int32Array.from(actual, (label, row) => {
    const draw = random.unit();
    if (draw < lost) return 1 - label;
    if (draw < lost + won) before[row] = 1 - label;
    return label;
  });
  const candidate: LabelSample = { task: 'classification', classes: ['0', '1'], positive: 1, actual, predicted };
  return { candidate, baseline: { ...candidate, predicted: before } };
}

function regressed(rows: number, error: number, seed: string): ValueSample {
  const random = randomOf(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
  const actual = Float64Array.from({ length: rows }, () => 50 * normal());
  // The mean of |x| of a normal x is its deviation times the root of 2/π.
  const deviation = error / Math.sqrt(2 / Math.PI);
  return { task: 'regression', actual, predicted: actual.map((value) => value + deviation * normal()) };
}

describe('what lint promises', () => {
  it.each([
    ['accuracy', 300],
    ['accuracy', 2000],
    ['recall', 400],
  ] as const)('of a smallest %s on %i rows is what the gate does', (name, rows) => {
    const limit = { kind: 'min', value: 0.85 } as const;
    const { sees = Number.NaN, passes = Number.NaN } = resolutionOfBound(
      name,
      {},
      limit,
      assumedFacts(rows, 'classification'),
      options,
    );
    const at = (right: number) =>
      decided(name, limit, 'candidate', (trial) => ({ candidate: labels(rows, right, `${name} ${right} ${trial}`) }));
    expect(at(sees).fail).toBeGreaterThan(0.91);
    expect(at(sees).fail).toBeLessThan(0.99);
    expect(at(passes).pass).toBeGreaterThan(0.91);
    expect(at(passes).pass).toBeLessThan(0.995);
  });

  it('of a largest error is what the gate does', () => {
    const limit = { kind: 'max', value: 10 } as const;
    const { sees = Number.NaN, passes = Number.NaN } = resolutionOfBound(
      'mae',
      {},
      limit,
      assumedFacts(200, 'regression'),
      options,
    );
    const at = (error: number) =>
      decided('mae', limit, 'candidate', (trial) => ({ candidate: regressed(200, error, `${error} ${trial}`) }), 150);
    expect(at(sees).fail).toBeGreaterThan(0.89);
    expect(at(passes).pass).toBeGreaterThan(0.89);
  });

  it.each([300, 1000, 4000])('of a loss of accuracy on %i rows is what the gate does', (rows) => {
    const demanded = { kind: 'max_regression', change: 0.01, value: 0.9 } as const;
    const { sees = Number.NaN } = resolutionOfChange(
      'accuracy',
      {},
      demanded,
      assumedFacts(rows, 'classification'),
      options,
    );
    const churn = Math.max(0.08, sees);
    const { fail } = decided('accuracy', { kind: 'min', value: -0.01 }, 'difference', (trial) =>
      changed(rows, (churn + sees) / 2, (churn - sees) / 2, `change ${rows} ${trial}`),
    );
    expect(fail).toBeGreaterThan(0.91);
    expect(fail).toBeLessThan(0.99);
  });

  it('of the rows that prove a model to be as good is what the gate does', () => {
    const demanded = { kind: 'max_regression', change: 0.02, value: 0.9 } as const;
    const of = (rows: number) =>
      resolutionOfChange('accuracy', {}, demanded, assumedFacts(rows, 'classification'), options);
    const { rowsToPass = 0 } = of(300);
    expect(of(rowsToPass).passes).toBeGreaterThanOrEqual(0);
    const { pass } = decided('accuracy', { kind: 'min', value: -0.02 }, 'difference', (trial) =>
      changed(rowsToPass, 0.04, 0.04, `equal ${trial}`),
    );
    expect(pass).toBeGreaterThan(0.92);
    expect(pass).toBeLessThan(0.99);
  });

  it('is the 4 points on 1,000 rows that the calibration found', () => {
    const demanded = { kind: 'max_regression', change: 0.01, value: 0.9 } as const;
    const { sees } = resolutionOfChange('accuracy', {}, demanded, assumedFacts(1000, 'classification'), options);
    expect(sees).toBeGreaterThan(0.035);
    expect(sees).toBeLessThan(0.04);
  });
});

describe('a policy', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-lint-'));
    await mkdir(join(folder, 'data'));
    // 270 of 300 stay; in the country "small" there are 12.
    const rows = Array.from({ length: 300 }, (_, row) => [
      row,
      row < 12 ? 'small' : row % 2 ? 'KR' : 'DE',
      row % 10 === 0 ? 'leaves' : 'stays',
    ]);
    await writeFile(
      join(folder, 'data/test.csv'),
      ['age,country,churned', ...rows.map((cells) => cells.join(','))].join('\n'),
    );
    const values = Array.from({ length: 100 }, (_, row) => `${row},${row}`);
    await writeFile(join(folder, 'data/values.csv'), ['x,y', ...values].join('\n'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function lint(lines: readonly string[], more: { rows?: number } = {}): Promise<PolicyLint> {
    await writeFile(join(folder, 'sluice.yaml'), ['version: 1', 'model: { path: model.onnx }', ...lines].join('\n'));
    return lintPolicy({ policyFile: 'sluice.yaml', directory: folder, today: '2026-11-21', ...more }, silentHost);
  }
  const evaluation = 'evaluation: { source: data/test.csv, target: churned, positive: leaves }';
  const codes = ({ findings }: PolicyLint) => findings.map(({ code }) => code);

  it('with bounds that a model which learned nothing meets is told so', async () => {
    const found = await lint([
      evaluation,
      'gates: { accuracy: { min: 0.88 }, roc_auc: { min: 0.5 }, log_loss: { max: 0.4 }, f1: { min: 0.5 } }',
    ]);
    expect(found.rows).toBe(300);
    const hollow = found.findings.filter(({ code }) => code === 'hollow-bound');
    expect(hollow.map(({ message }) => message.split(' is met')[0])).toEqual([
      'accuracy ≥ 0.88',
      'roc_auc ≥ 0.5',
      'log_loss ≤ 0.4',
    ]);
    expect(hollow[0]?.message).toContain('one that always says the same label has 0.9 on these rows');
    expect(hollow[0]?.place).toMatchObject({ file: 'sluice.yaml', line: 4 });
  });

  it('of a regression is held against the mean and the median', async () => {
    const found = await lint([
      'evaluation: { source: data/values.csv, target: y }',
      'gates: { mae: { max: 26 }, rmse: { max: 20 }, r2: { min: 0 } }',
    ]);
    const hollow = found.findings.filter(({ code }) => code === 'hollow-bound');
    // |y − 49.5| of 0 to 99 has the mean 25; its deviation is 28.9.
    expect(hollow.map(({ place }) => place.key)).toEqual(['gates.mae.max', 'gates.r2.min']);
  });

  describe('with a metric of its own', () => {
    const custom = (...metrics: readonly string[]) => [
      evaluation,
      'gates:',
      '  custom:',
      ...metrics.map((m) => `    - ${m}`),
    ];

    it('is told which bounds a model that learned nothing meets, and which one that is always right does not', async () => {
      const found = await lint(
        custom(
          '{ name: cost, mean: "CASE WHEN prediction = actual THEN 0 WHEN actual = \'leaves\' THEN 10 ELSE 1 END", better: lower, max: 1.0 }',
          '{ name: gain, mean: "CASE WHEN prediction = actual THEN 1 ELSE 0 END", better: higher, min: 1.5 }',
          '{ name: fine, mean: "CASE WHEN prediction = actual THEN 1 ELSE 0 END", better: higher, min: 0.95 }',
        ),
      );
      // One row of ten leaves: always saying "stays" costs 10 * 0.1, always saying "leaves" 0.9.
      expect(
        found.findings.filter(({ code }) => /bound/.test(code)).map(({ code, message }) => [code, message]),
      ).toEqual([
        ['hollow-bound', expect.stringContaining('one that always says "leaves" has 0.9')],
        ['unreached-bound', expect.stringContaining('it has 1 on these rows')],
      ]);
    });

    it('is told what these rows can resolve of it, much as of the accuracy that it repeats', async () => {
      const found = await lint([
        evaluation,
        'gates:',
        '  accuracy: { min: 0.9, max_regression: 0.05 }',
        '  custom:',
        '    - { name: same, mean: "CASE WHEN prediction = actual THEN 1 ELSE 0 END", better: higher, min: 0.9, max_regression: 0.05 }',
      ]);
      const of = (id: string) => found.bounds.find((bound) => bound.id === id);
      for (const kind of ['min', 'max_regression']) {
        const [own, known] = [of(`gate/custom/same/${kind}`), of(`gate/accuracy/${kind}`)];
        expect(own?.words).toMatch(/^reliably/);
        expect(own?.sees).toBeDefined();
        expect(Math.abs((own?.sees ?? 0) - (known?.sees ?? 9))).toBeLessThan(0.06);
      }
    });

    it('that gives no number of some rows is told so before a model has run', async () => {
      const found = await lint(
        custom('{ name: odd, mean: "1 / CASE WHEN actual = \'leaves\' THEN NULL ELSE 1 END", better: higher, min: 0 }'),
      );
      expect(found.findings.map(({ code }) => code)).toContain('custom-metric-undefined');
    });

    it('that reads a column which is not there is refused as the gate refuses it', async () => {
      await expect(lint(custom('{ name: odd, mean: "nosuch + 1", better: higher, min: 0 }'))).rejects.toThrow(/nosuch/);
    });
  });

  it('with bounds that can never pass, or never fail, is told so', async () => {
    const found = await lint(
      ['evaluation: { source: rows.csv, target: y }', 'gates: { accuracy: { min: 0.995 }, recall: { min: 0.05 } }'],
      { rows: 40 },
    );
    expect(found.source).toBeUndefined();
    expect(found.findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'never-passes: accuracy ≥ 0.995 can never pass: on 40 rows not even a perfect score proves it',
      'never-fails: recall ≥ 0.05 can hardly fail: on 20 rows no value is bad enough to be reliably seen',
      expect.stringContaining('no-comparison: '),
    ]);
    expect(found.bounds[0]).not.toHaveProperty('passes');
    expect(found.bounds[1]).not.toHaveProperty('sees');
  });

  it('that allows no loss at all is told that equals never pass', async () => {
    const found = await lint([evaluation, 'gates: { accuracy: { min: 0.95, max_regression: 0 } }']);
    expect(codes(found)).toContain('never-passes');
    expect(found.findings.find(({ code }) => code === 'never-passes')?.fix).toMatch(/^Allow a small loss/);
  });

  it('is told how many rows would prove what it asks', async () => {
    const found = await lint([evaluation, 'gates: { accuracy: { max_regression: 0.01 } }']);
    const [bound] = found.bounds;
    expect(bound).toMatchObject({ id: 'gate/accuracy/max_regression', rows: 300, rowsToPass: 7100 });
    expect(bound?.words).toBe(
      'reliably sees a loss ≥ 6.2 pt, too few rows to pass one that is just as good (7,100 rows would)',
    );
    expect(codes(found)).toEqual(['unresolved-regression']);
  });

  it('that holds every class by itself is told what each can tell, and which never passes', async () => {
    const byClass = [
      'evaluation: { source: data/test.csv, target: country }',
      'gates: { recall: { min: 0.8, average: none } }',
    ];
    const found = await lint(byClass);
    const bounds = found.bounds.map(({ id, rows }) => ({ id, rows }));
    expect(bounds.toSorted((one, other) => one.rows - other.rows)).toEqual([
      { id: 'gate/recall/min[class=small]', rows: 12 },
      { id: 'gate/recall/min[class=DE]', rows: 144 },
      { id: 'gate/recall/min[class=KR]', rows: 144 },
    ]);
    // Of three classes one alone has to be surer to fail than one by itself; what passes is not shared.
    const alone = resolutionOfBound(
      'recall',
      {},
      { kind: 'min', value: 0.8 },
      { rows: 300, classes: [144, 156] },
      options,
    );
    const [large] = found.bounds.filter(({ rows }) => rows === 144);
    expect(large?.sees).toBeLessThan(alone.sees ?? 0);
    expect(large?.passes).toBe(alone.passes);
    expect(codes(await lint([...byClass.slice(0, 1), 'gates: { recall: { min: 0.9, average: none } }']))).toContain(
      'class-never-passes',
    );
    const assumed = await lint(byClass, { rows: 100 });
    expect(assumed.bounds).toMatchObject([{ title: 'recall ≥ 0.8 of class "either of two"', rows: 50 }]);
  });

  it('with slices is told what each can tell, and which are skipped or hopeless', async () => {
    const found = await lint([
      evaluation.replace(' }', ', slices: [country], min_rows: 50 }'),
      'gates: { accuracy: { min: 0.992, max_regression: 10% } }',
    ]);
    expect(found.bounds.map(({ id, rows }) => `${id} ${rows}`)).toEqual([
      'gate/accuracy/min 300',
      'gate/accuracy/min[country=DE] 144',
      'gate/accuracy/min[country=KR] 144',
      'gate/accuracy/max_regression 300',
    ]);
    expect(codes(found)).toEqual(['slice-never-passes', 'small-slices']);
  });

  it('with a slice by a condition and further sets is read as any other', async () => {
    const found = await lint([
      evaluation.replace(
        ' }',
        ", slices: [{ name: korea, where: country = 'KR' }], weak_slices: { most: 2 }, sets: [{ name: edge, source: none.csv, gates: { f1: { min: 0.9 } } }] }",
      ),
      'gates: { accuracy: { min: 0.9 } }',
    ]);
    expect(found.bounds.map(({ id }) => id)).toEqual(['gate/accuracy/min', 'gate/accuracy/min[korea]']);
  });

  it('with groups is told what a disparity can tell', async () => {
    const found = await lint([
      evaluation,
      'gates: { fairness: { group: country, demographic_parity_ratio: { min: 0.8 }, accuracy_difference: { max: 0.05 } } }',
    ]);
    expect(codes(found)).toEqual(['small-groups']);
    expect(found.bounds.map(({ id, words }) => `${id}: ${words}`)).toEqual([
      'gate/fairness/demographic_parity_ratio/min: can hardly fail: the smallest groups have 144 and 144 rows for it',
      expect.stringMatching(/^gate\/fairness\/accuracy_difference\/max: reliably fails ≥ 0\.17 /),
    ]);
  });

  it('has its smells named', async () => {
    const found = await lint([
      evaluation,
      'gates: { accuracy: { min: 0.95, severity: warn }, latency: { p95_ms: 10, max_regression: 2%, severity: warn } }',
      'evidence: off',
      'on_inconclusive: pass',
      'waivers: [{ check: "gate/*", reason: x, expires: 2027-01-01 }, { check: gate/a, reason: y, expires: 2026-01-01 }]',
    ]);
    expect(codes(found).sort()).toEqual([
      'broad-waiver',
      'expired-waiver',
      'inconclusive-passes',
      'latency-below-noise',
      'latency-only-warns',
      'no-comparison',
      'nothing-blocks',
      'points-compared',
    ]);
  });

  it('without evaluation has only its settings looked at', async () => {
    const found = await lint(['gates: { latency: { max_regression: 2% } }']);
    expect(found).not.toHaveProperty('rows');
    expect(codes(found)).toEqual(['latency-below-noise']);
  });

  it('whose evaluation file is not there is an error that says so', async () => {
    await expect(
      lint(['evaluation: { source: none.csv, target: y }', 'gates: { accuracy: { min: 0.9 } }']),
    ).rejects.toThrow(/none\.csv/);
  });
});

describe('the examples', () => {
  const lint = (policyFile: string) =>
    lintPolicy(
      { policyFile, directory: join(import.meta.dirname, '../../../examples'), today: '2026-11-21' },
      silentHost,
    );

  it('of breast cancer says what 228 rows can tell', async () => {
    const found = await lint('breast-cancer/sluice.yaml');
    expect(found).toMatchObject({ source: 'data/test.csv', rows: 228, evidence: 0.9 });
    const [accuracy] = found.bounds;
    expect(accuracy?.words).toBe('reliably fails ≤ 0.834, reliably passes ≥ 0.949');
    expect(found.bounds.find(({ id }) => id === 'gate/accuracy/max_regression')?.words).toContain(
      'reliably sees a loss ≥ 7.1 pt',
    );
    expect(found.findings.map(({ code }) => code)).toEqual(['unresolved-regression', 'latency-only-warns']);
  });

  it('of diabetes says what 177 rows can tell', async () => {
    const found = await lint('diabetes/sluice.yaml');
    expect(found.bounds.map(({ id }) => id)).toEqual([
      'gate/mae/max',
      'gate/mae/max_regression',
      'gate/mse/max',
      'gate/rmse/max',
      'gate/mape/max',
      'gate/r2/min',
    ]);
    expect(found.findings.map(({ code }) => code)).toEqual(['unresolved-regression', 'latency-only-warns']);
  });
});
