import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { columnList, named, oneOf } from './schema-words.ts';

const { explain: defaults } = policyDefaults;
const cost = z.number().positive({ error: 'a number over 0' });

const importance = z
  .strictObject({
    repeats: z.int().min(1).max(100).optional().meta({
      description: 'How often each feature is shuffled.',
      default: defaults.repeats,
    }),
    rows: z.int().min(10).max(100_000).optional().meta({
      description: 'At most so many rows are looked at, drawn by the digest of the file.',
      default: defaults.rows,
    }),
    groups: named(columnList)
      .optional()
      .describe('Features that are shuffled together: { address: [city, postcode] }.'),
  })
  .describe('Permutation importance of the features, with intervals.');

/** The policy's key `explain`: what reports say beyond the checks. It decides nothing. */
export const explainSchema = z
  .strictObject({
    importance: z
      .union([z.boolean(), importance], { error: 'true, false or a mapping such as { repeats: 10 }' })
      .optional()
      .describe('How much worse the first metric of gates becomes when a feature is shuffled.'),
    threshold: z
      .union(
        [
          z.enum(['f1', 'balanced_accuracy', 'accuracy']),
          z.strictObject({
            false_positive: cost.describe('What predicting the positive class wrongly costs.'),
            false_negative: cost.describe('What missing the positive class costs.'),
          }),
        ],
        { error: 'f1, balanced_accuracy, accuracy or { false_positive: 1, false_negative: 5 }' },
      )
      .optional()
      .describe('Of two classes: which threshold would be best by this, and what of its gain is chance.'),
  })
  .meta({ description: 'What the report explains beyond the checks.', ...oneOf('importance', 'threshold') });

export type ExplainPolicy = z.infer<typeof explainSchema>;
