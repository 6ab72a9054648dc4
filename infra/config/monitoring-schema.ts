import { z } from 'zod';
import { servingProfileNames } from '../../core/telemetry/index.ts';
import { duration, email, matching } from './schema-words.ts';

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
  prometheus: z
    .record(
      matching(/^[a-z](-?[a-z0-9]){0,29}$/, 'a name of small letters, digits and hyphens'),
      z.strictObject({
        profile: z.enum(servingProfileNames).describe('What serves it, and so what its metrics are called.'),
        namespace: z.string().min(1).optional().describe('Of Kubernetes. Without it every one.'),
      }),
    )
    .refine((all) => Object.keys(all).length > 0, { error: 'at least one model' })
    .optional()
    .describe('A workspace of Managed Prometheus with the rules of these models, which run in Kubernetes.'),
  grafana: z
    .boolean()
    .optional()
    .describe('A workspace of Managed Grafana that asks that Prometheus, with the dashboards of these models.'),
});

export type MonitoringConfig = z.infer<typeof monitoringSchema>;
