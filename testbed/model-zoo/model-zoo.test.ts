/** Models that were in nobody's hands while Sluice was written: its predictions are Python's, its numbers scikit-learn's and Fairlearn's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openEvaluation } from '../../actions/quality-gate/evaluation-rows.ts';
import { openModelFile } from '../../actions/quality-gate/model-file.ts';
import { taskFor, wire } from '../../actions/quality-gate/model-run.ts';
import { predictAll } from '../../actions/quality-gate/predictions.ts';
import { judgeModel } from '../../actions/quality-gate/run.ts';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { textColumns } from '../../core/evaluation/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { classificationMetrics, headOnly, parsePolicy, regressionMetrics } from '../../core/policy/index.ts';
import { type Expected, modelZoo, type Zoo } from './zoo.ts';

const zoo: Zoo = await modelZoo();
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ threads: 1 });
  return () => engine[Symbol.asyncDispose]();
});

const averaged = new Set(['precision', 'recall', 'f1', 'jaccard']);

/** A policy that asks for every number that Python gave. JSON is YAML. */
function policyOf(name: string, { data, task, average, metrics, fairness }: Expected) {
  const options = (metric: string) => ({
    ...(averaged.has(metric) && average !== null ? { average } : {}),
    // Of two classes the class is always among the best two.
    ...(metric === 'top_k_accuracy' ? { k: 'calibration_slope' in metrics ? 1 : 2 } : {}),
  });
  const gates = Object.fromEntries(
    Object.keys(metrics).map((metric) => [
      metric,
      { [metric === 'calibration_slope' ? 'min' : bound(metric)]: 0, ...options(metric) },
    ]),
  );
  const text = JSON.stringify({
    version: 1,
    model: { path: `${name}.onnx`, baseline: 'none', task },
    evaluation: { source: `${data}.csv`, target: 'label', ignore: ['team'] },
    gates: {
      ...gates,
      fairness: {
        group: 'team',
        min_rows: 1,
        ...Object.fromEntries(
          Object.keys(fairness).map((metric) => [metric, metric.endsWith('ratio') ? { min: 0 } : { max: 1 }]),
        ),
      },
    },
    evidence: 'off',
  });
  return headOnly(parsePolicy(text, 'sluice.yaml'));
}

const lower = new Set(['log_loss', 'brier', 'ece', ...regressionMetrics.filter((name) => name !== 'r2')]);
const bound = (metric: string) => (lower.has(metric) ? 'max' : 'min');

async function predictionsOf(name: string, expected: Expected) {
  const policy = policyOf(name, expected);
  const { model: modelPolicy } = policy.policy;
  if (modelPolicy === undefined) throw new TypeError('the policy has a model');
  const path = `${name}.onnx`;
  await using model = await openModelFile({ file: join(zoo.folder, path), path, place: {} }, silentHost);
  const rows = await openEvaluation(policy, zoo.folder, engine, textColumns(model, modelPolicy));
  const task = taskFor(policy.policy, model);
  const wired = await wire({ model, path, place: {}, policy: modelPolicy, evaluation: rows.policy, task }, rows);
  const [settled] = await predictAll([wired], rows, silentHost);
  if (settled?.status !== 'fulfilled') throw settled?.reason;
  return settled.value;
}

test('is of the version of ONNX Runtime that Sluice runs', () => {
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../node_modules/onnxruntime-node/package.json'), 'utf8'),
  ) as { version: string };
  expect(zoo.runtime).toBe(version);
});

test('asks for every metric of its tasks', () => {
  const metrics = new Set(Object.values(zoo.models).flatMap((model) => Object.keys(model.metrics)));
  expect([...metrics].sort()).toEqual([...classificationMetrics, ...regressionMetrics].sort());
});

describe.each(Object.entries(zoo.models))('%s', (name, expected) => {
  test('predicts what it predicts in Python', async () => {
    const { labels, scores, values } = await predictionsOf(name, expected);
    const { predictions } = expected;
    if (predictions.values !== undefined) expect(Array.from(values ?? [])).toEqual(predictions.values);
    else {
      expect(Array.from(labels?.codes ?? [], (code) => labels?.names[code])).toEqual(predictions.labels);
      expect(Array.from(scores?.values ?? [])).toEqual(predictions.scores);
    }
  });

  test('has the numbers that scikit-learn and Fairlearn give', async () => {
    const { checks } = await judgeModel({
      policy: policyOf(name, expected),
      directory: zoo.folder,
      engine,
      host: silentHost,
      environment: {},
    });
    const observed = (id: RegExp) => checks.filter((check) => id.test(check.id));
    const wrong: string[] = [];
    for (const [metric, value] of Object.entries({ ...expected.metrics, ...expected.fairness })) {
      const [check, ...others] = observed(new RegExp(`^gate/(fairness/)?${metric}/(min|max)$`));
      const ours = typeof check?.observed === 'number' ? check.observed : null;
      const near =
        value === null
          ? check?.status === 'error'
          : ours !== null && Math.abs(ours - value) <= 1e-9 * Math.max(1, Math.abs(value));
      if (check === undefined || others.length > 0 || !near)
        wrong.push(`${metric}: ${ours ?? check?.message ?? 'no check'}, Python ${value}`);
    }
    expect(wrong).toEqual([]);
  });
});
