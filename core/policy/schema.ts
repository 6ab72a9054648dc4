import { z } from 'zod';

// One source for the TypeScript types, the strict parsing and the JSON Schema. `.describe` texts become the editor's hover.

const name = z.string().min(1);
const share = z.number().min(0).max(1);
const severity = z
  .enum(['error', 'warn'])
  .describe('What a broken bound does: error fails the gate, warn is shown only.');
const path = z
  .string()
  .min(1)
  .describe('A file, relative to the repository root (or to the working directory of the command).');
const reason = z.string().min(1).describe('Why this bound is what it is; shown beside the result.');

/** What every data check may carry beside its own keys. */
const ofCheck = { severity: severity.optional(), reason: reason.optional() };
const mostly = share.describe(
  'The share of rows that must hold; 1 when not given. Great Expectations calls it the same.',
);
const ofRowCheck = { ...ofCheck, mostly: mostly.optional() };
const columns = z.union([z.literal('all'), z.array(name).min(1)]);

export const dataChecks = {
  row_count: z.strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional(), ...ofCheck }),
  schema: z.strictObject({
    required: z.array(name).min(1).optional(),
    types: z.record(name, z.enum(['integer', 'number', 'string', 'boolean', 'date', 'timestamp'])).optional(),
    extra: z
      .enum(['allow', 'forbid'])
      .optional()
      .describe('Whether columns not named by required or types may be there.'),
    ...ofCheck,
  }),
  not_null: z.strictObject({ columns, ...ofRowCheck }),
  between: z.strictObject({ column: name, min: z.number().optional(), max: z.number().optional(), ...ofRowCheck }),
  accepted_values: z.strictObject({
    column: name,
    values: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1),
    ...ofRowCheck,
  }),
  unique: z.strictObject({ columns: z.array(name).min(1), ...ofRowCheck }),
  class_share: z.strictObject({ column: name, min: share.optional(), max: share.optional(), ...ofCheck }),
  duplicate_rows: z.strictObject({ max_share: share, ...ofCheck }),
  regex: z.strictObject({
    column: name,
    pattern: z.string().min(1).describe('RE2 syntax; the whole value must match.'),
    ...ofRowCheck,
  }),
} as const;

export type DataCheckName = keyof typeof dataChecks;
export type DataCheckOptions<Name extends DataCheckName> = z.infer<(typeof dataChecks)[Name]>;

// A list entry is an object with exactly one key, as in dbt: `- not_null: { columns: all }`.
const dataCheck = z.strictObject({
  row_count: dataChecks.row_count.optional(),
  schema: dataChecks.schema.optional(),
  not_null: dataChecks.not_null.optional(),
  between: dataChecks.between.optional(),
  accepted_values: dataChecks.accepted_values.optional(),
  unique: dataChecks.unique.optional(),
  class_share: dataChecks.class_share.optional(),
  duplicate_rows: dataChecks.duplicate_rows.optional(),
  regex: dataChecks.regex.optional(),
});

/** A number in the metric's own unit (`0.01`: one point), or a share of the baseline's value (`5%`). */
const change = z.union([
  z.number().min(0),
  z.string().regex(/^\d+(\.\d+)?%$/, 'expected a number or a percentage such as 5%'),
]);

const metricBound = z.strictObject({
  min: z.number().optional(),
  max: z.number().optional(),
  max_regression: change
    .optional()
    .describe('How much worse than the baseline it may be. The direction is known per metric.'),
  min_improvement: change.optional().describe('How much better than the baseline it must be.'),
  average: z
    .enum(['binary', 'macro', 'micro', 'weighted'])
    .optional()
    .describe('precision, recall, f1: binary for two classes, macro otherwise.'),
  severity: severity.optional(),
  reason: reason.optional(),
});

export const classificationMetrics = [
  'accuracy',
  'balanced_accuracy',
  'precision',
  'recall',
  'f1',
  'roc_auc',
  'average_precision',
  'log_loss',
  'brier',
  'ece',
  'matthews_corrcoef',
] as const;
export const regressionMetrics = ['mae', 'mse', 'rmse', 'mape', 'median_absolute_error', 'max_error', 'r2'] as const;
export const metricNames = [...classificationMetrics, ...regressionMetrics] as const;
export type MetricName = (typeof metricNames)[number];
export type MetricBound = z.infer<typeof metricBound>;

const milliseconds = z.number().positive();
const latency = z.strictObject({
  p50_ms: milliseconds.optional(),
  p95_ms: milliseconds.optional(),
  p99_ms: milliseconds.optional(),
  mean_ms: milliseconds.optional(),
  max_regression: z
    .string()
    .regex(/^\d+(\.\d+)?%$/)
    .optional()
    .describe('How much slower than the baseline, measured side by side in one run.'),
  batch_size: z.int().min(1).optional().describe('Rows a call; 1 when not given.'),
  hardware: z
    .string()
    .min(1)
    .optional()
    .describe('A name for the machine the milliseconds were set on. Without it absolute milliseconds only warn.'),
  severity: severity.optional(),
  reason: reason.optional(),
});

const between01 = z.strictObject({
  min: z.number().optional(),
  max: z.number().optional(),
  severity: severity.optional(),
  reason: reason.optional(),
});
export const fairnessMetrics = [
  'demographic_parity_difference',
  'demographic_parity_ratio',
  'equalized_odds_difference',
  'equalized_odds_ratio',
  'equal_opportunity_difference',
  'equal_opportunity_ratio',
  'accuracy_difference',
  'accuracy_ratio',
  'precision_difference',
  'recall_difference',
  'f1_difference',
  'selection_rate_difference',
  'mae_difference',
  'mae_ratio',
  'rmse_difference',
  'rmse_ratio',
  'mean_prediction_difference',
  'mean_residual_difference',
] as const;
export type FairnessMetric = (typeof fairnessMetrics)[number];
const fairness = z.strictObject({
  group: z
    .union([name, z.array(name).min(1)])
    .describe('The sensitive attribute, or several: their intersections are the groups.'),
  min_rows: z.int().min(1).optional().describe('Groups with fewer rows are listed as skipped; 30 when not given.'),
  ...(Object.fromEntries(fairnessMetrics.map((metric) => [metric, between01.optional()])) as Record<
    FairnessMetric,
    z.ZodOptional<typeof between01>
  >),
});

const size = z.strictObject({
  max_mb: z.number().positive().optional(),
  max_parameters: z.int().min(1).optional(),
  min_opset: z.int().min(1).optional(),
  max_regression: change.optional(),
  severity: severity.optional(),
  reason: reason.optional(),
});

const sliceOf = z.union([
  name.describe('A column: each of its values is a slice.'),
  z
    .record(name, z.array(z.number()).min(1))
    .describe('A numeric column and the edges that cut it: { age: [0, 25, 65] }.'),
]);

export const policySchema = z.strictObject({
  version: z.literal(1),
  name: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Tells two policies of one repository apart in comments and checks.'),
  model: z
    .strictObject({
      path,
      baseline: z
        .union([z.enum(['base', 'none']), z.strictObject({ path })])
        .optional()
        .describe('base: the same file on the base branch (the default); none; or a file of its own.'),
      task: z
        .enum(['classification', 'regression'])
        .optional()
        .describe("Read off the model's outputs when not given."),
      inputs: z
        .record(name, z.array(name).min(1))
        .optional()
        .describe(
          'Which columns feed which input. Default: one input takes all feature columns in file order; several take the column of their name.',
        ),
      outputs: z
        .strictObject({ label: name.optional(), probabilities: name.optional(), value: name.optional() })
        .optional()
        .describe(
          'Which output is the label, the class probabilities, the regression value. Default: by type and shape.',
        ),
      classes: z
        .array(z.union([z.string(), z.number()]))
        .min(2)
        .optional()
        .describe('Class of each probability column, in order.'),
    })
    .optional(),
  data: z
    .array(z.strictObject({ source: path, checks: z.array(dataCheck).min(1) }))
    .min(1)
    .optional(),
  evaluation: z
    .strictObject({
      source: path,
      target: name,
      positive: z
        .union([z.string(), z.number(), z.boolean()])
        .optional()
        .describe('The positive class of a binary task; the larger label when not given.'),
      features: z.array(name).min(1).optional(),
      ignore: z.array(name).min(1).optional().describe('Columns that are not features: ids, groups.'),
      slices: z.array(sliceOf).min(1).optional(),
      min_rows: z.int().min(1).optional().describe('Slices with fewer rows are listed as skipped; 30 when not given.'),
    })
    .optional(),
  gates: z
    .strictObject({
      ...(Object.fromEntries(metricNames.map((metric) => [metric, metricBound.optional()])) as Record<
        MetricName,
        z.ZodOptional<typeof metricBound>
      >),
      latency: latency.optional(),
      fairness: fairness.optional(),
      size: size.optional(),
    })
    .optional(),
  evidence: z
    .union([z.literal('off'), z.number().gt(0.5).lt(1)])
    .optional()
    .describe('How sure a one-sided bound must be; 0.9 when not given. off compares points.'),
  on_inconclusive: z.enum(['warn', 'error', 'pass']).optional(),
  waivers: z
    .array(
      z.strictObject({ check: name, reason: z.string().min(1), expires: z.iso.date(), approved_by: name.optional() }),
    )
    .optional(),
});

export type Policy = z.infer<typeof policySchema>;
export type DataSource = NonNullable<Policy['data']>[number];
export type DataCheck = DataSource['checks'][number];
export type Gates = NonNullable<Policy['gates']>;
