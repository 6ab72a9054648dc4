import { z } from 'zod';
import { duration, email } from './schema-words.ts';

export const monitoringSchema = z.strictObject({
  emails: z.array(email).min(1).optional().describe('Who is woken. Every address has to confirm once.'),
  availability: z
    .number()
    .gt(0.5, { error: 'a share such as 0.999' })
    .lt(1, { error: 'a share such as 0.999' })
    .optional()
    .describe('The share of requests that users were promised. Without it 0.999.'),
  latency: z
    .strictObject({
      objective: z.number().gt(0.5).lt(1).describe('The share of requests that is as quick: 0.99.'),
      threshold: duration.describe('How quick.'),
    })
    .optional()
    .describe('Without it 99 % within 250ms.'),
});

export type MonitoringConfig = z.infer<typeof monitoringSchema>;
