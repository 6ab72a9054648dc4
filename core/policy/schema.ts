import * as z from 'zod';
import { canarySchema } from './canary-schema.ts';
import { championSchema } from './champion-schema.ts';
import { dataSchema } from './data-schema.ts';
import { policyDefaults } from './defaults.ts';
import { driftSchema } from './drift-schema.ts';
import { enginesSchema } from './engines-schema.ts';
import { episodeGates, episodesSchema } from './episodes-schema.ts';
import { evaluationSetsSchema } from './evaluation-set-schema.ts';
import { explainSchema } from './explain-schema.ts';
import { guardrailSchema } from './guardrail-schema.ts';
import {
  change,
  column,
  columnList,
  duration,
  milliseconds,
  name,
  named,
  oneOf,
  path,
  percentageSaying,
  reason,
  severity,
} from './schema-words.ts';
import { signatureSchema } from './signature-schema.ts';
import { sliceSchema } from './slice-schema.ts';
import { smokeSchema } from './smoke-schema.ts';
import { endpointSchema, predictionsSchema, runSchema, sourceKinds } from './source-schema.ts';
import { variantsSchema } from './variant-schema.ts';
import { weakSliceSchema } from './weak-slice-schema.ts';

// One source for the TypeScript types, the strict reading and the JSON Schema. `description` becomes the editor's hover;
// an `error` text completes the sentence "found x, expected ..."; `id` names the part in the JSON Schema.
// Rules that one key's type cannot say (min above max, a gate without a model) are in `contradictions.ts`; where JSON Schema has
// a word for such a rule, it is given in `.meta` so that editors show it too.

const evidenceRange = '"off" or a number over 0.5 and under 1';
const metricBound = z
  .strictObject({
    min: z.number().optional().describe('At least this.'),
    max: z.number().optional().describe('At most this.'),
    max_regression: change
      .optional()
      .describe('How much worse than the baseline it may be. The direction is known per metric.'),
    min_improvement: change.optional().describe('How much better than the baseline it must be.'),
    average: z
      .enum(['binary', 'macro', 'micro', 'weighted', 'samples', 'none'])
      .optional()
      .describe(
        'precision, recall, f1, jaccard: binary for two classes, macro otherwise; none holds every class (or label) to the bound by itself; samples: of several labels a row, the mean over rows. roc_auc: macro or weighted.',
      ),
    multi_class: z
      .enum(['ovr', 'ovo'])
      .optional()
      .describe('roc_auc of more than two classes: each against the rest (ovr, the default), or every two (ovo).'),
    weights: z
      .enum(['linear', 'quadratic'])
      .optional()
      .describe('cohen_kappa: how much more a disagreement counts, the further apart the classes are.'),
    k: z
      .int()
      .min(1)
      .optional()
      .describe('top_k_accuracy, ndcg, recall_at_k: how many of the best count. Without it 2, all and 10.'),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({
    id: 'metricBound',
    description: 'What is demanded of a metric on the evaluation rows.',
    ...oneOf('min', 'max', 'max_regression', 'min_improvement'),
  });

export const classificationMetrics = [
  'accuracy',
  'balanced_accuracy',
  'precision',
  'recall',
  'f1',
  'jaccard',
  'roc_auc',
  'average_precision',
  'log_loss',
  'brier',
  'ece',
  'calibration_slope',
  'matthews_corrcoef',
  'cohen_kappa',
  'top_k_accuracy',
] as const;
/** Of several labels a row; such a model has accuracy, precision, recall, f1 and jaccard as well. */
export const multiLabelMetrics = [
  'hamming_loss',
  'label_ranking_average_precision',
  'coverage_error',
  'label_ranking_loss',
] as const;
/** Of documents that a model ranks by query. */
export const rankingMetrics = ['ndcg', 'map', 'recall_at_k', 'mrr'] as const;
export const regressionMetrics = ['mae', 'mse', 'rmse', 'mape', 'median_absolute_error', 'max_error', 'r2'] as const;
export const metricNames = [
  ...classificationMetrics,
  ...regressionMetrics,
  ...multiLabelMetrics,
  ...rankingMetrics,
] as const;
export type MetricName = (typeof metricNames)[number];
export type MetricBound = z.infer<typeof metricBound>;

const customMetric = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]{0,59}$/, { error: 'a letter, then letters, digits and _, at most 60' })
      .describe('What reports call it.'),
    mean: z
      .string()
      .min(1)
      .max(2000)
      .describe(
        "A SQL expression of one row, over the evaluation's columns and prediction, score and actual; the metric is its mean over the rows.",
      ),
    better: z.enum(['higher', 'lower']).describe('Which direction is better.'),
    min: z.number().optional().describe('At least this.'),
    max: z.number().optional().describe('At most this.'),
    max_regression: change.optional().describe('How much worse than the baseline it may be.'),
    min_improvement: change.optional().describe('How much better than the baseline it must be.'),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({
    id: 'customMetric',
    description: 'A metric of your own: the mean of an expression over the evaluation rows.',
    ...oneOf('min', 'max', 'max_regression', 'min_improvement'),
  });
export type CustomMetric = z.infer<typeof customMetric>;

const latency = z
  .strictObject({
    p50_ms: milliseconds.optional().describe('Half of the calls take at most this many milliseconds.'),
    p95_ms: milliseconds.optional().describe('95 of 100 calls take at most this many milliseconds.'),
    p99_ms: milliseconds.optional().describe('99 of 100 calls take at most this many milliseconds.'),
    mean_ms: milliseconds.optional().describe('The mean call takes at most this many milliseconds.'),
    max_regression: percentageSaying('a percentage such as "5%"')
      .optional()
      .describe('How much slower than the baseline ("10%"), measured side by side in one run.'),
    cold_start_ms: milliseconds
      .optional()
      .describe('Loading the model and its first call take at most this many milliseconds, in half of new processes.'),
    min_throughput: z
      .number()
      .positive({ error: 'more than 0 rows a second' })
      .optional()
      .describe('Rows a second on one thread, at the best of 1, 8, 32 and 128 rows a call.'),
    time_budget: duration.optional().meta({
      description:
        'How long calls are measured at most; cold starts and throughput may each take a quarter of it more.',
      default: policyDefaults.latency.time_budget,
    }),
    batch_size: z.int().min(1).optional().meta({ description: 'Rows a call.', default: policyDefaults.batch_size }),
    hardware: z
      .string()
      .min(1)
      .optional()
      .describe('A name for the machine the milliseconds were set on. Without it absolute milliseconds only warn.'),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({
    description: 'How long one call of the model takes.',
    ...oneOf('p50_ms', 'p95_ms', 'p99_ms', 'mean_ms', 'max_regression', 'cold_start_ms', 'min_throughput'),
  });

const fairnessBound = z
  .strictObject({
    min: z.number().optional().describe('At least this (ratios: 0.8 is the four-fifths rule).'),
    max: z.number().optional().describe('At most this (differences).'),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({ id: 'fairnessBound', description: 'What is demanded of a fairness metric.', ...oneOf('min', 'max') });
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
const minRows = (what: string) =>
  z
    .int()
    .min(1)
    .optional()
    .meta({ description: `${what} with fewer rows are listed as skipped.`, default: policyDefaults.min_rows });
const fairness = z
  .strictObject({
    group: z
      .union([name, z.array(name).min(1)], { error: 'a column name, or a list of them' })
      .describe('The sensitive attribute, or several: their intersections are the groups.'),
    min_rows: minRows('Groups'),
    ...(Object.fromEntries(fairnessMetrics.map((metric) => [metric, fairnessBound.optional()])) as Record<
      FairnessMetric,
      z.ZodOptional<typeof fairnessBound>
    >),
  })
  .meta({
    description: "How differently the model treats the groups of a sensitive attribute, by Fairlearn's definitions.",
    ...oneOf(...fairnessMetrics),
  });

const size = z
  .strictObject({
    max_mb: z
      .number()
      .positive({ error: 'more than 0 megabytes' })
      .optional()
      .describe('Megabytes (10^6 bytes) of the model file and its external data.'),
    max_memory_mb: z
      .number()
      .positive({ error: 'more than 0 megabytes' })
      .optional()
      .describe(
        'Megabytes of memory that loading the model and running it once take, beside those of ONNX Runtime itself.',
      ),
    max_parameters: z.int().min(1).optional().describe('How many numbers the model has learned.'),
    max_operators: z
      .int()
      .min(1)
      .optional()
      .describe('How many nodes the graph has, subgraphs and functions included.'),
    max_macs: z
      .int()
      .min(1)
      .optional()
      .describe('Multiply-accumulates of one row, estimated from the graph; of trees the nodes that a row visits.'),
    min_opset: z.int().min(1).optional().describe("The oldest version of ONNX's own operator set allowed."),
    max_regression: change.optional().describe('How much bigger than the baseline\'s file: megabytes, or "10%".'),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({
    description: 'How big the model is.',
    ...oneOf('max_mb', 'max_memory_mb', 'max_parameters', 'max_operators', 'max_macs', 'min_opset', 'max_regression'),
  });

/** The gates that are measured on rows. */
const rowGates = {
  ...(Object.fromEntries(metricNames.map((metric) => [metric, metricBound.optional()])) as Record<
    MetricName,
    z.ZodOptional<typeof metricBound>
  >),
  custom: z.array(customMetric).min(1).max(50).optional().describe('Metrics of your own.'),
  fairness: fairness.optional(),
};

const model = z
  .strictObject({
    path: path.optional(),
    predictions: predictionsSchema.optional(),
    endpoint: endpointSchema.optional(),
    run: runSchema.optional(),
    baseline: z
      .union(
        [
          z.enum(['base', 'none']),
          z.strictObject({ path }).describe('A file of its own.'),
          z
            .strictObject({ predictions: predictionsSchema })
            .describe('Predictions of another model for the same rows.'),
          z.strictObject({ champion: championSchema }).describe('The model that is released.'),
        ],
        { error: '"base", "none", { path: file } or { champion: ... }' },
      )
      .optional()
      .meta({
        description: 'base: the same file on the base branch; none; a file of its own; or what is released.',
        default: policyDefaults.baseline,
      }),
    task: z.enum(['classification', 'regression']).optional().describe("Read off the model's outputs when not given."),
    inputs: named(z.array(name).min(1))
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
      .array(z.union([z.string(), z.number()], { error: 'text or a number' }))
      .min(2)
      .optional()
      .describe('Class of each probability column, in order.'),
    threshold: z
      .number()
      .gt(0, { error: 'a number over 0 and under 1' })
      .lt(1, { error: 'a number over 0 and under 1' })
      .optional()
      .describe(
        "Of two classes: the positive one is predicted where its probability is over this; the model's own labels are left aside.",
      ),
  })
  .meta({
    description:
      'What is judged (path: an ONNX file; else predictions, a running endpoint, or the metrics of a run) and what it is held against.',
    ...oneOf(...sourceKinds),
  });

const evaluation = z
  .strictObject({
    source: path,
    target: z
      .union([name, z.array(column).min(2)], { error: 'a column name, or a list of at least two' })
      .describe(
        "The column with the truth. Several: labels that each are true (1) or not (0) of a row, in the order of the model's outputs.",
      ),
    positive: z
      .union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' })
      .optional()
      .describe('The positive class of a binary task; the larger label when not given.'),
    query: name
      .optional()
      .describe(
        'The column that says which query a row is of: the model is then judged by how it ranks the rows of each.',
      ),
    features: columnList
      .optional()
      .describe('The columns the model is fed, in this order; all but target, query and ignore when not given.'),
    ignore: columnList.optional().describe('Columns that are not features: ids, groups.'),
    slices: z.array(sliceSchema).min(1).optional().describe('Subsets of the rows that are judged by themselves too.'),
    min_rows: minRows('Slices'),
    weak_slices: weakSliceSchema.optional(),
    sets: evaluationSetsSchema(
      z.strictObject(rowGates).describe('What is demanded of the model on these rows.'),
    ).optional(),
  })
  .describe('The rows the model is judged on.');

const gates = z
  .strictObject({
    ...rowGates,
    guardrails: z.array(guardrailSchema).min(1).optional().describe('What the outputs must keep to on every row.'),
    episode_reward: episodeGates.episode_reward.optional(),
    episode_length: episodeGates.episode_length.optional(),
    episode_violations: episodeGates.episode_violations.optional(),
    latency: latency.optional(),
    size: size.optional(),
    signature: signatureSchema.optional(),
    variants: variantsSchema(
      z.strictObject(
        Object.fromEntries(metricNames.map((metric) => [metric, metricBound.optional()])) as Record<
          MetricName,
          z.ZodOptional<typeof metricBound>
        >,
      ),
    )
      .optional()
      .describe('Other files of the model, each held against it.'),
  })
  .describe('What is demanded of the model.');

const waiver = z
  .strictObject({
    check: name.describe('The id of a check as reports show it; a * at the end stands for any rest.'),
    reason: z.string().min(1).describe('Why the failure is accepted.'),
    expires: z.iso
      .date({ error: 'a date of the calendar such as 2027-01-31' })
      .describe('The last day (UTC) the waiver is in force.'),
    approved_by: name.optional().describe('Who accepted it.'),
  })
  .describe(
    'Lets one failing check through until a date; with on_inconclusive: error an inconclusive one too. Only waivers on the base branch count.',
  );

export const policySchema = z
  .strictObject({
    version: z.literal(1).describe("The version of the policy's language."),
    name: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Tells two policies of one repository apart in comments and checks.'),
    model: model.optional(),
    data: dataSchema.optional(),
    evaluation: evaluation.optional(),
    episodes: episodesSchema.optional(),
    gates: gates.optional(),
    explain: explainSchema.optional(),
    drift: driftSchema.optional(),
    engines: enginesSchema.optional(),
    smoke: smokeSchema.optional(),
    canary: canarySchema.optional(),
    evidence: z
      .union([z.literal('off'), z.number().gt(0.5, { error: evidenceRange }).lt(1, { error: evidenceRange })], {
        error: evidenceRange,
      })
      .optional()
      .meta({
        description: 'How sure a one-sided bound must be before it passes or fails. off compares points.',
        default: policyDefaults.evidence,
      }),
    on_inconclusive: z.enum(['warn', 'error', 'pass']).optional().meta({
      description: 'What it means when the evidence settles a bound neither way. error: harmlessness must be proven.',
      default: policyDefaults.on_inconclusive,
    }),
    waivers: z.array(waiver).optional().describe('Failing checks that are let through until a date.'),
  })
  .meta({ ...oneOf('data', 'gates', 'drift', 'smoke', 'canary'), dependentRequired: { gates: ['model'] } });

export type Policy = z.infer<typeof policySchema>;
export type Gates = NonNullable<Policy['gates']>;
export type Variant = NonNullable<Gates['variants']>[number];
export type Waiver = NonNullable<Policy['waivers']>[number];
