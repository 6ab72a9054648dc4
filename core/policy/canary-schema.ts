import * as z from 'zod';
import { cloudwatchMetrics, datadogMetrics, sagemakerTraffic, sigv4 } from './canary-aws-schema.ts';
import { hostsTraffic, rayServeTraffic } from './canary-hosts-schema.ts';
import { policyDefaults } from './defaults.ts';
import { duration, milliseconds, name, path, share } from './schema-words.ts';

const { canary: defaults } = policyDefaults;

const percent = z
  .int({ error: 'a whole percent from 1 to 100' })
  .min(1, { error: 'a whole percent from 1 to 100' })
  .max(100, { error: 'a whole percent from 1 to 100' })
  .meta({ id: 'percent', description: 'Whole percent of the requests, from 1 to 100.' });
const address = z
  .string()
  .regex(/^https?:\/\/[^\s/@]+(\/\S*)?$/, { error: 'an address such as http://prometheus:9090, without a password' })
  .meta({ id: 'address', description: 'An http or https address. Never with a password or a token in it.' });
const labels = z.record(name, z.string()).describe("The series' own labels, all of which have to match.");
const namespace = name.describe('The namespace of the object.');
const arm = (what: string) => ({
  baseline: name.describe(`The ${what} that serves now.`),
  canary: name.describe(`The ${what} to try.`),
});

const traffic = z
  .discriminatedUnion(
    'provider',
    [
      z
        .strictObject({
          provider: z.literal('istio').describe('An http route of a VirtualService.'),
          namespace,
          virtual_service: name.describe('Its name.'),
          route: name.optional().describe("The http route's name; needed when several lead to the baseline."),
          ...arm("destination's subset (or host)"),
          destination_rule: name
            .optional()
            .describe('Where the subsets are: with it a canary without ready pods is told before traffic moves.'),
        })
        .describe('Istio 1.22 or later.'),
      z
        .strictObject({
          provider: z.literal('gateway-api').describe('A rule of an HTTPRoute.'),
          namespace,
          http_route: name.describe('Its name.'),
          rule: name.optional().describe("The rule's name; needed when several lead to the baseline."),
          ...arm('Service'),
        })
        .describe('Gateway API 1.0 or later.'),
      z
        .strictObject({
          provider: z.literal('kserve').describe('The predictor of an InferenceService.'),
          namespace,
          inference_service: name.describe('Its name.'),
          mode: z
            .enum(['knative', 'standard'])
            .describe('knative: canaryTrafficPercent between revisions. standard: spec.canary, KServe 0.20 or later.'),
          canary: name.optional().describe('standard: the entry of spec.canary; needed when there are several.'),
        })
        .describe('KServe.'),
      z
        .strictObject({
          provider: z.literal('seldon').describe('Predictors or candidates.'),
          namespace,
          kind: z
            .enum(['SeldonDeployment', 'Experiment'])
            .describe('SeldonDeployment: Seldon Core 1. Experiment: Seldon Core 2.'),
          name: name.describe('Its name.'),
          ...arm('predictor or candidate'),
        })
        .describe('Seldon Core.'),
      z
        .strictObject({
          provider: z.literal('local').describe("Sluice's own proxy."),
          state: path.describe("The folder with the proxy's state, as `sluice proxy --state` has it."),
          canary: address.optional().describe('The server to try; the one the proxy was started with when not given.'),
        })
        .describe('A proxy beside the servers, for tests and plain hosts.'),
      hostsTraffic,
      rayServeTraffic,
      sagemakerTraffic,
    ],
    { error: '"istio", "gateway-api", "kserve", "seldon", "local", "hosts", "ray-serve" or "sagemaker"' },
  )
  .describe('Who moves the traffic.');

/** Whose words the counters are in; `core/telemetry` knows what each means. */
export const servingNames = [
  'sluice',
  'triton',
  'torchserve',
  'vllm',
  'tgi',
  'kserve',
  'mlserver',
  'ray-serve',
  'istio',
  'http',
] as const;
const server = z
  .enum(servingNames)
  .describe('What the model server (or the mesh before it) calls its metrics. Open source, by name.');
const model = name.optional().describe("The model's name in the metrics, where a server has several.");
const selector = z
  .strictObject({
    version: name.optional().describe("The version in the server's own label."),
    namespace: name.optional().describe("The pods' namespace."),
    pod_prefix: name.optional().describe("How the pods' names begin."),
    labels: labels.optional(),
  })
  .describe("Which series are this arm's; all that is named has to hold.");
const scraped = z
  .strictObject({
    targets: z.array(address).min(1).max(200).describe('The /metrics of every process of this arm.'),
    version: name.optional().describe("The version in the server's own label."),
    labels: labels.optional(),
  })
  .describe('The processes of this arm.');

const series = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, { error: "a series' name, such as shadow_agreed_total" });
const mean = z
  .strictObject({
    name: name.describe('As analysis has it: agreement, or the name of a reward.'),
    sum: series.describe("The counter of the values' sum."),
    count: series.describe('The counter of how many there were.'),
    baseline: labels.optional(),
    canary: labels.optional(),
  })
  .describe('A mean that somebody exports as two counters: no server has words for it.');

const metrics = z
  .discriminatedUnion(
    'source',
    [
      z
        .strictObject({
          source: z.literal('prometheus').describe('Prometheus, or what speaks its API: Mimir, Thanos.'),
          url: address
            .optional()
            .describe('Where it is. Used without a token only; with one the address is an input (metrics-url).'),
          sigv4: sigv4.optional(),
          server,
          model,
          baseline: selector.optional().describe('By the version that canary.traffic names when not given.'),
          canary: selector.optional().describe('By the version that canary.traffic names when not given.'),
          means: z.array(mean).min(1).max(20).optional().describe('What analysis.agreement and rewards are judged by.'),
        })
        .describe('Raw counters, by PromQL that Sluice writes.'),
      z
        .strictObject({
          source: z.literal('scrape').describe('/metrics of every process, read by Sluice itself.'),
          server,
          model,
          baseline: scraped,
          canary: scraped,
        })
        .describe('Without a Prometheus.'),
      z
        .strictObject({ source: z.literal('proxy').describe('What the proxy of provider local counted.') })
        .describe('Only with provider local.'),
      cloudwatchMetrics,
      datadogMetrics,
    ],
    { error: '"prometheus", "scrape", "proxy", "cloudwatch" or "datadog"' },
  )
  .describe('Where the counters of both arms come from.');

const prelude = {
  shadow: z
    .strictObject({ percent: percent.describe('Of the requests, copied to the canary; nobody sees its answers.') })
    .optional()
    .describe('First only copies of requests.'),
  header: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,64}$/, { error: "a header's name" })
        .describe("The header's name."),
      value: z
        .string()
        .regex(/^[\x21-\x7e]{1,128}$/, { error: "a header's value without spaces" })
        .describe("The header's value."),
      min_requests: z.int().min(1).optional().meta({
        description: 'So many marked requests without harm pass this stage.',
        default: defaults.header_min_requests,
      }),
    })
    .optional()
    .describe('Then only requests that carry this header.'),
  min_step: duration.optional().meta({ description: 'A step lasts at least this long.', default: defaults.min_step }),
  max_step: duration
    .optional()
    .describe(
      'A step that has not shown the canary to be harmless by then is rolled back; the deadline when not given.',
    ),
};
const strategy = z
  .discriminatedUnion(
    'kind',
    [
      z
        .strictObject({
          kind: z.literal('steps').describe('Fixed weights.'),
          weights: z.array(percent).min(1).max(100).describe('The share of requests, step by step, rising.'),
          ...prelude,
        })
        .describe('Fixed weights, each judged before the next.'),
      z
        .strictObject({
          kind: z.literal('adaptive').describe('As fast as the evidence allows.'),
          risk: z
            .number()
            .positive({ error: 'more than 0 requests' })
            .describe('How many requests the canary may harm in expectation, over the whole rollout.'),
          start_weight: percent
            .optional()
            .meta({ description: 'The first weight, in percent.', default: defaults.start_weight }),
          max_weight: percent
            .optional()
            .meta({ description: 'The last weight before all, in percent.', default: defaults.max_weight }),
          growth: z.number().gt(1).optional().meta({
            description: 'A weight is at most so many times the one before.',
            default: defaults.growth,
          }),
          ...prelude,
        })
        .describe('The next weight is as large as the remaining risk allows.'),
    ],
    { error: '"steps" or "adaptive"' },
  )
  .describe('How the traffic is opened.');

const part = {
  share: z
    .number()
    .min(0)
    .optional()
    .describe('Its part of false_rollback beside the others; 0: it is shown and decides nothing.'),
};
const oneToNought = share.optional();
const errors = z
  .union(
    [
      z.literal(false),
      z.strictObject({
        max_ratio: z.number().positive().optional().describe("Times the baseline's errors that are no harm."),
        max_increase: oneToNought.describe('And so many more, as a share of the requests.'),
        detect_ratio: z.number().positive().optional().describe('What must be ruled out before a step passes.'),
        detect_increase: oneToNought.describe('The same as a share of the requests.'),
        ...part,
      }),
    ],
    { error: 'a mapping, or false' },
  )
  .describe('Requests that failed by the fault of the server.');
const latency = z
  .strictObject({
    slo_ms: milliseconds.describe('A request above this is slow.'),
    max_share_increase: oneToNought.describe('So many more slow requests are no harm, as a share of all.'),
    detect_share_increase: oneToNought.describe('What must be ruled out before a step passes.'),
    ...part,
  })
  .describe(
    'How many requests are slow: over the SLO, and over every other edge of the histogram from a quarter of it.',
  );
const predictions = z
  .strictObject({
    max_shift: oneToNought.describe('The total variation distance that is no harm.'),
    detect_shift: oneToNought.describe('What must be ruled out before a step passes.'),
    ...part,
  })
  .describe('How differently the two arms predict.');
const agreement = z
  .strictObject({
    min: oneToNought.describe('The share of copied requests that both arms answer alike.'),
    detect: oneToNought.describe('What must be ruled out before a step passes.'),
    ...part,
  })
  .describe('With shadow: whether both arms answer a request alike.');
const reward = z
  .strictObject({
    name: name.describe('Its name in the metrics.'),
    better: z.enum(['higher', 'lower']).optional().meta({ description: 'Which way is better.', default: 'higher' }),
    lowest: z.number().optional().describe('The smallest value there is.'),
    highest: z.number().optional().describe('The largest value there is.'),
    max_loss: z.number().min(0).optional().describe('How much worse the mean may be, in its own unit.'),
    detect_loss: z.number().min(0).optional().describe('What must be ruled out before a step passes.'),
    ...part,
  })
  .describe('A mean that should not get worse: clicks, revenue, a score.');

const chance = (what: string) =>
  z
    .number()
    .gt(0, { error: 'a chance between 0 and 1' })
    .lt(1, { error: 'a chance between 0 and 1' })
    .optional()
    .describe(what);
const analysis = z
  .strictObject({
    look_every: duration
      .optional()
      .meta({ description: 'How often both arms are looked at.', default: defaults.look_every }),
    warm_up: duration.optional().meta({
      description: "After the canary's first request nothing is judged for so long.",
      default: defaults.warm_up,
    }),
    min_requests: z.int().min(1).optional().describe('Of the canary, in each step, before it may pass.'),
    false_rollback: chance('That a canary without harm is ever rolled back, over the whole rollout. 0.01'),
    false_pass: chance('That a bound by which something is called harmless is wrong. 0.05'),
    power: chance('With which harm of the size to detect would have been shown. 0.8'),
    errors: errors.optional(),
    latency: latency.optional(),
    predictions: predictions.optional(),
    agreement: agreement.optional(),
    rewards: z.array(reward).min(1).max(20).optional().describe('Means that should not get worse.'),
  })
  .describe('What harm is. Errors are always judged, unless they are false.');

const guard = z
  .union(
    [
      z.literal(false),
      z.strictObject({
        image: name.describe('An image with the command sluice of this version, by digest where possible.'),
        service_account: name.describe('With the guard Role, in the namespace of the object.'),
        image_pull_secrets: z.array(name).min(1).optional().describe('Names of pull secrets.'),
      }),
    ],
    { error: 'a mapping, or false' },
  )
  .describe('In a cluster: the Job that restores the baseline when the lease runs out. false: none, and that is said.');

/** The policy's key `canary`. */
export const canarySchema = z
  .strictObject({
    traffic,
    metrics,
    strategy,
    analysis: analysis.optional(),
    guard: guard.optional(),
    deadline: duration.optional().meta({
      description: 'From the beginning to the promotion, waits and pauses included; then it is rolled back.',
      default: defaults.deadline,
    }),
    ready_deadline: duration.optional().meta({
      description: 'A canary that is not ready, or a data plane that does not follow, for so long is rolled back.',
      default: defaults.ready_deadline,
    }),
    lease: duration.optional().meta({
      description: 'Who runs the rollout may be silent for so long; metrics that cannot be asked are the same silence.',
      default: defaults.lease,
    }),
    resume_within: duration.optional().meta({
      description: 'A rollout that stopped at a safe point is gone on with within this time, or rolled back.',
      default: defaults.resume_within,
    }),
    approval: z.enum(['none', 'environment', 'label']).optional().meta({
      description:
        'Who agrees before all traffic goes to the canary. label: whoever puts a label on the pull request. environment: a job that a GitHub environment protects, by the command approve. That command counts for both.',
      default: defaults.approval,
    }),
    approval_label: name
      .optional()
      .meta({ description: 'approval label: the label that is waited for.', default: defaults.approval_label }),
    ab_report: path
      .optional()
      .describe('The report.json of the A/B evaluation: it must have passed, for this model, or nothing moves.'),
  })
  .describe('How a new version gets its traffic (`sluice canary run`).');

export type CanaryPolicy = z.infer<typeof canarySchema>;
export type CanaryTraffic = CanaryPolicy['traffic'];
export type CanaryMetrics = CanaryPolicy['metrics'];
