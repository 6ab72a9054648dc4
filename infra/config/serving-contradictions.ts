import { sageMakerProblem } from '../../constructs/aws/index.ts';
import type { Problem } from '../../core/problem/index.ts';
import type { PlaceBelow } from './place-below.ts';
import { type ServedVariant, servedVariants, shadowOf } from './served-variants.ts';
import type { EndpointConfig } from './serving-schema.ts';

/** What is wrong with an endpoint whose every value is right by itself. */
export function servingContradictions(name: string, config: EndpointConfig, at: PlaceBelow): readonly Problem[] {
  const served = servedVariants(name, config);
  const shadow = shadowOf(name, config);
  const all = shadow === undefined ? served : [...served, shadow];
  return [
    ...excluded(config, at),
    ...(config.serverless === undefined ? all.flatMap((one) => unserved(one, at)) : serverlessProblems(config, at)),
    ...variantProblems(config, at),
    ...(shadow === undefined ? [] : needlessShadow(shadow, served, at)),
    ...[...new Map(served.map((one) => [one.scaling, one])).values()].flatMap((one) =>
      scalingProblems(config, one, at),
    ),
    ...fleetProblems(config, served, at),
    ...qualityProblems(config, at),
  ];
}

type EndpointKey = keyof EndpointConfig;

interface Exclusion {
  readonly of: EndpointKey;
  readonly called: string;
  readonly others: Readonly<Partial<Record<EndpointKey, string>>>;
}

/** What SageMaker does not do together. https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html, async-inference.html, shadow-tests.html */
const exclusions: readonly Exclusion[] = [
  {
    of: 'serverless',
    called: 'a serverless endpoint',
    others: {
      instance_type: 'has no instances, and no GPU or other accelerator',
      instances: 'has no instances',
      scaling: 'scales by itself, up to max_concurrency',
      asynchronous: 'answers at once',
      variants: 'has one model',
      weights: 'has one model',
      shadow: 'has no shadow',
      deployment: 'has no guarded deployments: all traffic shifts at once',
      p99_latency: 'has no guarded deployments, which alone this alarm is for',
      model_quality: 'has no guarded deployments, which alone this alarm is for',
      capture_percent: 'keeps no requests',
      in_network: 'stands in no network',
    },
  },
  {
    of: 'asynchronous',
    called: 'an asynchronous endpoint',
    others: { variants: 'has one model', weights: 'has one model', shadow: 'has no shadow' },
  },
  {
    of: 'variants',
    called: 'an endpoint with variants',
    others: { model: 'has a model for each of them', shadow: 'has no shadow beside them' },
  },
];

function excluded(config: EndpointConfig, at: PlaceBelow): readonly Problem[] {
  return exclusions
    .filter(({ of }) => config[of] !== undefined)
    .flatMap(({ of, called, others }) =>
      Object.entries(others)
        .filter(([key]) => config[key as EndpointKey] !== undefined && config[key as EndpointKey] !== false)
        .map(([key, why]) => ({
          code: `${of}-excludes`,
          message: `${called} ${why}`,
          place: at(key),
          found: `${of} and ${key}`,
          fix: `Leave ${key} out, or ${of}.`,
        })),
    );
}

/** What a model lacks that instances serve. */
function unserved({ path, image, model, instanceType }: ServedVariant, at: PlaceBelow): readonly Problem[] {
  const whose = path.length === 0 ? 'the endpoint' : path.join('.');
  const missing = (key: string, is: string, fix: string): Problem => ({
    code: 'missing-key',
    message: `${whose} has no ${key}, so ${is}`,
    place: at(...path),
    fix,
  });
  const unknown = instanceType === undefined ? undefined : sageMakerProblem('instance_type', instanceType, 'hosting');
  return [
    ...(image === undefined
      ? [missing('image', 'there is nothing that would answer', 'Add image, of a Triton server.')]
      : []),
    ...(model === undefined
      ? [missing('model', 'there is nothing to answer with', 'Add model, such as churn/7/, or variants with one each.')]
      : []),
    ...(instanceType === undefined
      ? [
          missing(
            'instance_type',
            'there is nothing to run it on',
            'Add instance_type, such as ml.m5.xlarge, or serverless: { memory_mb: 2048, max_concurrency: 10 }.',
          ),
        ]
      : []),
    ...(unknown === undefined ? [] : [{ ...unknown, place: at(...path, 'instance_type') }]),
  ];
}

function serverlessProblems({ image, model, serverless }: EndpointConfig, at: PlaceBelow): readonly Problem[] {
  const { provisioned_concurrency: provisioned = 0, max_concurrency: most = 0 } = serverless ?? {};
  return [
    ...unserved({ ...nothing, image, model, instanceType: 'ml.m5.xlarge' }, at),
    ...(model === undefined || model.endsWith('.tar.gz')
      ? []
      : [
          {
            code: 'serverless-needs-archive',
            message: 'a serverless endpoint takes its model as an archive only',
            place: at('model'),
            found: model,
            expected: 'a key such as churn/7/model.tar.gz',
            fix: 'Pack the files with tar -czf, and publish the archive.',
          },
        ]),
    ...(provisioned <= most
      ? []
      : [
          {
            code: 'provisioned-above-max',
            message: 'provisioned_concurrency is above max_concurrency, of which it is a part',
            place: at('serverless', 'provisioned_concurrency'),
            found: `${provisioned} of ${most}`,
            fix: 'Lower it, or raise max_concurrency.',
          },
        ]),
  ];
}

const nothing: ServedVariant = {
  name: undefined,
  path: [],
  image: undefined,
  model: undefined,
  defaultModel: '',
  instanceType: undefined,
  instances: undefined,
  scaling: undefined,
  weight: undefined,
};

function variantProblems({ variants, weights }: EndpointConfig, at: PlaceBelow): readonly Problem[] {
  if (variants === undefined) {
    return weights === undefined
      ? []
      : [
          {
            code: 'weights-without-variants',
            message: 'weights says what becomes of the weights of variants, and there are none',
            place: at('weights'),
            fix: 'Add variants, or leave weights out.',
          },
        ];
  }
  if (Object.values(variants).some(({ weight = 1 }) => weight > 0)) return [];
  return [
    {
      code: 'weights-all-zero',
      message: 'every variant has weight 0, so none would get a request',
      place: at('variants'),
      fix: 'Give one of them weight 1.',
    },
  ];
}

/** A shadow is there to see how another model, image or instance answers the same requests. */
function needlessShadow(shadow: ServedVariant, [live]: readonly ServedVariant[], at: PlaceBelow): readonly Problem[] {
  const same =
    live !== undefined &&
    shadow.model === live.model &&
    shadow.image === live.image &&
    shadow.defaultModel === live.defaultModel &&
    shadow.instanceType === live.instanceType;
  if (!same) return [];
  return [
    {
      code: 'shadow-of-itself',
      message:
        'the shadow is the very model that serves, by the same image on the same instances: nothing would be learnt',
      place: at('shadow', 'model'),
      found: shadow.model ?? '',
      fix: 'Name the model that is to be tried, such as churn/8/.',
    },
  ];
}

function scalingProblems(
  config: EndpointConfig,
  { path, scaling, instances }: ServedVariant,
  at: PlaceBelow,
): readonly Problem[] {
  if (scaling === undefined || config.serverless !== undefined) return [];
  const own = path.length > 0 && config.variants?.[path[1] ?? '']?.scaling !== undefined;
  const place = (key?: string) => at(...(own ? path : []), 'scaling', ...(key === undefined ? [] : [key]));
  const queued = config.asynchronous !== undefined;
  const { min, max } = scaling;
  const targets = {
    invocations_per_instance: scaling.invocations_per_instance,
    concurrency_per_instance: scaling.concurrency_per_instance,
    gpu_utilization: scaling.gpu_utilization,
    backlog_per_instance: scaling.backlog_per_instance,
  };
  const taken = queued
    ? ['gpu_utilization', 'backlog_per_instance']
    : ['invocations_per_instance', 'concurrency_per_instance', 'gpu_utilization'];
  const given = Object.entries(targets).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  const which = queued ? 'an asynchronous endpoint' : 'an endpoint that answers at once';
  return [
    ...(min <= max
      ? []
      : [
          {
            code: 'min-above-max',
            message: 'scaling.min is above scaling.max',
            place: place('max'),
            found: `${min} and ${max}`,
            fix: 'Swap them.',
          },
        ]),
    ...(min > 0 || queued
      ? []
      : [
          {
            code: 'scale-to-none',
            message: 'scaling.min is 0, and only an asynchronous endpoint goes down to no instances',
            place: place('min'),
            found: '0',
            fix: 'Raise it to 1, or make the endpoint asynchronous or serverless.',
          },
        ]),
    ...(instances === undefined || instances <= max
      ? []
      : [
          {
            code: 'instances-above-max',
            message: 'there are more instances to begin with than scaling.max',
            place: place('max'),
            found: `${instances} instances and at most ${max}`,
            fix: 'Raise scaling.max, or lower instances.',
          },
        ]),
    ...(given.length > 0
      ? []
      : [
          {
            code: 'scaling-without-target',
            message: 'scaling says by nothing when instances are to come and go',
            place: place(),
            expected: taken.join(' or '),
            fix: queued ? 'Add backlog_per_instance, such as 5.' : 'Add invocations_per_instance, such as 1000.',
          },
        ]),
    ...given
      .filter((key) => !taken.includes(key))
      .map((key) => ({
        code: 'foreign-scaling-target',
        message: `${which} has no metric for ${key}`,
        place: place(key),
        found: key,
        expected: taken.join(' or '),
        fix: 'Scale by one of those.',
      })),
  ];
}

/** A deployment by steps needs a fleet that has parts. */
function fleetProblems(config: EndpointConfig, served: readonly ServedVariant[], at: PlaceBelow): readonly Problem[] {
  const kind = config.deployment?.kind ?? 'all-at-once';
  if (kind === 'all-at-once' || config.serverless !== undefined) return [];
  const usual = config.asynchronous === undefined ? 2 : 1;
  const fewest = ({ instances, scaling }: ServedVariant): number =>
    Math.min(instances ?? Math.max(usual, scaling?.min ?? 1), scaling?.min ?? Number.POSITIVE_INFINITY);
  return served
    .filter((one) => fewest(one) < 2)
    .map((one) => ({
      code: 'fleet-too-small',
      message: `deployment is ${kind}, and ${one.path.length === 0 ? 'the endpoint' : one.path.join('.')} may have one instance, of which there is no part`,
      place: at('deployment', 'kind'),
      found: `${fewest(one)} at the fewest`,
      expected: 'at least 2 instances, scaling.min too',
      fix: 'Raise instances and scaling.min to 2, or use all-at-once.',
    }));
}

function qualityProblems({ model_quality: quality }: EndpointConfig, at: PlaceBelow): readonly Problem[] {
  if (quality === undefined) return [];
  const { measure, min, max, feature, model_version: version } = quality;
  const ofFeature = measure !== 'accuracy';
  const problems: Problem[] = [];
  if (min === undefined && max === undefined) {
    problems.push({
      code: 'quality-without-bound',
      message: 'model_quality has neither min nor max, so no alarm would ever ring',
      place: at('model_quality'),
      fix: ofFeature ? 'Add max, such as 0.2.' : 'Add min, such as 0.9.',
    });
  }
  if (min !== undefined && max !== undefined && min >= max) {
    problems.push({
      code: 'min-above-max',
      message: 'model_quality.min is not below model_quality.max, so one alarm would always ring',
      place: at('model_quality', 'max'),
      found: `${min} and ${max}`,
      fix: 'Swap them, or leave one out.',
    });
  }
  for (const [key, value] of Object.entries({ feature, model_version: version })) {
    if (ofFeature === (value !== undefined)) continue;
    problems.push({
      code: 'quality-dimensions',
      message: ofFeature
        ? `${measure} is told of one feature of one version`
        : 'accuracy is told of a model, whatever its version',
      place: ofFeature ? at('model_quality') : at('model_quality', key),
      found: ofFeature ? `no ${key}` : key,
      fix: ofFeature ? `Add ${key}.` : `Leave ${key} out.`,
    });
  }
  return problems;
}
