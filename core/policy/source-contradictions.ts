import type { Contradiction } from './contradictions.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { metricNames } from './schema.ts';
import { type SourceKind, sourceKinds } from './source-schema.ts';

/** What each kind of source lets be judged; all of it for a file that is run here. */
const gatesOf: Readonly<Record<Exclude<SourceKind, 'path'>, readonly string[]>> = {
  predictions: [...metricNames, 'custom', 'fairness'],
  endpoint: [...metricNames, 'custom', 'fairness'],
  run: metricNames,
};

const called: Readonly<Record<SourceKind, string>> = {
  path: 'an ONNX file',
  predictions: 'a file of predictions',
  endpoint: 'a model server',
  run: 'the metrics of a run',
};

/** Keys of `model` that have no effect beside a source. */
const idle: Readonly<Record<SourceKind, readonly string[]>> = {
  path: [],
  endpoint: [],
  predictions: ['inputs', 'outputs'],
  run: ['inputs', 'outputs', 'classes', 'threshold', 'task'],
};

/** Rules over what is judged: one source, and nothing asked of it that it cannot show. Between two policies as well. */
export function contradictionsOfSource(policy: unknown): readonly Contradiction[] {
  const model = valueAt(policy, ['model']);
  if (!isMapping(model)) return [];
  const kinds = sourceKinds.filter((kind) => kind in model);
  const [kind, other] = kinds;
  if (kind === undefined) {
    return [
      {
        code: 'no-source',
        message: 'model does not say what is judged',
        path: ['model'],
        lackingIn: ['model'],
        fix: 'Add "path: model.onnx", or "predictions", "endpoint" or "run" in its place.',
      },
    ];
  }
  if (other !== undefined) {
    return [
      {
        code: 'several-sources',
        message: `model names both ${called[kind]} and ${called[other]}`,
        path: ['model', other],
        fix: 'Keep one of them; a second model has a policy of its own.',
      },
    ];
  }
  return [
    ...gatesWithoutSource(policy, kind),
    ...partsWithoutSource(policy, kind),
    ...idleKeys(model, kind),
    ...baselineOfSource(model, kind),
    ...ofRun(policy, kind),
  ];
}

/** Gates of the file itself (its latency, its size, ...) where there is none. */
function gatesWithoutSource(policy: unknown, kind: SourceKind): readonly Contradiction[] {
  const gates = valueAt(policy, ['gates']);
  if (kind === 'path' || !isMapping(gates)) return [];
  return Object.keys(gates)
    .filter((gate) => !gatesOf[kind].includes(gate))
    .map((gate) => ({
      code: 'gate-without-source',
      message: `the gate "${gate}" cannot be judged by ${called[kind]}`,
      path: ['gates', gate],
      fix:
        kind === 'endpoint' && gate === 'latency'
          ? 'Hold the server to its latency in "smoke: { load: ... }", or judge the ONNX file with "model: { path: ... }".'
          : 'Remove it, or judge the ONNX file with "model: { path: ... }".',
    }));
}

/** What only a model that is run here takes part in: said here, since it would else be left out in silence. */
function partsWithoutSource(policy: unknown, kind: SourceKind): readonly Contradiction[] {
  if (kind === 'path') return [];
  const parts: readonly PolicyPath[] = [
    ['evaluation', 'sets'],
    ['evaluation', 'weak_slices'],
    ['explain'],
    ['episodes'],
  ];
  return parts
    .filter((path) => valueAt(policy, path) !== undefined)
    .map((path) => ({
      code: 'part-without-source',
      message: `${path.join('.')} cannot be judged by ${called[kind]}`,
      path,
      fix: 'Remove it, or judge the ONNX file with "model: { path: ... }".',
    }));
}

function idleKeys(model: Readonly<Record<string, unknown>>, kind: SourceKind): readonly Contradiction[] {
  return idle[kind]
    .filter((key) => key in model)
    .map((key) => ({
      code: 'option-without-effect',
      message: `model.${key} has no effect on ${called[kind]}`,
      path: ['model', key],
      fix: 'Remove it.',
    }));
}

/** What can be held against what: rows against rows, numbers against numbers. */
function baselineOfSource(model: Readonly<Record<string, unknown>>, kind: SourceKind): readonly Contradiction[] {
  const { baseline } = model;
  if (!isMapping(baseline)) return [];
  const refuse = (message: string, fix: string): readonly Contradiction[] => [
    { code: 'baseline-of-another-kind', message, path: ['model', 'baseline'], fix },
  ];
  if (kind === 'run') {
    return 'mlflow' in (isMapping(baseline['champion']) ? baseline['champion'] : {})
      ? []
      : refuse(
          'the metrics of a run can be held against those of another run only',
          'Write "baseline: { champion: { mlflow: churn, alias: champion } }", "base" or "none".',
        );
  }
  return 'predictions' in baseline && kind !== 'predictions'
    ? refuse(
        `${called[kind]} cannot be held against a file of predictions`,
        'Name a model file, a champion, "base" or "none".',
      )
    : [];
}

function ofRun(policy: unknown, kind: SourceKind): readonly Contradiction[] {
  if (kind !== 'run') return [];
  const run = valueAt(policy, ['model', 'run']);
  const id = valueAt(run, ['id']) ?? 'latest';
  const problems: Contradiction[] = [];
  if (isMapping(run) && id === 'latest' && !('experiment' in run)) {
    problems.push({
      code: 'no-experiment',
      message: 'the latest run is one of an experiment, and model.run names none',
      path: ['model', 'run'],
      lackingIn: ['model', 'run'],
      fix: 'Add "experiment: churn", or name the run: "id: ...".',
    });
  }
  if (valueAt(policy, ['evaluation']) !== undefined) {
    problems.push({
      code: 'option-without-effect',
      message: 'a run has no rows, so evaluation has no effect',
      path: ['evaluation'],
      fix: 'Remove it, or judge a file of predictions with "model: { predictions: ... }".',
    });
  }
  const gates = valueAt(policy, ['gates']);
  const options = ['average', 'multi_class', 'weights', 'k'];
  for (const [metric, bound] of Object.entries(isMapping(gates) ? gates : {})) {
    for (const key of options.filter((option) => isMapping(bound) && option in bound)) {
      const path: PolicyPath = ['gates', metric, key];
      problems.push({
        code: 'option-without-effect',
        message: `${key} has no effect: the run logged one number`,
        path,
        fix: `Remove it, and say under model.run.metrics which number of the run ${metric} is.`,
      });
    }
  }
  return problems;
}
