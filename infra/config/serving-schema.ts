import { z } from 'zod';
import { arn, duration, folderBelow, image, instanceType, matching, percent, whole } from './schema-words.ts';

const modelKey = matching(/^[^/\s*?][^\s*?]*(\/|\.tar\.gz)$/, 'a folder such as churn/7/, or churn/7/model.tar.gz');
const sageMakerName = matching(
  /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/,
  'a name of letters, digits and hyphens, at most 63',
);

const scaling = z.strictObject({
  min: whole(0, 'instances').describe('Never fewer. 0 of an asynchronous endpoint only.'),
  max: whole(1, 'instances').describe('Never more.'),
  invocations_per_instance: whole(1, 'requests a minute')
    .optional()
    .describe('Requests a minute that one instance takes well: more add one.'),
  concurrency_per_instance: whole(1, 'requests')
    .optional()
    .describe('Requests at once that one instance takes well: more add one.'),
  gpu_utilization: percent.optional().describe('Percent of the GPUs that may be busy: more add an instance.'),
  backlog_per_instance: whole(1, 'requests')
    .optional()
    .describe('Requests that may wait for each instance of an asynchronous endpoint: more add one.'),
});

const imageWords = 'A Triton image: a tag or digest in the own registry, or the whole address of one in ECR.' as const;
const modelWords = 'Where the bucket of models has it. Each release has a key of its own.' as const;

/** What a variant or a shadow has of its own; what it leaves out is the endpoint's. */
const ownOfVariant = {
  model: modelKey.describe(modelWords),
  image: image.optional().describe(`${imageWords} Without it the endpoint's.`),
  default_model: z.string().min(1).optional().describe("Without it the endpoint's."),
  instance_type: instanceType.optional().describe("Without it the endpoint's."),
  instances: whole(1, 'instances').optional().describe("Without it the endpoint's."),
};

const variant = z
  .strictObject({
    ...ownOfVariant,
    weight: z
      .number({ error: 'a part of the requests, at least 0' })
      .min(0, { error: 'a part of the requests, at least 0' })
      .optional()
      .describe('Its part of the requests, beside the weights of the others: 9 and 1 are 90 % and 10 %. Without it 1.'),
    scaling: scaling.optional().describe("Without it the endpoint's."),
  })
  .meta({ id: 'variant', description: 'One of several models that share the requests of an endpoint.' });

const shadow = z.strictObject({
  ...ownOfVariant,
  percent: percent.describe('The share of the requests that is copied to it.'),
});

const asynchronous = z.strictObject({
  input: folderBelow.describe('Where requests are put: what InvokeEndpointAsync names has to be below it.'),
  output: folderBelow.describe('Where answers go.'),
  failures: folderBelow.optional().describe('Where it is told why a request failed. Without it nowhere.'),
  data_key: arn('kms', 'arn:aws:kms:region:account:key/id')
    .optional()
    .describe('The key of these buckets, where they are encrypted by one of yours.'),
  concurrency_per_instance: whole(1, 'requests')
    .max(1000, { error: 'requests, at most 1000' })
    .optional()
    .describe("How many requests an instance has on its hands. Without it SageMaker's choice."),
});

const serverless = z.strictObject({
  memory_mb: z
    .literal([1024, 2048, 3072, 4096, 5120, 6144], { error: '1024, 2048, 3072, 4096, 5120 or 6144' })
    .describe('Memory of a container; processors come with it.'),
  max_concurrency: whole(1, 'requests')
    .max(200, { error: 'requests, at most 200' })
    .describe('How many requests at once. More are refused.'),
  provisioned_concurrency: whole(1, 'requests')
    .optional()
    .describe('Of them so many that never wait for a container, and that are paid for all the time. Without it none.'),
});

const modelQuality = z.strictObject({
  measure: z
    .enum(['accuracy', 'feature_psi', 'feature_kl'])
    .describe('What a job tells CloudWatch of the model, in the namespace Sluice/Models, while it serves.'),
  min: z.number().optional().describe('A deployment is taken back below.'),
  max: z.number().optional().describe('A deployment is taken back above.'),
  model_name: z
    .string()
    .min(1)
    .optional()
    .describe("The dimension model_name of what is told. Without it the endpoint's name."),
  model_version: z
    .string({ error: 'text, in quotes where it is a number' })
    .min(1)
    .optional()
    .describe('The dimension model_version; of features only.'),
  feature: z.string().min(1).optional().describe('The dimension feature; of features only.'),
});

const endpoint = z
  .strictObject({
    image: image.optional().describe(imageWords),
    model: modelKey.optional().describe(`${modelWords} Another one here is a deployment. Or variants.`),
    default_model: z
      .string()
      .min(1)
      .optional()
      .describe("Which folder of the model repository answers. Without it the endpoint's name."),
    instance_type: instanceType.optional().describe('ml.c7i.xlarge. Or serverless.'),
    instances: whole(1, 'instances')
      .optional()
      .describe('To begin with, or for good without scaling. Without it 2, or 1 of an asynchronous endpoint.'),
    scaling: scaling.optional().describe('By what instances come and go. Without it their number stays.'),
    variants: z
      .record(sageMakerName, variant)
      .refine((all) => Object.keys(all).length > 1, { error: 'at least two variants' })
      .optional()
      .describe('Several models by the names of their variants, which share the requests by their weights.'),
    weights: z
      .enum(['declared', 'kept'])
      .optional()
      .describe(
        'kept: a deployment leaves the weights where sluice canary has moved them. Without it declared: it sets them back.',
      ),
    shadow: shadow.optional().describe('A model that gets copies of requests and whose answers nobody sees.'),
    asynchronous: asynchronous
      .optional()
      .describe('Requests are put on S3 and answered there, when an instance is free; up to 1 GB and an hour each.'),
    serverless: serverless
      .optional()
      .describe('Without instances: SageMaker starts containers as requests come. The model is an archive.'),
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
    model_quality: modelQuality
      .optional()
      .describe('What is measured of the model while it serves; a deployment is taken back beyond it.'),
    capture_percent: percent
      .optional()
      .describe('The share of requests that is kept for detect-drift, below captured/ in the bucket of models.'),
    in_network: z
      .boolean()
      .optional()
      .describe("Whether its instances stand in the environment's network. Without it false."),
  })
  .meta({ id: 'endpoint', description: 'A model that answers requests.' });

export const servingSchema = z
  .record(sageMakerName, endpoint)
  .refine((all) => Object.keys(all).length > 0, { error: 'at least one endpoint' })
  .meta({ minProperties: 1, description: 'Endpoints by their names. Only once their models are in the bucket.' });

export type EndpointConfig = z.infer<typeof endpoint>;
export type ScalingConfig = z.infer<typeof scaling>;
