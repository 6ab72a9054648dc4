import { Duration } from 'aws-cdk-lib';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import type { ConstructProblem } from '../../problem/index.ts';
import { sageMakerInstance } from '../accelerators.ts';
import { type EndpointKind, type EndpointVariant, fewestInstances, variantName } from './endpoint-variant.ts';

/**
 * How a new endpoint configuration comes to serve. SageMaker makes a second fleet, or exchanges instances by batches, and goes back by itself when an
 * alarm is on. https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
 */
export interface EndpointDeployment {
  /**
   * `canary`: a first part, then all. `linear`: part after part. `rolling`: instances exchanged by batches, without a second fleet; of one variant
   * only. `all-at-once`: all, and then the alarms are watched for `bake`.
   */
  readonly kind: 'canary' | 'linear' | 'rolling' | 'all-at-once';
  /**
   * Percent of the fleet in the first step (linear: in each, from 10; rolling: in each batch, from 5). At most 50. SageMaker rounds up to whole
   * instances. @default 10
   */
  readonly percent?: number;
  /** The same in instances, instead of `percent`. At most half of them. */
  readonly instances?: number;
  /** How long the alarms are watched at each step: at most 1 hour, and longer than an alarm takes to ring. @default 10 minutes */
  readonly bake?: Duration;
  /** How long the old fleet stays when all traffic has left it: at most 1 hour. @default none */
  readonly terminationWait?: Duration;
  /** All of it, from 10 minutes to 8 hours; then SageMaker goes back. @default what the steps take, twice, and half an hour for the fleet to start */
  readonly maxTime?: Duration;
}

const defaultBake = Duration.minutes(10);

function size({ instances, percent = 10 }: EndpointDeployment): CfnEndpoint.CapacitySizeProperty {
  return instances === undefined
    ? { type: 'CAPACITY_PERCENT', value: percent }
    : { type: 'INSTANCE_COUNT', value: instances };
}

/** Steps at whose end alarms are looked at. */
function steps({ kind, instances, percent = 10 }: EndpointDeployment, fewest: number): number {
  if (kind === 'all-at-once') return 1;
  if (kind === 'canary') return 2;
  return Math.ceil(instances === undefined ? 100 / percent : fewest / instances);
}

/** Seconds. */
function stepTime(deployment: EndpointDeployment, fewest: number): number {
  const { bake = defaultBake, terminationWait = Duration.seconds(0) } = deployment;
  return steps(deployment, fewest) * bake.toSeconds() + terminationWait.toSeconds();
}

/** As CloudFormation has it. `fewest`: instances of the smallest variant. */
export function deploymentConfig(
  deployment: EndpointDeployment,
  alarmNames: readonly string[],
  fewest: number,
): CfnEndpoint.DeploymentConfigProperty {
  const { kind, bake = defaultBake, terminationWait, maxTime } = deployment;
  const waitIntervalInSeconds = bake.toSeconds();
  const usual = Math.min(28_800, Math.max(600, 2 * stepTime(deployment, fewest) + 1800));
  const maximumExecutionTimeoutInSeconds = maxTime?.toSeconds() ?? usual;
  const rollback =
    alarmNames.length === 0
      ? {}
      : { autoRollbackConfiguration: { alarms: alarmNames.map((alarmName) => ({ alarmName })) } };
  if (kind === 'rolling') {
    return {
      ...rollback,
      rollingUpdatePolicy: {
        maximumBatchSize: size(deployment),
        // Back at once: what rings is worse than fewer instances for a while.
        rollbackMaximumBatchSize: { type: 'CAPACITY_PERCENT', value: 100 },
        waitIntervalInSeconds,
        maximumExecutionTimeoutInSeconds,
      },
    };
  }
  return {
    ...rollback,
    blueGreenUpdatePolicy: {
      trafficRoutingConfiguration: {
        type: kind === 'all-at-once' ? 'ALL_AT_ONCE' : kind === 'canary' ? 'CANARY' : 'LINEAR',
        waitIntervalInSeconds,
        ...(kind === 'canary' ? { canarySize: size(deployment) } : {}),
        ...(kind === 'linear' ? { linearStepSize: size(deployment) } : {}),
      },
      terminationWaitInSeconds: terminationWait?.toSeconds() ?? 0,
      maximumExecutionTimeoutInSeconds,
    },
  };
}

export interface DeploymentPlace {
  readonly kind: EndpointKind;
  readonly variants: readonly EndpointVariant[];
  readonly shadow: boolean;
  /** How many alarms would be watched. */
  readonly alarms: number;
  /** How long the slowest of them takes to ring, in seconds. */
  readonly ringsAfter: number;
}

/** What SageMaker would refuse, ignore, or do without anyone watching. */
export function deploymentProblems(
  deployment: EndpointDeployment,
  place: DeploymentPlace,
): readonly ConstructProblem[] {
  const { kind, percent = 10, instances, bake = defaultBake, terminationWait, maxTime } = deployment;
  const problems: ConstructProblem[] = [];
  const demand = (holds: boolean, problem: ConstructProblem): void => {
    if (!holds) problems.push(problem);
  };
  const fewest = Math.min(...place.variants.map((variant) => fewestInstances(variant, place.kind)));
  const guarded = kind !== 'all-at-once';
  if (place.kind === 'serverless') {
    return [
      {
        code: 'serverless-excludes',
        message: 'deployment is given for a serverless endpoint, for which SageMaker has no guardrails',
        found: kind,
        fix: 'Leave deployment out: all traffic shifts at once.',
      },
    ];
  }
  const inf1 = place.variants.filter(({ instanceType = '' }) => sageMakerInstance(instanceType)?.family === 'inf1');
  demand(!guarded || inf1.length === 0, {
    code: 'guardrails-excluded',
    message: `deployment is ${kind}, and SageMaker shifts all traffic of Inf1 instances at once, without a word`,
    found: inf1.map(variantName).join(', '),
    fix: "Use Inf2, or deployment: { kind: 'all-at-once' }.",
  });
  demand(kind !== 'rolling' || (place.variants.length === 1 && !place.shadow), {
    code: 'rolling-excluded',
    message: 'deployment is rolling, which SageMaker does for one variant only',
    found: `${place.variants.length} variants${place.shadow ? ' and a shadow' : ''}`,
    fix: 'Use canary or linear.',
  });
  demand(!guarded || place.alarms > 0, {
    code: 'no-alarms',
    message: `deployment is ${kind} and no alarm is watched, so nothing would ever take it back`,
    fix: 'Leave alarms.serverErrorShare at its default, or set alarms.p99Latency.',
  });
  if (guarded) {
    demand(fewest >= 2, {
      code: 'fleet-too-small',
      message: `deployment is ${kind} and a variant may have one instance, of which there is no part`,
      found: String(fewest),
      expected: 'at least 2 instances of each variant, scaling.min too',
      fix: "Raise instanceCount and scaling.min to 2, or use deployment: { kind: 'all-at-once' }.",
    });
    const least = kind === 'linear' ? 10 : kind === 'rolling' ? 5 : 1;
    if (instances === undefined) {
      demand(Number.isInteger(percent) && percent >= least && percent <= 50, {
        code: 'bad-step-size',
        message: `deployment.percent is no step of a ${kind} deployment`,
        found: String(percent),
        expected: `from ${least} to 50`,
        fix: 'Choose 10 for a start.',
      });
    } else {
      demand(Number.isInteger(instances) && instances >= 1 && instances <= fewest / 2, {
        code: 'bad-step-size',
        message: `deployment.instances is no step of a ${kind} deployment`,
        found: String(instances),
        expected: `from 1 to half of the instances (${Math.floor(fewest / 2)})`,
        fix: 'Lower it, or use percent.',
      });
    }
    demand(instances === undefined || deployment.percent === undefined, {
      code: 'bad-step-size',
      message: 'deployment has percent and instances',
      found: `${deployment.percent} % and ${instances}`,
      fix: 'Leave one of them out.',
    });
  }
  const seconds = bake.toSeconds();
  demand(seconds >= 0 && seconds <= 3600, {
    code: 'bad-bake',
    message: 'deployment.bake is longer than SageMaker waits',
    found: bake.toHumanString(),
    expected: 'at most 1 hour',
    fix: 'Lower it; for longer use more steps (linear), or sluice canary.',
  });
  demand(!guarded || place.alarms === 0 || seconds >= place.ringsAfter, {
    code: 'bake-shorter-than-alarm',
    message: 'deployment.bake ends before an alarm could have rung',
    found: bake.toHumanString(),
    expected: `at least ${Duration.seconds(place.ringsAfter).toHumanString()}: the alarms' periods, and one for metrics to arrive`,
    fix: 'Raise deployment.bake, or lower alarms.period or alarms.evaluationPeriods.',
  });
  demand((terminationWait?.toSeconds() ?? 0) <= 3600, {
    code: 'bad-termination-wait',
    message: 'deployment.terminationWait is longer than SageMaker waits',
    found: terminationWait?.toHumanString() ?? '',
    expected: 'at most 1 hour',
    fix: 'Lower it.',
  });
  const needed = Number.isFinite(fewest) ? stepTime(deployment, fewest) : 0;
  const most = maxTime?.toSeconds() ?? 28_800;
  demand(most >= 600 && most <= 28_800 && needed <= most, {
    code: 'bad-max-time',
    message: 'deployment.maxTime does not hold the steps, or is outside of what SageMaker takes',
    found: `${maxTime === undefined ? 'at most 8 hours' : maxTime.toHumanString()} for steps of ${Duration.seconds(needed).toHumanString()} together`,
    expected: 'from 10 minutes to 8 hours',
    fix: 'Raise maxTime, lower bake, or take larger steps.',
  });
  return problems;
}
