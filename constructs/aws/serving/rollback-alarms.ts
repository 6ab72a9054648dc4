import { Duration, Token } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IMetric,
  MathExpression,
  type Metric,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import {
  inCloudWatch,
  qualityMetrics,
  sageMakerFleetDimension,
  servingMetrics,
} from '../../../core/telemetry/index.ts';
import type { ConstructProblem } from '../../problem/index.ts';
import { cloudWatchMetric, type EndpointMetricName, endpointMetric } from './endpoint-metrics.ts';

/** By which a deployment is taken back, and which go on ringing afterwards. Those of requests are made for every variant. */
export interface EndpointAlarms {
  /** The share of requests answered with 5xx above which it rings; `false`: no such alarm. @default 0.01 */
  readonly serverErrorShare?: number | false;
  /** With fewer requests in a period the share says nothing. @default 20 */
  readonly minRequests?: number;
  /** What 99 % of the requests are to take at most in the container. @default no such alarm */
  readonly p99Latency?: Duration;
  /** How many requests the endpoint has at least in five minutes, day and night: fewer, or none, ring. @default no such alarm */
  readonly minInvocations?: number;
  /** @default no such alarm */
  readonly modelQuality?: ModelQualityAlarm;
  /** Alarms of one's own, such as of what the model earns. @default none */
  readonly more?: readonly IAlarm[];
  /** Who is told when one rings, also outside of deployments. @default nobody: SageMaker watches them while it deploys */
  readonly topic?: ITopic;
  /** @default 1 minute */
  readonly period?: Duration;
  /** How many periods in a row have to be bad. @default 2 */
  readonly evaluationPeriods?: number;
}

/** Of what somebody measures about the model while it serves: accuracy on labels that came late, a drift index. */
export interface ModelQualityAlarm {
  /** `qualityMetric('accuracy', { model_name: 'churn' })`, or what SageMaker Model Monitor tells. */
  readonly metric: IMetric;
  /** It rings below. */
  readonly min?: number;
  /** It rings above. */
  readonly max?: number;
}

const qualityGauges = {
  accuracy: servingMetrics.accuracy,
  featurePsi: qualityMetrics.featurePsi,
  featureKl: qualityMetrics.featureKl,
} as const;

export type QualityMeasure = keyof typeof qualityGauges;

/**
 * What somebody tells CloudWatch of a model by the names that Prometheus has, in the namespace `Sluice/Models`: the CloudWatch agent
 * that reads a job's metrics, or `aws cloudwatch put-metric-data`. Nothing of Sluice tells it by itself; `ModelEndpoint.grantReportQuality` lets do it.
 * `dimensions`: the gauge's labels, all of them. @throws RangeError where one is missing
 */
export function qualityMetric(
  measure: QualityMeasure,
  dimensions: Readonly<Record<string, string>>,
  options: MetricOptions = {},
): Metric {
  const { statistics, ...gauge } = inCloudWatch(qualityGauges[measure]);
  return cloudWatchMetric({ ...gauge, statistics: ['Average'] }, dimensions, {
    period: Duration.minutes(5),
    ...options,
  });
}

/** Lets tell CloudWatch what `qualityMetric` reads, of any model. */
export function grantReportQuality(grantee: IGrantable): Grant {
  return Grant.addToPrincipal({
    grantee,
    actions: ['cloudwatch:PutMetricData'],
    // It takes no resource, but knows the namespace.
    resourceArns: ['*'],
    conditions: { StringEquals: { 'cloudwatch:namespace': inCloudWatch(qualityGauges.accuracy).namespace } },
  });
}

export interface RollbackAlarmsProps {
  readonly endpointName: string;
  /** Before the names of the alarms. */
  readonly namePrefix: string;
  readonly variants: readonly string[];
  readonly alarms: EndpointAlarms;
  /**
   * The endpoint configuration whose fleet is watched. During a deployment two fleets serve under one name, and a bad canary of 10 % would be hidden by
   * the 90 % that are well.
   */
  readonly endpointConfigName: string;
  /**
   * An asynchronous endpoint tells 5xx and the container's latency, but no invocations
   * (https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html), and of its fleets nothing is written.
   */
  readonly asynchronous: boolean;
}

const { GREATER_THAN_THRESHOLD, LESS_THAN_THRESHOLD } = ComparisonOperator;

/** The alarms of one fleet. */
export class RollbackAlarms extends Construct {
  /** Those that a deployment watches. */
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: RollbackAlarmsProps) {
    super(scope, id);
    const { alarms, variants } = props;
    this.alarms = [
      ...variants.flatMap((variant) => this.#ofVariant(variant, props)),
      ...(alarms.modelQuality === undefined ? [] : this.#ofQuality(alarms.modelQuality, props)),
      ...(alarms.more ?? []),
    ];
  }

  #ofVariant(variant: string, props: RollbackAlarmsProps): readonly IAlarm[] {
    const { endpointName, endpointConfigName, alarms, asynchronous } = props;
    const { serverErrorShare = 0.01, minRequests = 20, p99Latency, minInvocations } = alarms;
    const period = alarms.period ?? Duration.minutes(1);
    const both = { EndpointName: endpointName, VariantName: variant };
    const fleet = asynchronous ? both : { ...both, [sageMakerFleetDimension]: endpointConfigName };
    const of = (name: EndpointMetricName): Metric => endpointMetric(name, fleet, { period });
    const made: IAlarm[] = [];
    if (serverErrorShare !== false) {
      made.push(
        this.#alarm(`ServerErrors-${variant}`, 'more requests are answered with 5xx than may be', props, {
          metric: new MathExpression({
            label: 'share of 5xx',
            expression: `IF(requests >= ${minRequests}, errors / requests, 0)`,
            usingMetrics: {
              requests: asynchronous
                ? of('latency').with({ statistic: 'SampleCount' })
                : of('requests').with({ statistic: 'Sum' }),
              errors: of('serverErrors').with({ statistic: 'Sum' }),
            },
            period,
          }),
          threshold: serverErrorShare,
          comparisonOperator: GREATER_THAN_THRESHOLD,
        }),
      );
    }
    if (p99Latency !== undefined) {
      made.push(
        this.#alarm(`Latency-${variant}`, 'the slowest 1 % of the requests take too long', props, {
          metric: of('latency').with({ statistic: 'p99' }),
          // SageMaker counts microseconds.
          threshold: p99Latency.toMilliseconds() * 1000,
          comparisonOperator: GREATER_THAN_THRESHOLD,
          evaluateLowSampleCountPercentile: 'ignore',
        }),
      );
    }
    if (minInvocations !== undefined) {
      made.push(
        this.#alarm(`Invocations-${variant}`, 'fewer requests come than always do', props, {
          // Of both fleets: the new one has none before its first step.
          metric: endpointMetric('requests', both, { period: Duration.minutes(5), statistic: 'Sum' }),
          threshold: minInvocations,
          comparisonOperator: LESS_THAN_THRESHOLD,
          evaluationPeriods: 1,
          treatMissingData: TreatMissingData.BREACHING,
        }),
      );
    }
    return made;
  }

  #ofQuality({ metric, min, max }: ModelQualityAlarm, props: RollbackAlarmsProps): readonly IAlarm[] {
    const made: IAlarm[] = [];
    if (min !== undefined) {
      const low = { metric, threshold: min, comparisonOperator: LESS_THAN_THRESHOLD };
      made.push(this.#alarm('QualityLow', 'the model is worse than it may be', props, low));
    }
    if (max !== undefined) {
      const high = { metric, threshold: max, comparisonOperator: GREATER_THAN_THRESHOLD };
      made.push(this.#alarm('QualityHigh', 'the model is further off than it may be', props, high));
    }
    return made;
  }

  #alarm(name: string, what: string, { endpointName, namePrefix, alarms }: RollbackAlarmsProps, of: AlarmOf): IAlarm {
    const alarm = new Alarm(this, name, {
      alarmName: `${namePrefix}-${name}`,
      alarmDescription: `${endpointName}: ${what}`,
      evaluationPeriods: alarms.evaluationPeriods ?? 2,
      // Nothing was asked: nothing is wrong.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...of,
    });
    if (alarms.topic !== undefined) alarm.addAlarmAction(new SnsAction(alarms.topic));
    return alarm;
  }
}

interface AlarmOf {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly comparisonOperator: ComparisonOperator;
  readonly evaluationPeriods?: number;
  readonly treatMissingData?: TreatMissingData;
  readonly evaluateLowSampleCountPercentile?: string;
}

/** How many alarms these are for one fleet. */
export function alarmCount(alarms: EndpointAlarms, variants: number): number {
  const { serverErrorShare, p99Latency, minInvocations, modelQuality, more = [] } = alarms;
  const given = (...each: readonly boolean[]): number => each.filter(Boolean).length;
  const ofVariant = given(serverErrorShare !== false, p99Latency !== undefined, minInvocations !== undefined);
  const ofQuality = given(modelQuality?.min !== undefined, modelQuality?.max !== undefined);
  return ofVariant * variants + ofQuality + more.length;
}

/** How long until the slowest of them rings, in seconds: its periods, and one more, since metrics come a minute late. */
export function ringsAfter({ period = Duration.minutes(1), evaluationPeriods = 2 }: EndpointAlarms): number {
  return period.toSeconds() * (evaluationPeriods + 1);
}

export function alarmProblems(alarms: EndpointAlarms, variants: number): readonly ConstructProblem[] {
  const {
    serverErrorShare,
    minRequests = 20,
    p99Latency,
    minInvocations,
    modelQuality,
    period,
    evaluationPeriods = 2,
  } = alarms;
  const problems: ConstructProblem[] = [];
  const demand = (holds: boolean, of: string, found: string, expected: string, fix: string): void => {
    if (!holds)
      problems.push({
        code: 'bad-alarm',
        message: `alarms.${of} is none that could ring, or one that always does`,
        found,
        expected,
        fix,
      });
  };
  if (typeof serverErrorShare === 'number' && !Token.isUnresolved(serverErrorShare)) {
    demand(
      serverErrorShare >= 0 && serverErrorShare < 1,
      'serverErrorShare',
      String(serverErrorShare),
      'a share from 0 to less than 1',
      'Write 1 % as 0.01.',
    );
  }
  demand(minRequests >= 1, 'minRequests', String(minRequests), 'at least 1', 'Leave it out for 20.');
  if (p99Latency !== undefined) {
    demand(
      p99Latency.toMilliseconds() > 0,
      'p99Latency',
      p99Latency.toHumanString(),
      'more than 0',
      'Set what your clients can bear.',
    );
  }
  if (minInvocations !== undefined) {
    demand(
      minInvocations >= 1,
      'minInvocations',
      String(minInvocations),
      'at least 1',
      'Set what the quietest five minutes have, or leave it out.',
    );
  }
  if (modelQuality !== undefined) {
    const { min, max } = modelQuality;
    demand(
      min !== undefined || max !== undefined,
      'modelQuality',
      'neither min nor max',
      'min or max',
      'Say below or above which value it rings.',
    );
    demand(
      min === undefined || max === undefined || min < max,
      'modelQuality',
      `min ${min}, max ${max}`,
      'min below max',
      'Exchange them.',
    );
  }
  if (period !== undefined) {
    const seconds = period.toSeconds();
    demand(
      seconds >= 60 && seconds % 60 === 0,
      'period',
      period.toHumanString(),
      'whole minutes: SageMaker tells requests by the minute',
      'Use Duration.minutes(1).',
    );
  }
  demand(
    Number.isInteger(evaluationPeriods) && evaluationPeriods >= 1,
    'evaluationPeriods',
    String(evaluationPeriods),
    'at least 1',
    'Leave it out for 2.',
  );
  const count = alarmCount(alarms, variants);
  if (count > 10) {
    problems.push({
      code: 'too-many-alarms',
      message: 'a deployment of SageMaker watches ten alarms at most',
      found: `${count} for ${variants} variants`,
      fix: 'Leave some out, or put alarms of your own together in a composite alarm.',
    });
  }
  return problems;
}
