import * as z from 'zod';
import { duration, milliseconds } from './schema-words.ts';

// What `canary` says of AWS and Datadog.

/** Words that SageMaker takes as names. */
const awsName = z
  .string()
  .regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/, { error: 'up to 63 letters, digits and hyphens, as AWS has it' })
  .meta({ id: 'awsName', description: 'A name as SageMaker has it: letters, digits and hyphens.' });
const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, { error: 'a region such as eu-west-1' })
  .meta({ id: 'awsRegion', description: 'An AWS region.' });
const ownRegion = region.optional().describe('Where it is; AWS_REGION when not given.');
const alarm = z
  .string()
  .regex(/^(?!\s*$).{1,255}$/, { error: "an alarm's name" })
  .describe("An alarm's name.");

/** The entry `sagemaker` of `canary.traffic`. */
export const sagemakerTraffic = z
  .strictObject({
    provider: z.literal('sagemaker').describe('An endpoint of SageMaker. Credentials are those of the environment.'),
    mode: z
      .enum(['variant-weights', 'guardrails'])
      .describe(
        'variant-weights: Sluice moves weights between two production variants. guardrails: SageMaker moves the traffic to a new endpoint configuration; Sluice starts it, watches, and calls it back.',
      ),
    region: ownRegion,
    endpoint: awsName.describe('Its name.'),
    baseline: awsName.describe('The production variant (guardrails: the endpoint configuration) that serves now.'),
    canary: awsName.describe('The production variant (guardrails: the endpoint configuration) to try.'),
    deployment: z
      .strictObject({
        kind: z.enum(['canary', 'linear']).describe('canary: a first part, then all. linear: part after part.'),
        size: z
          .int({ error: 'a whole percent from 1 to 50' })
          .min(1, { error: 'a whole percent from 1 to 50' })
          .max(50, { error: 'a whole percent from 1 to 50' })
          .describe("Percent of the new fleet's capacity in the first step (linear: in each, at least 10)."),
        bake: duration.describe('How long SageMaker watches its alarms at each step; 1h at most.'),
        termination_wait: duration.optional().describe('How long the old fleet stays after the last step; 1h at most.'),
        max_time: duration.optional().describe('All of the deployment, from 10m to 8h; then SageMaker rolls back.'),
        alarms: z
          .array(alarm)
          .min(1)
          .max(10)
          .describe('Alarms of CloudWatch that exist: one in ALARM, and SageMaker rolls back.'),
        abort_alarm: alarm
          .optional()
          .describe('One of them that Sluice may set: by it a deployment that is on is called back at once.'),
        instances: z
          .enum(['current', 'configuration'])
          .optional()
          .describe(
            'How many instances the new fleet has: as many as serve now (the default), or what its configuration says, which knows nothing of autoscaling.',
          ),
      })
      .optional()
      .describe('guardrails: how SageMaker shifts the traffic.'),
  })
  .describe('Amazon SageMaker.');

/** Of the source `prometheus`. */
export const sigv4 = z
  .strictObject({
    region: region.describe("The workspace's."),
    service: z.literal('aps').describe('Amazon Managed Service for Prometheus.'),
  })
  .describe('Requests are signed with the credentials of the environment (Signature Version 4).');

const edges = z
  .array(milliseconds)
  .min(1)
  .max(20)
  .optional()
  .describe(
    'The edges of the latency histogram, in milliseconds, rising. Have the SLO (analysis.latency.slo_ms) among them.',
  );

const fleet = z
  .strictObject({
    variant: awsName.optional().describe('The production variant; the one that canary.traffic names when not given.'),
    endpoint_config: awsName
      .optional()
      .describe('The endpoint configuration, by which both fleets of a guarded deployment are told apart.'),
  })
  .describe("Which of the endpoint's metrics are this arm's.");

/** The entry `cloudwatch` of `canary.metrics`. */
export const cloudwatchMetrics = z
  .strictObject({
    source: z.literal('cloudwatch').describe("SageMaker's own metrics, by the minute."),
    region: ownRegion,
    endpoint: awsName.optional().describe("The endpoint's name; the one that canary.traffic names when not given."),
    baseline: fleet.optional(),
    canary: fleet.optional(),
    latency_edges_ms: edges,
  })
  .describe('Amazon CloudWatch, namespace AWS/SageMaker.');

const metric = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.]{0,199}$/, { error: "a metric's name as Datadog has it" })
  .describe("A metric's name.");
const tagged = z
  .strictObject({
    tags: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_./-]{0,199}$/, { error: "a tag's key" }),
        z.string().regex(/^[^\s,{}()"'*!\\]{1,200}$/, { error: "a tag's value, without * , { } ( ) and blanks" }),
      )
      .describe('Tags, all of which have to match.'),
  })
  .describe("Which series are this arm's.");

const datadogSites = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'datadoghq.eu',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'uk1.datadoghq.com',
  'ddog-gov.com',
  'us2.ddog-gov.com',
] as const;

/** The entry `datadog` of `canary.metrics`. */
export const datadogMetrics = z
  .strictObject({
    source: z.literal('datadog').describe('Datadog. The keys are DD_API_KEY and DD_APP_KEY of the environment.'),
    site: z.enum(datadogSites).describe('Where the organisation is.'),
    requests: metric.describe('A count of requests: trace.http.request.hits.'),
    errors: metric.describe("A count of requests that failed by the server's fault: trace.http.request.errors."),
    latency: metric
      .optional()
      .describe('A distribution of their seconds: trace.http.request. Without it latency is not judged.'),
    baseline: tagged,
    canary: tagged,
    latency_edges_ms: edges,
  })
  .describe('Counts of Datadog, by the minute.');
