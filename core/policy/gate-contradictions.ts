import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { contradictionsOfCustomMetrics } from './custom-metric-contradictions.ts';
import { contradictionsOfGuardrails } from './guardrail-contradictions.ts';
import { rangeOf } from './metric-range.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import {
  classificationMetrics,
  fairnessMetrics,
  metricNames,
  multiLabelMetrics,
  rankingMetrics,
  regressionMetrics,
} from './schema.ts';
import { contradictionsOfVariants } from './variant-contradictions.ts';

/** Rules over `gates` and what gates need elsewhere. */
export function contradictionsOfGates(policy: unknown): readonly Contradiction[] {
  const gates = valueAt(policy, ['gates']);
  if (!isMapping(policy) || !isMapping(gates)) return [];
  return [
    ...metricNames.flatMap((metric) => contradictionsOfMetric(metric, gates[metric])),
    ...contradictionsOfCustomMetrics(policy, gates['custom']),
    ...contradictionsOfGuardrails(gates['guardrails'], ['gates', 'guardrails']),
    ...contradictionsOfVariants(policy, gates['variants']),
    ...contradictionsOfFairness(gates['fairness']),
    ...lacksBound(gates['latency'], latencyBounds, 'the gate "latency"', ['gates', 'latency']),
    ...lacksBound(gates['size'], sizeBounds, 'the gate "size"', ['gates', 'size']),
    ...lacksBound(gates['signature'], ['breaking', 'severity'], 'the gate "signature"', ['gates', 'signature']),
    ...missingParts(policy, gates),
    ...baselineNeeded(policy, gates),
    ...mixedTasksOf(policy),
    ...labelsNeeded(policy, gates),
    ...queriesNeeded(policy, gates),
  ];
}

const latencyBounds = ['p50_ms', 'p95_ms', 'p99_ms', 'mean_ms', 'max_regression', 'cold_start_ms', 'min_throughput'];
const sizeBounds = [
  'max_mb',
  'max_memory_mb',
  'max_parameters',
  'max_operators',
  'max_macs',
  'min_opset',
  'max_regression',
];

function contradictionsOfMetric(metric: string, bound: unknown): readonly Contradiction[] {
  const path = ['gates', metric];
  return [
    ...lacksBound(bound, ['min', 'max', 'max_regression', 'min_improvement'], `the gate "${metric}"`, path),
    ...minAboveMax(bound, path),
    ...outOfRange(metric, bound, path),
    ...hollowRegression(metric, bound, path),
    ...optionsWithoutEffect(metric, bound, path),
    ...withoutDirection(metric, bound, path),
  ];
}

/** A slope is best at 1: neither more nor less of it is a gain. */
function withoutDirection(metric: string, bound: unknown, path: PolicyPath): readonly Contradiction[] {
  if (metric !== 'calibration_slope' || !isMapping(bound)) return [];
  return ['max_regression', 'min_improvement']
    .filter((key) => key in bound)
    .map((key) => ({
      code: 'option-without-effect',
      message: `${metric} is best at 1, so a change of it is neither better nor worse`,
      path: [...path, key],
      fix: 'Write min and max, such as "{ min: 0.8, max: 1.25 }".',
    }));
}

/** Which metrics an option is one of, and which of its values each takes; all when none are listed. */
const optionsOf: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  average: { precision: [], recall: [], f1: [], jaccard: [], roc_auc: ['macro', 'weighted'] },
  multi_class: { roc_auc: [] },
  weights: { cohen_kappa: [] },
  k: { top_k_accuracy: [], ndcg: [], recall_at_k: [] },
};

/** What would be read over in silence: the metric knows no such option, or not that value. */
function optionsWithoutEffect(metric: string, bound: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(bound)) return [];
  return Object.entries(optionsOf).flatMap(([option, byMetric]): readonly Contradiction[] => {
    const value = bound[option];
    const values = byMetric[metric];
    if (value === undefined || (values !== undefined && (values.length === 0 || values.includes(String(value))))) {
      return [];
    }
    return [
      {
        code: 'option-without-effect',
        message: values === undefined ? `${metric} has no ${option}` : `${metric} cannot be averaged so`,
        path: [...path, option],
        found: `${option}: ${String(value)}`,
        ...(values === undefined ? {} : { expected: values.join(' or ') }),
        fix:
          values === undefined
            ? `Remove it: it belongs to ${Object.keys(byMetric).join(', ')}.`
            : `Write one of those.`,
      },
    ];
  });
}

function contradictionsOfFairness(fairness: unknown): readonly Contradiction[] {
  if (!isMapping(fairness)) return [];
  const path = ['gates', 'fairness'];
  return [
    ...lacksBound(fairness, fairnessMetrics, 'the gate "fairness"', path),
    ...fairnessMetrics.flatMap((metric) => [
      ...lacksBound(fairness[metric], ['min', 'max'], `the gate "fairness.${metric}"`, [...path, metric]),
      ...minAboveMax(fairness[metric], [...path, metric]),
      ...outOfRange(metric, fairness[metric], [...path, metric]),
    ]),
  ];
}

/** A bound no model can meet, which is mostly a percentage written as a number. */
function outOfRange(metric: string, bound: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(bound)) return [];
  const { lowest, highest } = rangeOf(metric);
  const { min, max } = bound;
  const problem = (key: 'min' | 'max', found: number): Contradiction => ({
    code: 'out-of-range',
    message: `${metric} can never be ${key === 'min' ? 'that high' : 'that low'}`,
    path: [...path, key],
    found: String(found),
    expected: key === 'min' ? `at most ${highest}` : `at least ${lowest}`,
    fix:
      highest === 1 && found > 1 && found <= 100
        ? `Write ${found / 100} for ${found} %.`
        : key === 'min'
          ? `Lower it to ${highest} or less.`
          : `Raise it to ${lowest} or more.`,
  });
  return [
    ...(typeof min === 'number' && min > highest ? [problem('min', min)] : []),
    ...(typeof max === 'number' && max < lowest ? [problem('max', max)] : []),
  ];
}

/** `max_regression: 1` on a metric from 0 to 1 forbids nothing: one point was meant, or one percent. */
function hollowRegression(metric: string, bound: unknown, path: PolicyPath): readonly Contradiction[] {
  const change = valueAt(bound, ['max_regression']);
  const { lowest, highest } = rangeOf(metric);
  if (typeof change !== 'number' || change < highest - lowest) return [];
  return [
    {
      code: 'out-of-range',
      message: `${metric} can never fall by that much, so nothing is demanded`,
      path: [...path, 'max_regression'],
      found: String(change),
      fix: `Write ${change / 100} for ${change === 1 ? 'one point' : `${change} points`}, or "${change}%" for a share of the baseline's value.`,
    },
  ];
}

type Mapping = Readonly<Record<string, unknown>>;

function missingParts(policy: Mapping, gates: Mapping): readonly Contradiction[] {
  const names = Object.keys(gates);
  const [first] = names;
  const judging = names.find(
    (name) =>
      name === 'fairness' ||
      name === 'custom' ||
      (name === 'guardrails' && !('episodes' in policy)) ||
      (metricNames as readonly string[]).includes(name),
  );
  return [
    ...(first !== undefined && !('model' in policy)
      ? [
          {
            code: 'gate-without-model',
            message: 'gates need a model, and the policy has none',
            path: ['gates'],
            lackingIn: [],
            fix: 'Add "model: { path: models/model.onnx }".',
          },
        ]
      : []),
    ...(judging !== undefined && !('evaluation' in policy) && valueAt(policy, ['model', 'run']) === undefined
      ? [
          {
            code: 'gate-without-evaluation',
            message: `the gate "${judging}" needs rows to judge on, and the policy has no evaluation`,
            path: ['gates', judging],
            lackingIn: [],
            fix: 'Add "evaluation: { source: data/test.csv, target: label }".',
          },
        ]
      : []),
  ];
}

function baselineNeeded(policy: Mapping, gates: Mapping): readonly Contradiction[] {
  if (valueAt(policy, ['model', 'baseline']) !== 'none') return [];
  return Object.entries(gates).flatMap(([gate, bound]) =>
    (gate === 'signature' ? ['breaking', 'severity'] : ['max_regression', 'min_improvement'])
      .filter((key) => isMapping(bound) && key in bound)
      .map((key) => ({
        code: 'no-baseline',
        message: `${key} compares with a baseline, and model.baseline is none`,
        path: ['gates', gate, key],
        fix: 'Remove it, or set model.baseline to "base" or to a file.',
      })),
  );
}

/** Metrics of rankings where rows are of no query, and others where they are. */
function queriesNeeded(policy: Mapping, gates: Mapping): readonly Contradiction[] {
  if (!('evaluation' in policy)) return [];
  const query = valueAt(policy, ['evaluation', 'query']);
  const ofRankings: readonly string[] = rankingMetrics;
  const problem = (message: string, path: PolicyPath, fix: string): readonly Contradiction[] => [
    { code: 'mixed-tasks', message, path, fix },
  ];
  if (query === undefined) {
    const metric = ofRankings.find((name) => name in gates);
    const fix = 'Name the column: "evaluation: { query: query_id }".';
    return metric === undefined
      ? []
      : problem(
          `${metric} is measured query by query, and no column says which query a row is of`,
          ['gates', metric],
          fix,
        );
  }
  const other = [...metricNames, 'fairness'].find((name) => name in gates && !ofRankings.includes(name));
  return [
    ...(other === undefined
      ? []
      : problem(
          `${other} is no metric of rankings, and evaluation.query makes the model one of rankings`,
          ['gates', other],
          `Write one of ${ofRankings.join(', ')}, or remove evaluation.query.`,
        )),
    ...(valueAt(policy, ['evaluation', 'slices']) === undefined
      ? []
      : problem(
          'slices cut rows, and a ranking is judged by whole queries',
          ['evaluation', 'slices'],
          'Remove them, or judge a file of the queries in question by a policy of its own.',
        )),
    ...(Array.isArray(valueAt(policy, ['evaluation', 'target']))
      ? problem('a ranking has one column of relevance', ['evaluation', 'target'], 'Name one column.')
      : []),
  ];
}

const ofLabelsToo: readonly string[] = [...multiLabelMetrics, 'accuracy', 'precision', 'recall', 'f1', 'jaccard'];

/** Metrics of several labels a row where there is one target, and others where there are several. */
function labelsNeeded(policy: Mapping, gates: Mapping): readonly Contradiction[] {
  const target = valueAt(policy, ['evaluation', 'target']);
  if (target === undefined) return [];
  const several = Array.isArray(target);
  return metricNames.flatMap((metric): readonly Contradiction[] => {
    if (!(metric in gates)) return [];
    const average = valueAt(gates[metric], ['average']);
    const problem = (message: string, key: PolicyPath, fix: string): readonly Contradiction[] => [
      { code: 'mixed-tasks', message, path: ['gates', metric, ...key], fix },
    ];
    if (several && !ofLabelsToo.includes(metric)) {
      return problem(`${metric} is no metric of several labels a row`, [], `Write one of ${ofLabelsToo.join(', ')}.`);
    }
    if (several && average === 'binary') {
      return problem(
        'several labels have no binary average',
        ['average'],
        'Write macro, micro, weighted, samples or none.',
      );
    }
    if (several) return [];
    const lists = 'Name the column of every label: "evaluation: { target: [one, other] }".';
    if ((multiLabelMetrics as readonly string[]).includes(metric)) {
      return problem(`${metric} is a metric of several labels a row, and evaluation.target is one column`, [], lists);
    }
    return average === 'samples' ? problem('average: samples is one of several labels a row', ['average'], lists) : [];
  });
}

const regressionFairness = /^(mae|rmse|mean_prediction|mean_residual)_/;

/** Metrics of classification and of regression in one policy: one model is only one of the two. */
export function mixedTasksOf(policy: unknown): readonly Contradiction[] {
  const gates = valueAt(policy, ['gates']);
  if (!isMapping(gates)) return [];
  const fairness = isMapping(gates['fairness']) ? gates['fairness'] : {};
  const named = (names: readonly string[], mapping: Mapping, ...parent: string[]) =>
    names.filter((name) => name in mapping).map((name): PolicyPath => ['gates', ...parent, name]);
  const ofFairness = named(fairnessMetrics, fairness, 'fairness');
  const judgesErrors = (path: PolicyPath) => regressionFairness.test(String(path.at(-1)));
  const classification = [...named(classificationMetrics, gates), ...ofFairness.filter((path) => !judgesErrors(path))];
  const regression = [...named(regressionMetrics, gates), ...ofFairness.filter(judgesErrors)];
  const [one] = classification;
  const [other] = regression;
  const problem = (path: PolicyPath, task: string, against: string): Contradiction => ({
    code: 'mixed-tasks',
    message: `${path.slice(1).join('.')} is a metric of ${task}, but ${against}`,
    path,
    fix: 'Keep the metrics of one task; a second model has a policy of its own.',
  });
  if (one !== undefined && other !== undefined) {
    return [problem(other, 'regression', `${one.slice(1).join('.')} is one of classification`)];
  }
  const task = valueAt(policy, ['model', 'task']);
  if (task === 'regression' && one !== undefined) return [problem(one, 'classification', 'model.task is regression')];
  if (task === 'classification' && other !== undefined)
    return [problem(other, 'regression', 'model.task is classification')];
  return [];
}
