import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { oneOf, reason, severity } from './schema-words.ts';

export const signatureSchema = z
  .strictObject({
    breaking: z.enum(['forbid', 'allow']).optional().meta({
      description:
        'Whether inputs and outputs may change so that callers of the baseline break: one is gone, renamed, of another type or size. Counts from the base branch.',
      default: policyDefaults.signature.breaking,
    }),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({
    description: "What the model takes and gives, against the baseline. Held to also where the policy doesn't name it.",
    ...oneOf('breaking', 'severity'),
  });
export type SignaturePolicy = z.infer<typeof signatureSchema>;
