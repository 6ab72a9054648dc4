import { assembleReport, type ReportParts } from './assemble-report.ts';
import type { Check } from './check.ts';
import type { Figure } from './figure.ts';
import type { Report } from './report.ts';

// Reports the renderers' tests draw: one of each verdict, one that attacks its reader, one too long for a comment.

const sha = (digit: string) => digit.repeat(64);
const policyFile = 'sluice.yaml';

const parts: ReportParts = {
  tool: { name: 'sluice', version: '0.1.0' },
  name: 'breast-cancer',
  checks: [],
  figures: [],
  notices: [],
  policy: { file: policyFile, origin: 'base-and-head', evidence: 0.9, onInconclusive: 'warn', differences: [] },
  candidate: {
    path: 'models/classifier.onnx',
    sha256: sha('a'),
    bytes: 184_320,
    parameters: 12_412,
    opset: 18,
    operators: 14,
    producer: 'skl2onnx 1.19.1',
  },
  baseline: {
    path: 'models/classifier.onnx',
    sha256: sha('b'),
    bytes: 152_064,
    parameters: 10_204,
    opset: 18,
    operators: 14,
  },
  sources: [
    { path: 'data/train.csv', sha256: sha('c'), rows: 4500 },
    { path: 'data/test.csv', sha256: sha('d'), rows: 569 },
  ],
  commit: { head: '1f'.repeat(20), base: '2e'.repeat(20) },
  environment: {
    platform: 'linux x64',
    cpu: 'AMD EPYC 7763 64-Core Processor',
    node: '24.21.0',
    onnxruntime: '1.30.0',
    duckdb: '1.5.5',
  },
};

const place = (line: number, key: string) => ({ file: policyFile, line, column: 5, key });

function dataCheck(line: number, source: string, rule: string, rest: Partial<Check>): Check {
  return {
    id: `${source}/${rule}`,
    title: rule,
    section: 'data',
    status: 'pass',
    message: 'Every row holds.',
    place: place(line, `data.checks.${rule}`),
    ...rest,
  };
}

const rowCount = dataCheck(10, 'data/train.csv', 'row_count', {
  title: 'row_count ≥ 4,000',
  observed: 4500,
  bound: { kind: 'min', value: 4000 },
  unit: 'rows',
  message: '4,500 rows.',
});
const schema = dataCheck(11, 'data/train.csv', 'schema', {
  title: 'schema',
  observed: '31 columns',
  bound: { kind: 'must_hold', value: 'age, tenure, country, label are there' },
  message: 'All required columns are there with their types.',
});
const notNull = dataCheck(12, 'data/train.csv', 'not_null[age]', {
  title: 'not_null age',
  observed: 0.9976,
  bound: { kind: 'min', value: 0.95 },
  unit: 'share',
  message: '99.8 % of rows have a value, at least 95 % must.',
});
const between = dataCheck(13, 'data/train.csv', 'between[age]', {
  title: 'between age 0 … 150',
  observed: 1,
  bound: { kind: 'min', value: 1 },
  unit: 'share',
});
const share = dataCheck(14, 'data/train.csv', 'class_share[label=1]', {
  title: 'class_share label = 1',
  observed: 0.373,
  bound: { kind: 'min', value: 0.1 },
  unit: 'share',
  message: '37.3 % of rows are of class 1.',
});

const accuracy: Check = {
  id: 'gate/accuracy/min',
  title: 'accuracy ≥ 0.90',
  section: 'gate',
  status: 'pass',
  message: 'Even the lower bound reaches 0.90.',
  observed: 0.9543,
  bound: { kind: 'min', value: 0.9 },
  unit: 'share',
  baseline: 0.9508,
  evidence: { estimate: 0.9543, lower: 0.9417, upper: 0.9643, level: 0.9, method: 'Wilson', n: 569 },
  place: place(22, 'gates.accuracy.min'),
};
const regression: Check = {
  id: 'gate/accuracy/max_regression',
  title: 'accuracy: at most 0.01 worse',
  section: 'gate',
  status: 'pass',
  message: 'The candidate is at most 0.0041 worse.',
  observed: 0.9543,
  bound: { kind: 'max_regression', value: 0.01 },
  unit: 'share',
  baseline: 0.9508,
  evidence: {
    estimate: 0.0035,
    lower: -0.0041,
    upper: 0.0119,
    level: 0.9,
    method: 'paired bootstrap (2000 resamples)',
    n: 569,
    against: { kind: 'min', value: -0.01 },
  },
  place: place(22, 'gates.accuracy.max_regression'),
};
const auc: Check = {
  id: 'gate/roc_auc/min',
  title: 'roc_auc ≥ 0.95',
  section: 'gate',
  status: 'pass',
  message: 'Even the lower bound reaches 0.95.',
  observed: 0.9921,
  bound: { kind: 'min', value: 0.95 },
  unit: 'none',
  baseline: 0.9898,
  evidence: { estimate: 0.9921, lower: 0.9866, upper: 0.9959, level: 0.9, method: 'DeLong', n: 569 },
  place: place(23, 'gates.roc_auc.min'),
};
const latency: Check = {
  id: 'gate/latency/p95_ms',
  title: 'latency p95 ≤ 100 ms',
  section: 'gate',
  status: 'pass',
  message: 'p95 of 640 calls, one row each.',
  observed: 12.34,
  bound: { kind: 'max', value: 100 },
  unit: 'ms',
  baseline: 11.87,
  evidence: { estimate: 12.34, lower: 11.8, upper: 13.2, level: 0.9, method: 'binomial bound', n: 640 },
  place: place(25, 'gates.latency.p95_ms'),
};
const slower: Check = {
  id: 'gate/latency/max_regression',
  title: 'latency: at most 10 % slower',
  section: 'gate',
  status: 'pass',
  message: 'Side by side the candidate takes 1.04 times as long.',
  observed: 12.34,
  bound: { kind: 'max_regression', value: 0.1, relative: true },
  unit: 'ms',
  baseline: 11.87,
  evidence: {
    estimate: 1.0395,
    lower: 1.012,
    upper: 1.068,
    level: 0.9,
    method: 'bootstrap of the median log-ratio (ABBA)',
    n: 60,
    against: { kind: 'max', value: 1.1 },
    unit: 'ratio',
  },
  place: place(25, 'gates.latency.max_regression'),
};
const size: Check = {
  id: 'gate/size/max_mb',
  title: 'size ≤ 500 MB',
  section: 'gate',
  status: 'pass',
  message: 'The model file with all its data.',
  observed: 0.18432,
  bound: { kind: 'max', value: 500 },
  unit: 'MB',
  evidence: { estimate: 0.18432, lower: 0.18432, upper: 0.18432, level: 0.9, method: 'exact', n: 1 },
  place: place(28, 'gates.size.max_mb'),
};
const parity: Check = {
  id: 'gate/fairness/demographic_parity_difference',
  title: 'demographic_parity_difference of country ≤ 0.10',
  section: 'gate',
  status: 'pass',
  message: 'Even the upper bound stays under 0.10.',
  observed: 0.0412,
  bound: { kind: 'max', value: 0.1 },
  unit: 'none',
  evidence: {
    estimate: 0.0412,
    lower: 0.0133,
    upper: 0.0731,
    level: 0.9,
    method: 'bootstrap (2000 resamples)',
    n: 569,
  },
  place: place(27, 'gates.fairness.demographic_parity_difference.max'),
};

const passedChecks = [
  rowCount,
  schema,
  notNull,
  between,
  share,
  accuracy,
  regression,
  auc,
  latency,
  slower,
  parity,
  size,
];

const failedChecks: readonly Check[] = [
  rowCount,
  schema,
  {
    ...notNull,
    status: 'fail',
    observed: 0.9307,
    message: '312 of 4,500 rows have no value; at most 5 % may.',
    failing: {
      total: 312,
      columns: ['age', 'tenure', 'country', 'label'],
      rows: [
        { row: 17, values: [null, '12.5', 'KR', '1'] },
        { row: 44, values: [null, '3.25', 'US', '0'] },
        { row: 102, values: [null, null, '日本 (Tōkyō)', '0'] },
        { row: 103, values: [null, '48', 'UK', '1'] },
        {
          row: 391,
          values: [null, '7.75', 'a country with a name that is much longer than any column ought to be wide', '1'],
        },
        { row: 402, values: [null, '0.5', 'KR', '0'] },
      ],
    },
  },
  between,
  {
    ...share,
    id: 'data/train.csv/duplicate_rows',
    title: 'duplicate_rows ≤ 1 %',
    status: 'warn',
    observed: 0.0124,
    bound: { kind: 'max', value: 0.01 },
    message: '56 rows repeat another one; the policy only warns.',
    place: place(15, 'data.checks.duplicate_rows'),
  },
  dataCheck(18, 'data/test.csv', 'accepted_values[country]', {
    title: 'accepted_values country',
    status: 'waived',
    observed: 0.9965,
    bound: { kind: 'min', value: 1 },
    unit: 'share',
    message: '2 of 569 rows hold a country that is not accepted.',
    waiver: { reason: 'The new market opens in July; the list follows then (DATA-212).', expires: '2027-01-31' },
    failing: {
      total: 2,
      columns: ['country'],
      rows: [
        { row: 12, values: ['NZ'] },
        { row: 77, values: ['NZ'] },
      ],
    },
  }),
  {
    ...accuracy,
    status: 'fail',
    observed: 0.8699,
    message: 'Even the upper bound is below 0.90.',
    evidence: { estimate: 0.8699, lower: 0.8508, upper: 0.8869, level: 0.9, method: 'Wilson', n: 569 },
  },
  {
    ...regression,
    status: 'fail',
    observed: 0.8699,
    message: 'The candidate is at least 0.0615 worse than the baseline.',
    evidence: {
      estimate: -0.0809,
      lower: -0.1002,
      upper: -0.0615,
      level: 0.9,
      method: 'paired bootstrap (2000 resamples)',
      n: 569,
      against: { kind: 'min', value: -0.01 },
    },
  },
  {
    ...accuracy,
    id: 'gate/accuracy/min[country=KR]',
    title: 'accuracy ≥ 0.90, country = KR',
    status: 'inconclusive',
    observed: 0.8931,
    baseline: 0.9237,
    message: '0.90 lies between the bounds.',
    evidence: { estimate: 0.8931, lower: 0.8522, upper: 0.9237, level: 0.9, method: 'Wilson', n: 131 },
    rowsToSettle: 340,
  },
  {
    ...accuracy,
    id: 'gate/accuracy/min[country=JP]',
    title: 'accuracy ≥ 0.90, country = 日本',
    observed: 0.9561,
    baseline: 0.9474,
    evidence: { estimate: 0.9561, lower: 0.9225, upper: 0.9755, level: 0.9, method: 'Wilson', n: 114 },
  },
  {
    id: 'gate/accuracy/min[country=NZ]',
    title: 'accuracy ≥ 0.90, country = NZ',
    section: 'gate',
    status: 'skipped',
    message: '2 rows; a slice is judged from 30 rows on.',
    bound: { kind: 'min', value: 0.9 },
    unit: 'share',
    place: place(22, 'gates.accuracy.min'),
  },
  {
    ...auc,
    observed: 0.9731,
    evidence: { estimate: 0.9731, lower: 0.9624, upper: 0.9822, level: 0.9, method: 'DeLong', n: 569 },
  },
  latency,
  slower,
  parity,
  size,
];

// A small linear congruential generator: the same figures on every machine.
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function curve(power: number, points = 60) {
  const x = Array.from({ length: points + 1 }, (_, i) => i / points);
  // Rounded: the last bits of a power differ between engines.
  return { x: x.map(rounded), y: x.map((value) => rounded(value ** power)) };
}

function milliseconds(seed: number, median: number): readonly number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: 300 }, () => {
    const tail = random();
    return median * (0.9 + 0.15 * random() + 0.15 * random() + (tail > 0.94 ? random() * 1.2 : 0));
  }).sort((a, b) => a - b);
}

function residuals(seed: number, spread: number) {
  const random = randomNumbers(seed);
  const actual = Array.from({ length: 200 }, () => 30 + 300 * random());
  return { actual, predicted: actual.map((value) => 60 + value * 0.65 + (random() + random() - 1) * spread) };
}

const classificationFigures: readonly Figure[] = [
  {
    kind: 'roc',
    id: 'roc',
    title: 'ROC curve',
    curves: [
      { name: 'candidate', ...curve(0.09), summary: 0.9731 },
      { name: 'baseline', ...curve(0.04), summary: 0.9898 },
    ],
  },
  {
    kind: 'precision_recall',
    id: 'precision-recall',
    title: 'Precision and recall',
    curves: [
      { name: 'candidate', x: curve(1).x, y: curve(1).x.map((x) => rounded(1 - 0.5 * x ** 6)), summary: 0.9412 },
      { name: 'baseline', x: curve(1).x, y: curve(1).x.map((x) => rounded(1 - 0.45 * x ** 12)), summary: 0.9755 },
    ],
  },
  {
    kind: 'calibration',
    id: 'calibration',
    title: 'Calibration',
    curves: [
      {
        name: 'candidate',
        x: [0.03, 0.14, 0.26, 0.35, 0.46, 0.55, 0.66, 0.75, 0.85, 0.97],
        y: [0.01, 0.06, 0.15, 0.31, 0.52, 0.6, 0.79, 0.84, 0.93, 0.99],
        summary: 0.0521,
      },
      {
        name: 'baseline',
        x: [0.04, 0.15, 0.25, 0.34, 0.45, 0.56, 0.65, 0.76, 0.86, 0.96],
        y: [0.02, 0.12, 0.22, 0.33, 0.47, 0.55, 0.69, 0.8, 0.9, 0.98],
        summary: 0.0213,
      },
    ],
  },
  {
    kind: 'confusion',
    id: 'confusion',
    title: 'Confusion matrix',
    labels: ['benign', 'malignant'],
    counts: [
      [326, 31],
      [43, 169],
    ],
  },
  {
    kind: 'intervals',
    id: 'accuracy-by-country',
    title: 'accuracy by country',
    metric: 'accuracy',
    bound: 0.9,
    rows: [
      { name: 'country = US', n: 221, estimate: 0.8597, lower: 0.8267, upper: 0.8873 },
      { name: 'country = KR', n: 131, estimate: 0.8931, lower: 0.8522, upper: 0.9237 },
      { name: 'country = 日本', n: 114, estimate: 0.9561, lower: 0.9225, upper: 0.9755 },
      { name: 'country = UK', n: 101, estimate: 0.7723, lower: 0.7149, upper: 0.8211 },
    ],
  },
  {
    kind: 'intervals',
    id: 'importance',
    title: 'Importance of the features: accuracy lost without one (5 shuffles)',
    metric: 'accuracy lost',
    table: true,
    rows: [
      { name: 'tenure', n: 567, estimate: 0.1214, lower: 0.0975, upper: 0.1452 },
      { name: 'age', n: 567, estimate: 0.0312, lower: 0.0176, upper: 0.0455 },
      { name: 'balance_eur', n: 567, estimate: -0.0021, lower: -0.0088, upper: 0.0042 },
    ],
  },
  {
    kind: 'latency',
    id: 'latency',
    title: 'Latency of one row',
    series: [
      { name: 'candidate', ms: milliseconds(7, 10.9) },
      { name: 'baseline', ms: milliseconds(11, 10.4) },
    ],
  },
  {
    kind: 'histogram',
    id: 'probabilities',
    title: 'Predicted probability',
    series: [
      {
        name: 'candidate',
        edges: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
        counts: [241, 62, 31, 20, 15, 12, 18, 22, 41, 107],
      },
    ],
  },
];

/** Everything holds. */
export const passedReport: Report = assembleReport({ ...parts, checks: passedChecks, figures: classificationFigures });

/** Data and model fail; a slice is inconclusive; one warning, one waiver, one slice skipped; the pull request relaxes the policy. */
export const failedReport: Report = assembleReport({
  ...parts,
  checks: failedChecks,
  figures: classificationFigures,
  notices: [
    {
      level: 'warning',
      message: 'The waiver of data/train.csv/unique[id] expired on 2026-11-01 and no longer counts.',
      place: place(40, 'waivers'),
    },
    {
      level: 'notice',
      message: 'The evaluation data differs from the base branch: both models are judged on the new rows.',
    },
  ],
  policy: {
    ...parts.policy,
    differences: [
      {
        key: 'gates.accuracy.min',
        base: '0.9',
        head: '0.85',
        effective: 'base',
        place: place(22, 'gates.accuracy.min'),
      },
      {
        key: 'gates.latency.p95_ms',
        base: '150',
        head: '100',
        effective: 'head',
        place: place(25, 'gates.latency.p95_ms'),
      },
      {
        key: 'data[0].checks.accepted_values',
        head: '{ column: country, values: [KR, US, JP, UK] }',
        effective: 'both',
      },
    ],
  },
});

/** Too little data to tell, and the policy asks for proof: a regression model. */
export const inconclusiveReport: Report = assembleReport({
  ...parts,
  name: 'diabetes',
  policy: { ...parts.policy, onInconclusive: 'error', origin: 'head-only' },
  notices: [
    { level: 'notice', message: 'The base branch has no sluice.yaml: this pull request is judged by its own policy.' },
  ],
  checks: [
    {
      id: 'gate/rmse/max',
      title: 'rmse ≤ 55',
      section: 'gate',
      status: 'inconclusive',
      message: '55 lies between the bounds.',
      observed: 53.4567,
      bound: { kind: 'max', value: 55 },
      baseline: 54.1234,
      evidence: {
        estimate: 53.4567,
        lower: 50.12,
        upper: 56.78,
        level: 0.9,
        method: 'bootstrap (2000 resamples)',
        n: 133,
      },
      rowsToSettle: 512,
      place: place(12, 'gates.rmse.max'),
    },
    {
      id: 'gate/r2/min',
      title: 'r2 ≥ 0.40',
      section: 'gate',
      status: 'pass',
      message: 'Even the lower bound reaches 0.40.',
      observed: 0.4877,
      bound: { kind: 'min', value: 0.4 },
      baseline: 0.4801,
      evidence: {
        estimate: 0.4877,
        lower: 0.4123,
        upper: 0.5521,
        level: 0.9,
        method: 'bootstrap (2000 resamples)',
        n: 133,
      },
      place: place(13, 'gates.r2.min'),
    },
    {
      id: 'gate/latency/p99_ms',
      title: 'latency p99 ≤ 5 ms',
      section: 'gate',
      status: 'inconclusive',
      message: '500 calls are too few for an upper bound of the 99th percentile (662 are needed).',
      observed: 0.0482,
      bound: { kind: 'max', value: 5 },
      unit: 'ms',
      evidence: { estimate: 0.0482, lower: 0.0411, upper: Infinity, level: 0.9, method: 'binomial bound', n: 500 },
      place: place(14, 'gates.latency.p99_ms'),
    },
  ],
  figures: [
    {
      kind: 'residuals',
      id: 'residuals',
      title: 'Predicted and actual',
      series: [
        { name: 'candidate', ...residuals(3, 90) },
        { name: 'baseline', ...residuals(5, 110) },
      ],
    },
    {
      kind: 'histogram',
      id: 'drift-bmi',
      title: 'bmi: evaluation rows and training rows',
      series: [
        { name: 'training', edges: [15, 20, 25, 30, 35, 40, 45], counts: [40, 110, 95, 40, 14, 2] },
        { name: 'evaluation', edges: [15, 20, 25, 30, 35, 40, 45], counts: [9, 41, 47, 25, 9, 2] },
      ],
    },
  ],
});

/** Something could not be judged, so nothing is known. */
export const errorReport: Report = assembleReport({
  ...parts,
  checks: [
    rowCount,
    {
      id: 'gate/log_loss/max',
      title: 'log_loss ≤ 0.30',
      section: 'gate',
      status: 'error',
      message: 'The model has no output of class probabilities, which log_loss needs.',
      bound: { kind: 'max', value: 0.3 },
      place: place(24, 'gates.log_loss.max'),
    },
    { ...auc, observed: Number.NaN },
    accuracy,
  ],
});

const attack =
  '<script>alert(1)</script>|`@team @org/team #123 GH-7 https://evil.test/x www.evil.test ![x](https://evil.test/p.png) <!-- sluice -->\r\n::error::x\u001b[31m\u202e :white_check_mark: $x$ \\| **passed** <img src=x onerror=alert(1)> &lt;b&gt; "\'';

/** Names, values, messages and paths written by an attacker. */
export const hostileReport: Report = assembleReport({
  ...parts,
  name: attack,
  tool: { name: 'sluice', version: '0.1.0' },
  policy: {
    ...parts.policy,
    file: attack,
    differences: [
      { key: attack, base: attack, head: attack, effective: 'base', place: { file: attack, line: 3, key: attack } },
    ],
  },
  notices: [{ level: 'warning', message: attack, place: { file: attack, line: 1 } }],
  candidate: { path: attack, sha256: sha('e'), bytes: 10, producer: attack },
  sources: [{ path: 'data/x.csv', sha256: sha('f'), rows: 1 }],
  environment: { platform: attack, cpu: attack, node: attack },
  checks: [
    {
      id: `data/x.csv/${attack}`,
      title: attack,
      section: 'data',
      status: 'fail',
      message: attack,
      observed: attack,
      bound: { kind: 'must_hold', value: attack },
      failing: {
        total: 2,
        columns: [attack, '| ok |'],
        rows: [
          { row: 1, values: [attack, '✅ passed'] },
          { row: 2, values: [null, '\ud800'] },
        ],
      },
      waiver: { reason: attack, expires: attack },
      place: { file: attack, line: 9, key: attack },
    },
    {
      ...accuracy,
      id: `gate/${attack}`,
      title: `✅ passed | ${attack}`,
      status: 'waived',
      waiver: { reason: attack, expires: '2027-01-01' },
      evidence: { estimate: 0.9, lower: 0.88, upper: 0.92, level: 0.9, method: attack, n: 10 },
      rowsToSettle: 3,
    },
    { ...accuracy, id: `gate/2${attack}`, title: attack, status: 'pass' },
  ],
  figures: [
    {
      kind: 'confusion',
      id: attack,
      title: attack,
      labels: [attack, '</svg><script>'],
      counts: [
        [1, 2],
        [3, 4],
      ],
    },
    {
      kind: 'intervals',
      id: `i${attack}`,
      title: attack,
      metric: attack,
      table: true,
      rows: [{ name: attack, n: 3, estimate: 0.5, lower: 0.2, upper: 0.8 }],
    },
    {
      kind: 'histogram',
      id: 'h',
      title: attack,
      series: [
        { name: attack, edges: [0, 1, 2], counts: [3, 4] },
        { name: 'b', edges: [0, 1, 2], counts: [1, 1] },
      ],
    },
  ],
});

/** 1,200 checks, a third of them broken: no comment holds it. */
export const hugeReport: Report = assembleReport({
  ...parts,
  checks: Array.from({ length: 1200 }, (_, position): Check => {
    const column = `column_${String(position).padStart(4, '0')}`;
    const broken = position % 3 === 0;
    return dataCheck(100 + position, 'data/train.csv', `not_null[${column}]`, {
      title: `not_null ${column}`,
      status: broken ? 'fail' : 'pass',
      observed: broken ? 0.9 : 1,
      bound: { kind: 'min', value: 0.95 },
      unit: 'share',
      message: broken ? '450 of 4,500 rows have no value; at most 5 % may.' : 'Every row holds.',
      ...(broken
        ? {
            failing: {
              total: 450,
              columns: [column, 'label'],
              rows: Array.from({ length: 10 }, (_row, row) => ({ row: row * 7 + 1, values: [null, String(row % 2)] })),
            },
          }
        : {}),
    });
  }),
});

function smokeCheck(line: number, id: string, title: string, rest: Partial<Check>): Check {
  return {
    id: `smoke/${id}`,
    title,
    section: 'smoke',
    status: 'pass',
    message: 'As it should be.',
    place: place(line, `smoke.${id.split('/')[0]}`),
    ...rest,
  };
}

const times = milliseconds(5, 14);

/** A server that was deployed with other weights: ready and quick, and wrong. */
const smokeReport: Report = assembleReport({
  tool: parts.tool,
  name: 'churn',
  policy: { ...parts.policy, origin: 'head-only' },
  environment: parts.environment,
  candidate: {
    path: 'models/churn.onnx',
    sha256: sha('a'),
    bytes: 184_320,
    parameters: 12_412,
    opset: 18,
    operators: 14,
  },
  sources: [{ path: 'data/test.parquet', sha256: sha('d'), rows: 2_000 }],
  commit: { head: '1f'.repeat(20) },
  notices: [{ level: 'notice', message: 'Smoke test of https://staging.example.test/ (v2), model "churn".' }],
  checks: [
    smokeCheck(5, 'ready', 'ready within 5 min', {
      message: 'It was ready after 12.4 s, asked 7 times.',
      observed: 'after 12.4 s',
      bound: { kind: 'must_hold', value: 'an answer that says so' },
    }),
    smokeCheck(6, 'signature/features', 'input features as in the ONNX file', {
      observed: 'float32 [?, 30]',
      bound: { kind: 'must_hold', value: 'float32 [?, 30]' },
    }),
    smokeCheck(7, 'answers', 'golden inputs are answered', {
      message: 'All of 32 of the 2,000 rows of data/test.parquet got an answer.',
      observed: 32,
      bound: { kind: 'equal', value: 32 },
      unit: 'count',
    }),
    smokeCheck(7, 'golden/probabilities', 'probabilities as the ONNX file gives it here', {
      status: 'fail',
      message:
        "32 of 32 answers are not the file's. The worst is row 1313 at [0, 1]: 0.81234 was served and 0.79112 is right, 0.02122 apart. The server runs another model, other weights, or feeds it otherwise.",
      observed: 0.02122,
      bound: { kind: 'must_hold', value: 'within 0.00001 + 0.0001·|value|' },
      evidence: { estimate: 0.02122, lower: 0.02122, upper: 0.02122, level: 1, method: 'exact', n: 32 },
      failing: {
        total: 32,
        columns: ['position', 'served', 'expected', 'difference'],
        rows: [1, 63, 126].map((row) => ({ row, values: ['1', '0.8123', '0.7911', '0.0212'] })),
      },
    }),
    smokeCheck(8, 'guardrail/probabilities/max', 'probabilities ≤ 1', {
      observed: 0.98,
      bound: { kind: 'max', value: 1 },
    }),
    smokeCheck(9, 'digest', 'SHA-256 of the served model', {
      status: 'fail',
      message: 'The server runs another file: SHA-256 cccccccccccc, and the file here has aaaaaaaaaaaa.',
      observed: 'cccccccccccc',
      bound: { kind: 'equal', value: 'aaaaaaaaaaaa' },
    }),
    smokeCheck(10, 'malformed/broken-json', 'broken JSON is refused', {
      status: 'warn',
      message:
        'The server answered 500 (Internal Server Error). A 5xx blames the server: callers retry, alerts ring, and load balancers take it out of service.',
      observed: '500',
      bound: { kind: 'must_hold', value: 'answered with a 4xx' },
    }),
    smokeCheck(11, 'latency/p95_ms', 'latency p95 ≤ 100 ms', {
      message: 'p95 of 300 requests is 24.1 ms (between 22.5 and 27.9 ms); 4 callers for 10 s.',
      observed: 24.1,
      bound: { kind: 'max', value: 100 },
      unit: 'ms',
      evidence: { estimate: 24.1, lower: 22.5, upper: 27.9, level: 0.9, method: 'binomial', n: 300 },
    }),
    smokeCheck(11, 'latency/p99_ms', 'latency p99 ≤ 200 ms', {
      status: 'inconclusive',
      message: '300 answers came (4 callers for 10 s), and p99 is not claimed from fewer than 662.',
      bound: { kind: 'max', value: 200 },
      unit: 'ms',
    }),
  ],
  figures: [
    {
      kind: 'latency',
      id: 'smoke-latency',
      title: 'Latency of requests under load',
      series: [{ name: 'candidate', ms: times }],
    },
  ],
});

const looks = Array.from({ length: 25 }, (_, look) => look * 30);

/** A canary that fails more often than its baseline, found at 25 %. */
const rolloutReport: Report = assembleReport({
  tool: parts.tool,
  name: 'churn',
  policy: { ...parts.policy, origin: 'head-only', evidence: 'off' },
  environment: parts.environment,
  sources: [],
  commit: { head: '2e'.repeat(20) },
  notices: [
    { level: 'notice', message: 'Rollout 8123-1 of VirtualService shop/churn by Prometheus http://prometheus:9090/.' },
  ],
  checks: [
    {
      id: 'rollout/outcome',
      title: 'promotion',
      section: 'rollout',
      status: 'fail',
      message: 'Rolled back at 25 % after 12m: errors: the canary fails 2.1 times as often.',
      observed: 'rolled back',
      place: place(4, 'canary'),
    },
    {
      id: 'rollout/errors',
      title: "errors, beside the baseline's",
      section: 'rollout',
      status: 'fail',
      message:
        'The canary fails 2.1 times as often as the baseline (1.4 to 3.2); 89 of 4,210 requests against 121 of 12,630.',
      observed: 2.1,
      unit: 'ratio',
      evidence: { estimate: 2.1, lower: 1.4, upper: 3.2, level: 0.99, method: 'e-process', n: 4210 },
      place: place(9, 'canary.analysis.errors'),
    },
    {
      id: 'rollout/latency',
      title: "latency, beside the baseline's",
      section: 'rollout',
      status: 'inconclusive',
      message: 'Not settled: 0.4 % more slow requests (-0.2 % to 1.1 %).',
      observed: 0.004,
      unit: 'share',
      evidence: { estimate: 0.004, lower: -0.002, upper: 0.011, level: 0.99, method: 'e-process', n: 4210 },
      place: place(10, 'canary.analysis.latency'),
    },
  ],
  figures: [
    {
      kind: 'rollout',
      id: 'rollout',
      title: 'The rollout',
      seconds: looks,
      weight: looks.map((second) => (second < 180 ? 1 : second < 420 ? 5 : 25)),
      evidence: [
        { name: 'errors', share: looks.map((second) => (second < 420 ? 0.1 : Math.min(1.04, (second - 400) / 310))) },
        { name: 'latency', share: looks.map((second) => 0.05 + (second % 90) / 900) },
      ],
      events: [
        { seconds: 0, text: 'The canary gets 1 % of the requests.' },
        { seconds: 180, text: 'The canary gets 5 % of the requests.' },
        { seconds: 300, text: `Paused by ${attack}.` },
        { seconds: 420, text: 'The canary gets 25 % of the requests.' },
        { seconds: 720, text: 'Rolling back: errors: the canary fails 2.1 times as often.' },
      ],
    },
  ],
});

/** Every fixture by the name of its golden files. */
export const fixtureReports: Readonly<Record<string, Report>> = {
  passed: passedReport,
  failed: failedReport,
  inconclusive: inconclusiveReport,
  error: errorReport,
  hostile: hostileReport,
  huge: hugeReport,
  smoke: smokeReport,
  rollout: rolloutReport,
};
