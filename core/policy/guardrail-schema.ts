import * as z from 'zod';
import { mostly, name, oneOf, reason, severity } from './schema-words.ts';

/** What an output's values must keep to: of served answers, of evaluation rows and of what a policy does in its episodes. */
export const guardrailSchema = z
  .strictObject({
    output: name.describe('The output that is held.'),
    element: z
      .union([z.int().min(0), name], { error: 'a number from 0, or the name of a class' })
      .optional()
      .describe(
        'Only this value of each row: its position from 0, or a name out of model.classes. All of them when not given.',
      ),
    min: z.number().optional().describe('No value below this.'),
    max: z.number().optional().describe('No value above this.'),
    values: z
      .array(z.union([z.string(), z.number()], { error: 'text or a number' }))
      .min(1)
      .optional()
      .describe('Every value the output may take.'),
    finite: z.literal(true).optional().describe('No NaN and no infinity.'),
    mostly: mostly.optional(),
    severity: severity.optional(),
    reason: reason.optional(),
  })
  .meta({
    id: 'guardrail',
    description: 'What every value of an output must keep to.',
    ...oneOf('min', 'max', 'values', 'finite'),
  });

export type Guardrail = z.infer<typeof guardrailSchema>;
