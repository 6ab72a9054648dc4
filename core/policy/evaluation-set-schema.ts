import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { path } from './schema-words.ts';
import { shortName, sliceSchema } from './slice-schema.ts';

/** Further sets of rows, each with bounds of its own; `gates` are those of `gates` that are measured on rows. */
export const evaluationSetsSchema = <RowGates extends z.ZodType>(gates: RowGates) =>
  z
    .array(
      z
        .strictObject({
          name: shortName('What reports and the ids of its checks call it: edge, recent.'),
          source: path,
          gates,
          slices: z
            .array(sliceSchema)
            .min(1)
            .optional()
            .describe('Subsets of its rows that are judged by themselves too.'),
          min_rows: z.int().min(1).optional().meta({
            description: 'Its slices with fewer rows are listed as skipped.',
            default: policyDefaults.min_rows,
          }),
        })
        .describe('A set of rows with bounds of its own. Target, positive class and features are those of evaluation.'),
    )
    .min(1)
    .max(20)
    .describe('Further sets of rows, each with bounds of its own: edge cases, recent production data.');
