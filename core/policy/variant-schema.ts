import * as z from 'zod';
import { oneOf, path, reason, severity, share } from './schema-words.ts';

const ratio = z.number().positive({ error: 'more than 0' });

/** `metrics` is what bounds each metric that Sluice knows by name. */
export const variantsSchema = <Metrics extends z.ZodType>(metrics: Metrics) =>
  z
    .array(
      z
        .strictObject({
          name: z
            .string()
            .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$/, { error: 'letters, digits, _, - and ., at most 60' })
            .describe('What reports call it: int8, fp16, student.'),
          path,
          metrics: metrics
            .optional()
            .describe('What is demanded of its metrics; changes are against the model, on the same rows.'),
          min_agreement: share
            .optional()
            .describe('The smallest share of rows on which it says the same class as the model.'),
          max_size_ratio: ratio.optional().describe("Its bytes as a share of the model's: 0.3 is under a third."),
          max_latency_ratio: ratio
            .optional()
            .describe("How long a call takes as a share of the model's, measured side by side: 0.8 is a fifth faster."),
          severity: severity.optional(),
          reason: reason.optional(),
        })
        .meta({
          id: 'variant',
          description: 'Another file of the same model: quantized, pruned, distilled.',
          ...oneOf('metrics', 'min_agreement', 'max_size_ratio', 'max_latency_ratio'),
        }),
    )
    .min(1)
    .max(20);
