import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../core/data/index.ts';
import { silentHost } from '../../../core/host/index.ts';
import { classifierModel, linearModel, openModel } from '../../../core/onnx/index.ts';
import { headOnly, parsePolicy } from '../../../core/policy/index.ts';
import type { Figure } from '../../../core/report/index.ts';
import { subjectOf } from '../candidate-and-baseline.ts';
import { openEvaluation } from '../evaluation-rows.ts';
import { taskFor, wire } from '../model-run.ts';
import { csv, judge } from '../scene.ts';
import { bestThreshold } from './best-threshold.ts';
import { type Importances, importances } from './explain-model.ts';
import { permutation } from './permutation-importance.ts';

interface Reference {
  readonly columns: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly name: 'regression' | 'classification';
    readonly weights: readonly (readonly number[])[];
    readonly y: readonly number[];
    /** `orders[column][repeat][row]` */
    readonly orders: readonly (readonly (readonly number[])[])[];
    readonly metrics: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly thresholds: readonly {
    readonly truth: readonly number[];
    readonly probability: readonly number[];
    readonly best: Readonly<Record<'f1' | 'balanced_accuracy' | 'accuracy' | 'cost', number>>;
  }[];
}
const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, 'reference', 'reference.json'), 'utf8'),
) as Reference;

const names = ['a', 'b', 'c', 'd'];
const rowsOf = (y: readonly (number | string)[]) =>
  csv(
    [...names, 'y'],
    y.map((target, row) => [...reference.columns.map((column) => column[row] ?? 0), target]),
  );

/** Explains a model on rows with permutations of the test's own. */
async function explained(
  of: Reference['cases'][number],
  metric: string,
  options: { readonly rows?: number } = {},
): Promise<Importances> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-explain-'));
  try {
    const model = (of.name === 'regression' ? linearModel : classifierModel)(
      of.weights,
      (of.weights[0] ?? []).map(() => 0),
    );
    await writeFile(join(directory, 'm.onnx'), model);
    await writeFile(join(directory, 'e.csv'), rowsOf(of.y));
    const text = `version: 1\nmodel: { path: m.onnx, baseline: none }\nevaluation: { source: e.csv, target: y }\ngates: { ${metric}: { ${
      metric === 'mae' ? 'max' : 'min'
    }: 0 } }\n`;
    const policy = headOnly(parsePolicy(text, 'sluice.yaml'));
    const { model: modelPolicy, evaluation } = policy.policy;
    if (modelPolicy === undefined || evaluation === undefined) throw new TypeError('the policy has both');
    await using engine = await openEngine({ threads: 1 });
    await using opened = await openModel(join(directory, 'm.onnx'));
    const rows = await openEvaluation(policy, directory, engine);
    const wired = await wire(
      {
        model: opened,
        path: 'm.onnx',
        place: {},
        policy: modelPolicy,
        evaluation,
        task: taskFor(policy.policy, opened),
      },
      rows,
    );
    const { subject } = await subjectOf(policy, rows, wired, undefined, { kind: 'absent', why: '' }, silentHost);
    return await importances(
      policy,
      subject,
      {
        rows,
        candidate: wired,
        baseline: undefined,
        host: silentHost,
        ...(options.rows === undefined
          ? { orderOf: ({ name }, repeat) => Int32Array.from(of.orders[names.indexOf(name)]?.[repeat] ?? []) }
          : {}),
      },
      { repeats: 5, rows: options.rows },
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('permutation importance', () => {
  it.each(
    reference.cases.flatMap((of) => Object.entries(of.metrics).map(([metric, expected]) => ({ of, metric, expected }))),
  )("is scikit-learn's, given its permutations: $metric of a $of.name", async ({ of, metric, expected }) => {
    const { found, rows } = await explained(of, metric);
    expect(rows).toBe(96);
    expect(found).toHaveLength(4);
    for (const { feature, candidate } of found) {
      expect(candidate.estimate, feature.name).toBeCloseTo(expected[names.indexOf(feature.name)] ?? Number.NaN, 9);
      expect(candidate.lower).toBeLessThanOrEqual(candidate.estimate);
      expect(candidate.upper).toBeGreaterThanOrEqual(candidate.estimate);
    }
    // What the model does not look at loses nothing, and that is certain.
    expect(found.find(({ feature }) => feature.name === 'd')?.candidate).toMatchObject({
      estimate: 0,
      lower: 0,
      upper: 0,
    });
  });

  it('looks at no more rows than it is told, and at the same ones again', async () => {
    const [of] = reference.cases;
    if (of === undefined) throw new TypeError('there is a case');
    const [once, again] = [await explained(of, 'r2', { rows: 40 }), await explained(of, 'r2', { rows: 40 })];
    expect(once.rows).toBe(40);
    expect(again).toEqual(once);
  });

  it('shuffles every row to another, evenly', () => {
    const order = permutation(1000, 'seed');
    expect(new Set(order).size).toBe(1000);
    expect(permutation(1000, 'seed')).toEqual(order);
    const firsts = Array.from({ length: 2000 }, (_, seed) => permutation(4, String(seed))[0]);
    for (const value of [0, 1, 2, 3]) {
      const share = firsts.filter((first) => first === value).length / 2000;
      expect(Math.abs(share - 0.25)).toBeLessThan(0.04);
    }
  });
});

describe('a report', () => {
  const [regression] = reference.cases;
  const judged = (explain: string, baseline = 'none') =>
    judge({
      policy: [
        'version: 1',
        `model: { path: m.onnx, baseline: ${baseline} }`,
        'evaluation: { source: e.csv, target: y }',
        'gates: { r2: { min: 0.5 } }',
        `explain: { ${explain} }`,
      ].join('\n'),
      files: {
        'm.onnx': linearModel([[1], [-0.5], [0.25], [0]], [0]),
        'b.onnx': linearModel([[1], [0], [0], [0.25]], [0]),
        'e.csv': rowsOf(regression?.y ?? []),
      },
    });
  const intervals = (figures: readonly Figure[], id: string) => {
    const found = figures.find((figure) => figure.id === id);
    return found?.kind === 'intervals' ? found.rows : undefined;
  };

  it('shows the features by importance, and what changed against the baseline', async () => {
    const { figures } = await judged('importance: true', '{ path: b.onnx }');
    expect(intervals(figures, 'importance')?.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    const changes = new Map(intervals(figures, 'importance-change')?.map((row) => [row.name, row]));
    expect(changes.get('b')?.lower).toBeGreaterThan(0);
    // The baseline looks at it, the candidate does not.
    expect(changes.get('d')?.estimate).not.toBe(0);
  });

  it('shuffles the features of a group together', async () => {
    const { figures } = await judged('importance: { groups: { pair: [b, c] } }');
    expect(intervals(figures, 'importance')?.map(({ name }) => name)).toEqual(['a', 'pair', 'd']);
  });

  it('says nothing of importance where nobody asks', async () => {
    const { figures } = await judged('threshold: f1');
    expect(figures.map(({ id }) => id)).toEqual(['residuals']);
  });

  it('says why there is no threshold to choose', async () => {
    const { notices } = await judged('threshold: f1');
    expect(notices.map(({ message }) => message).join()).toContain('No threshold can be chosen');
  });
});

describe('the best threshold', () => {
  const sampleOf = ({ truth, probability }: Pick<Reference['thresholds'][number], 'truth' | 'probability'>) => ({
    task: 'classification' as const,
    classes: ['0', '1'],
    positive: 1,
    actual: Int32Array.from(truth),
    predicted: Int32Array.from(probability, (score) => (score > 0.5 ? 1 : 0)),
    probabilities: Float64Array.from(probability.flatMap((score) => [1 - score, score])),
  });

  it('is what trying each with scikit-learn gives', () => {
    for (const of of reference.thresholds) {
      const sample = sampleOf(of);
      for (const aim of ['f1', 'balanced_accuracy', 'accuracy'] as const) {
        expect(bestThreshold(sample, aim, 'seed')?.apparent, aim).toBeCloseTo(of.best[aim], 12);
      }
      const costs = { false_positive: 1, false_negative: 5 };
      expect(bestThreshold(sample, costs, 'seed')?.apparent).toBeCloseTo(of.best.cost, 12);
    }
  });

  it('is corrected by about what choosing it flatters: held against rows it was not chosen on', () => {
    // Many samples of one population, whose scores say little: the choice is mostly chance.
    const population = (seed: string, rows: number) => {
      const bits = permutation(4 * rows, seed);
      const unit = (at: number) => ((bits[at] ?? 0) + 0.5) / (4 * rows);
      const truth = Array.from({ length: rows }, (_, row) => (unit(row) < 0.4 ? 1 : 0));
      const probability = truth.map((one, row) =>
        Math.min(0.999, 0.8 * unit(rows + row) + 0.2 * one * unit(2 * rows + row)),
      );
      return { truth, probability };
    };
    const large = population('large', 20_000);
    let [apparent, corrected, true_] = [0, 0, 0];
    const samples = 60;
    for (let index = 0; index < samples; index++) {
      const found = bestThreshold(sampleOf(population(`sample ${index}`, 60)), 'balanced_accuracy', `seed ${index}`);
      if (found === undefined) throw new TypeError('a threshold was found');
      apparent += found.apparent / samples;
      corrected += found.corrected / samples;
      const said = large.probability.map((score) => score > found.threshold);
      const share = (of: number) => {
        const rows = large.truth.flatMap((one, row) => (one === of ? [said[row] === (of === 1)] : []));
        return rows.filter(Boolean).length / rows.length;
      };
      true_ += (share(0) + share(1)) / 2 / samples;
    }
    expect(apparent - true_).toBeGreaterThan(0.02);
    expect(Math.abs(corrected - true_)).toBeLessThan((apparent - true_) / 2);
  });

  it('of rows of one class, or of scores that are all alike, does not exist', () => {
    expect(bestThreshold(sampleOf({ truth: [1, 1], probability: [0.2, 0.8] }), 'f1', 's')).toBeUndefined();
    expect(bestThreshold(sampleOf({ truth: [0, 1], probability: [0.5, 0.5] }), 'f1', 's')).toBeUndefined();
  });

  it('is told beside what the model has now', async () => {
    const { notices } = await judge({
      policy: [
        'version: 1',
        'model: { path: m.onnx, baseline: none, threshold: 0.9 }',
        'evaluation: { source: e.csv, target: y }',
        'gates: { f1: { min: 0.1 } }',
        'explain: { threshold: f1 }',
      ].join('\n'),
      files: {
        'm.onnx': classifierModel([[0, 1]], [0, 0]),
        'e.csv': csv(
          ['x', 'y'],
          Array.from({ length: 60 }, (_, row) => [(row - 30) / 8, row >= 30 ? 1 : 0]),
        ),
      },
    });
    const said = notices.map(({ message }) => message).find((message) => message.includes('threshold'));
    expect(said).toMatch(/The threshold 0\.4\d+ would give f1 of 1 on these rows/);
    expect(said).toContain('model.threshold 0.9 gives');
  });
});
