import { Duration, Token } from 'aws-cdk-lib';
import { CfnScalableTarget, CfnScalingPolicy } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { sageMakerMetrics } from '../../../core/telemetry/index.ts';
import type { ConstructProblem } from '../../problem/index.ts';
import { sageMakerInstance } from '../accelerators.ts';
import { endpointMetric } from './endpoint-metrics.ts';
import type { EndpointKind } from './endpoint-variant.ts';

/** How many instances a variant has. What of the targets is given is followed; of several the one that asks for most instances counts. */
export interface VariantScaling {
  /** The fewest instances. 0 only of an asynchronous endpoint, which then is paid for only while there is work. */
  readonly min: number;
  readonly max: number;
  /** Requests a minute for each instance. Real time. */
  readonly invocationsPerInstance?: number;
  /** Requests at once for each instance, by a metric that comes every 10 seconds: reacts within a minute. Real time. */
  readonly concurrencyPerInstance?: number;
  /** Percent of the GPUs, 1 to 100, of all GPUs of an instance alike. */
  readonly gpuUtilization?: number;
  /** Requests that wait for each instance. Asynchronous. */
  readonly backlogPerInstance?: number;
  /** After instances were taken away, until more are. @default 5 minutes */
  readonly scaleInCooldown?: Duration;
  /** After instances were added, until more are. @default 1 minute */
  readonly scaleOutCooldown?: Duration;
}

const targets = ['invocationsPerInstance', 'concurrencyPerInstance', 'gpuUtilization', 'backlogPerInstance'] as const;

export interface VariantScalerProps {
  readonly endpointName: string;
  readonly variantName: string;
  readonly instanceType: string | undefined;
  readonly scaling: VariantScaling;
}

/** The scalable target of a variant and its policies, as Application Auto Scaling has them. */
export class VariantScaler extends Construct {
  readonly target: CfnScalableTarget;

  constructor(scope: Construct, id: string, props: VariantScalerProps) {
    super(scope, id);
    const { endpointName, variantName, scaling, instanceType } = props;
    const { invocationsPerInstance, concurrencyPerInstance, gpuUtilization, backlogPerInstance } = scaling;
    // No role: SageMaker's service-linked one is used whatever is named.
    this.target = new CfnScalableTarget(this, 'Target', {
      serviceNamespace: 'sagemaker',
      scalableDimension: 'sagemaker:variant:DesiredInstanceCount',
      resourceId: `endpoint/${endpointName}/variant/${variantName}`,
      minCapacity: scaling.min,
      maxCapacity: scaling.max,
    });
    const cooldowns = {
      scaleInCooldown: (scaling.scaleInCooldown ?? Duration.minutes(5)).toSeconds(),
      scaleOutCooldown: (scaling.scaleOutCooldown ?? Duration.minutes(1)).toSeconds(),
    };
    const track = (
      name: string,
      what: Omit<
        CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty,
        'scaleInCooldown' | 'scaleOutCooldown'
      >,
    ) =>
      new CfnScalingPolicy(this, name, {
        policyName: `${endpointName}-${variantName}-${name}`,
        policyType: 'TargetTrackingScaling',
        scalingTargetId: this.target.ref,
        targetTrackingScalingPolicyConfiguration: { ...what, ...cooldowns },
      });
    const dimensions = { EndpointName: endpointName, VariantName: variantName };
    const custom = (metric: 'gpu' | 'backlogPerInstance') => {
      const { namespace, name, dimensions: names } = sageMakerMetrics[metric];
      return {
        namespace,
        metricName: name,
        statistic: 'Average',
        dimensions: names.map((each) => ({ name: each, value: dimensions[each] })),
      };
    };
    if (invocationsPerInstance !== undefined) {
      track('Invocations', {
        targetValue: invocationsPerInstance,
        predefinedMetricSpecification: { predefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      });
    }
    if (concurrencyPerInstance !== undefined) {
      track('Concurrency', {
        targetValue: concurrencyPerInstance,
        predefinedMetricSpecification: {
          predefinedMetricType: 'SageMakerVariantConcurrentRequestsPerModelHighResolution',
        },
      });
    }
    if (gpuUtilization !== undefined) {
      track('Gpu', {
        // Four busy GPUs are told as 400 %.
        targetValue: gpuUtilization * gpusOf(instanceType),
        customizedMetricSpecification: custom('gpu'),
      });
    }
    if (backlogPerInstance !== undefined) {
      track('Backlog', {
        targetValue: backlogPerInstance,
        customizedMetricSpecification: custom('backlogPerInstance'),
      });
    }
    if (scaling.min === 0) this.#wake(endpointName, variantName);
  }

  /**
   * From none to one. Without an instance there is no backlog per instance, so no target is ever missed:
   * https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
   */
  #wake(endpointName: string, variantName: string): void {
    const policy = new CfnScalingPolicy(this, 'Wake', {
      policyName: `${endpointName}-${variantName}-Wake`,
      policyType: 'StepScaling',
      scalingTargetId: this.target.ref,
      stepScalingPolicyConfiguration: {
        adjustmentType: 'ChangeInCapacity',
        metricAggregationType: 'Average',
        cooldown: 300,
        stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: 1 }],
      },
    });
    new Alarm(this, 'Waiting', {
      metric: endpointMetric('backlogWithoutCapacity', { EndpointName: endpointName }, { period: Duration.minutes(1) }),
      alarmDescription: `Requests of ${endpointName} wait and no instance is there: one is started`,
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.MISSING,
    }).addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) });
  }
}

function gpusOf(instanceType: string | undefined): number {
  const known = instanceType === undefined ? undefined : sageMakerInstance(instanceType)?.accelerator;
  return known?.vendor === 'nvidia' ? known.count : 1;
}

export function scalingProblems(
  scaling: VariantScaling,
  prop: string,
  kind: EndpointKind,
  count: number,
  instanceType: string | undefined,
): readonly ConstructProblem[] {
  const { min, max, gpuUtilization } = scaling;
  const problems: ConstructProblem[] = [];
  const given = targets.filter((each) => scaling[each] !== undefined);
  const fewest = kind === 'asynchronous' ? 0 : 1;
  if (![min, max].some((each) => Token.isUnresolved(each))) {
    if (!(Number.isInteger(min) && Number.isInteger(max) && min <= max && max >= 1)) {
      problems.push({
        code: 'bad-scaling-range',
        message: `${prop} has no range from min to max`,
        found: `${min} to ${max}`,
        expected: 'whole numbers, min at most max',
        fix: 'Exchange or correct them.',
      });
    } else if (min < fewest) {
      problems.push({
        code: 'scale-to-zero',
        message: `${prop}.min is 0, which SageMaker takes of asynchronous endpoints only`,
        found: String(min),
        fix: 'Raise it to 1; or make the endpoint asynchronous, or the variant serverless.',
      });
    } else if (count > max) {
      problems.push({
        code: 'bad-scaling-range',
        message: `${prop} does not hold what the variant begins with`,
        found: `${count} instances, and at most ${max}`,
        fix: 'Raise max, or lower instanceCount.',
      });
    }
  }
  const ofKind = kind === 'asynchronous' ? ['gpuUtilization', 'backlogPerInstance'] : targets.slice(0, 3);
  const foreign = given.filter((each) => !ofKind.some((one) => one === each));
  if (given.length === 0 || foreign.length > 0) {
    problems.push({
      code: 'bad-scaling-target',
      message:
        given.length === 0
          ? `${prop} has no target, so nothing would ever scale`
          : `${prop} follows what ${kind === 'asynchronous' ? 'an asynchronous' : 'a real-time'} endpoint has no metric of`,
      ...(given.length === 0 ? {} : { found: foreign.join(', ') }),
      expected: ofKind.join(', '),
      fix: `Set ${kind === 'asynchronous' ? 'backlogPerInstance, such as 5' : 'invocationsPerInstance to about 70 % of what one instance is known to bear in a minute'}.`,
    });
  }
  for (const each of given) {
    const value = scaling[each];
    if (value === undefined || Token.isUnresolved(value) || (value > 0 && Number.isFinite(value))) continue;
    problems.push({
      code: 'bad-scaling-target',
      message: `${prop}.${each} is no target`,
      found: String(value),
      expected: 'more than 0',
      fix: 'Measure what one instance bears, and take about 70 % of it.',
    });
  }
  if (gpuUtilization !== undefined) {
    const instance = instanceType === undefined ? undefined : sageMakerInstance(instanceType);
    if (gpuUtilization > 100) {
      problems.push({
        code: 'bad-scaling-target',
        message: `${prop}.gpuUtilization is more than there is`,
        found: String(gpuUtilization),
        expected: 'percent of one GPU, at most 100: it is multiplied by the number of GPUs here',
        fix: 'Lower it, to 70 for a start.',
      });
    }
    if (instance !== undefined && instance.accelerator?.vendor !== 'nvidia' && !/^p\d/.test(instance.family)) {
      problems.push({
        code: 'scaling-without-gpu',
        message: `${prop} follows GPUs and the instances have none`,
        found: instance.name,
        fix: 'Scale by invocationsPerInstance or concurrencyPerInstance.',
      });
    }
  }
  return problems;
}
