import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { name, oneOf, path, reason, share } from './schema-words.ts';
import { where } from './where-schema.ts';

const { drift: defaults } = policyDefaults;

/** How far the values of a column may be from the reference's, by the field's names. */
export const driftMeasures = [
  'psi',
  'ks',
  'chi2',
  'wasserstein',
  'jensen_shannon',
  'kl',
  'hellinger',
  'total_variation',
] as const;
export type DriftMeasure = (typeof driftMeasures)[number];

const columnNames = z.array(name).min(1);
const columns = z.union([z.literal('all'), columnNames], { error: '"all" or a list of column names' });

const side = (what: string) =>
  z
    .union([path, z.strictObject({ source: path, where: where.optional() }).describe('A file, or some rows of it.')], {
      error: 'a file, or { source: file, where: { column: condition } }',
    })
    .describe(what);

const measureBound = z
  .strictObject({
    warn: z.number().min(0).optional().describe('Above this a column is worth watching.'),
    fail: z.number().min(0).optional().describe('Above this a column has drifted: the check fails.'),
    columns: columns.optional().describe('Which columns; those of the drift check that it can measure when not given.'),
    reason: reason.optional(),
  })
  .meta({ id: 'driftBound', description: 'How far a column may drift by this measure.', ...oneOf('warn', 'fail') });

const described: Readonly<Record<DriftMeasure, string>> = {
  psi: 'Population stability index of bins or classes: 0.1 is worth watching, 0.2 much.',
  ks: 'Kolmogorov-Smirnov statistic of numbers: the largest difference of the distribution functions, 0 to 1.',
  chi2: "Cramér's V of the chi-square test of bins or classes, 0 to 1. Never its p-value, which any difference makes small on many rows.",
  wasserstein:
    "Earth mover's distance of numbers, in standard deviations of the reference (as Evidently's normed one).",
  jensen_shannon: 'Jensen-Shannon distance of bins or classes, 0 to 0.83 (the root of the divergence in nats).',
  kl: 'Kullback-Leibler divergence of bins or classes from the reference, in nats.',
  hellinger: 'Hellinger distance of bins or classes, 0 to 1.',
  total_variation: 'Total variation distance of bins or classes: the share of rows that moved, 0 to 1.',
};

/** The policy's key `drift`. */
export const driftSchema = z
  .strictObject({
    reference: side('What the data was when the model was made. May be named by the run instead.').optional(),
    current: side('What the data is now. May be named by the run instead.').optional(),
    columns: columns.optional().meta({
      description: 'Which columns are compared: all that both files have, or a list.',
      default: 'all',
    }),
    ignore: columnNames.optional().describe('Columns that are not compared: ids, timestamps.'),
    prediction: name.optional().describe("The column with the model's answers: its drift is told apart."),
    target: name.optional().describe('The column with the truth: its drift is told apart.'),
    bins: z.int().min(2).max(100).optional().meta({
      description: 'Bins that numbers are counted by: of equal shares in the reference, fewer where rows are few.',
      default: defaults.bins,
    }),
    min_rows: z.int().min(1).optional().meta({
      description: 'Columns with fewer rows on either side are listed as skipped.',
      default: defaults.min_rows,
    }),
    ...(Object.fromEntries(
      driftMeasures.map((measure) => [measure, measureBound.optional().describe(described[measure])]),
    ) as Record<DriftMeasure, z.ZodOptional<typeof measureBound>>),
    drifted_columns: z
      .strictObject({
        warn: share.optional().describe('Above this share it is worth watching.'),
        fail: share.optional().describe('Above this share the check fails.'),
        reason: reason.optional(),
      })
      .meta({
        description: 'The share of columns, prediction and target left out, that are beyond their lowest bound.',
        ...oneOf('warn', 'fail'),
      })
      .optional(),
  })
  .describe(
    `How far today's data may be from the reference (\`sluice detect-drift\`). Without a measure: psi, warn ${defaults.psi.warn}, fail ${defaults.psi.fail}.`,
  );

export type DriftPolicy = z.infer<typeof driftSchema>;
export type DriftBound = z.infer<typeof measureBound>;
export type DriftSide = NonNullable<DriftPolicy['reference']>;

/** The policy's measures; where it names none, the population stability index with the usual bounds. */
export function driftBoundsOf(drift: DriftPolicy): readonly (readonly [DriftMeasure, DriftBound])[] {
  const named = driftMeasures.flatMap((measure) => {
    const bound = drift[measure];
    return bound === undefined ? [] : [[measure, bound] as const];
  });
  return named.length > 0 ? named : [['psi', { ...defaults.psi }]];
}
