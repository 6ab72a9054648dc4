import { z } from 'zod';
import { duration, image, instanceType, matching, whole } from './schema-words.ts';

const endpoint = z
  .strictObject({
    image: image.describe('A Triton image: a tag or digest in the own registry, or the whole address of one in ECR.'),
    model: matching(/^[^/\s*?][^\s*?]*(\/|\.tar\.gz)$/, 'a folder such as churn/7/, or churn/7/model.tar.gz').describe(
      'Where the bucket of models has it. Each release has a key of its own: another one here is a deployment.',
    ),
    default_model: z
      .string()
      .min(1)
      .optional()
      .describe("Which folder of the model repository answers. Without it the endpoint's name."),
    instance_type: instanceType.describe('ml.c7i.xlarge.'),
    instances: whole(1, 'instances').optional().describe('To begin with, or for good without scaling. Without it 2.'),
    scaling: z
      .strictObject({
        min: whole(1, 'instances').describe('Never fewer.'),
        max: whole(1, 'instances').describe('Never more.'),
        invocations_per_instance: whole(1, 'requests a minute')
          .optional()
          .describe('Requests a minute that one instance takes well: more add one.'),
        concurrency_per_instance: whole(1, 'requests')
          .optional()
          .describe('Requests at once that one instance takes well: more add one.'),
      })
      .optional()
      .describe('By what instances come and go. Without it their number stays.'),
    deployment: z
      .strictObject({
        kind: z.enum(['canary', 'linear', 'all-at-once']).describe('How the traffic comes to a new model.'),
        percent: whole(1, 'percent')
          .max(50, { error: 'percent, at most 50' })
          .optional()
          .describe('Of the first step, or of each. Without it 10.'),
        bake: duration.optional().describe('How long alarms are watched at each step. Without it 10m.'),
      })
      .optional()
      .describe('How a new model comes to serve. Without it all traffic at once, then ten minutes of alarms.'),
    p99_latency: duration
      .optional()
      .describe('What 99 % of the requests take at most; a deployment is taken back above it.'),
    capture_percent: whole(1, 'percent')
      .max(100, { error: 'percent, at most 100' })
      .optional()
      .describe('The share of requests that is kept for detect-drift, below captured/ in the bucket of models.'),
  })
  .meta({ id: 'endpoint', description: 'A model that answers requests.' });

export const servingSchema = z
  .record(matching(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/, 'a name of letters, digits and hyphens, at most 63'), endpoint)
  .refine((all) => Object.keys(all).length > 0, { error: 'at least one endpoint' })
  .meta({ minProperties: 1, description: 'Endpoints by their names. Only once their models are in the bucket.' });

export type EndpointConfig = z.infer<typeof endpoint>;
