import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { name } from './schema-words.ts';

const gapWords = 'a number over 0, or a percentage such as "20%"';

/** The search for weak slices that nobody declared. */
export const weakSliceSchema = z
  .union(
    [
      z.literal('off'),
      z.strictObject({
        columns: z
          .array(name)
          .min(1)
          .optional()
          .describe('The columns to look at; features and ignored ones when not given.'),
        min_rows: z
          .int()
          .min(1)
          .optional()
          .describe('The least rows of a slice; when not given 1 of 100 rows, at least 30.'),
        min_gap: z
          .union([z.number().positive(), z.string({ error: gapWords }).regex(/^\d+(\.\d+)?%$/, { error: gapWords })], {
            error: gapWords,
          })
          .optional()
          .meta({
            description:
              'How much worse than on all rows the model must be there: in the metric\'s unit, or a share of its value on all rows ("20%"). Without it 0.05 of accuracy, 20% of a mean absolute error.',
          }),
        most: z
          .int()
          .min(1)
          .max(20)
          .optional()
          .meta({ description: 'The most slices to tell of.', default: policyDefaults.weak_slices.most }),
      }),
    ],
    { error: '"off", or a mapping such as { columns: [country, age], min_gap: 0.1 }' },
  )
  .meta({
    description:
      'The search for slices that the model is weak on and nobody declared. With a mapping ({} too) it warns of them; when not given the report shows them; off: no search. It never fails.',
  });

export type WeakSlicePolicy = z.infer<typeof weakSliceSchema>;
