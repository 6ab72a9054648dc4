import { Duration, Token } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  type IAlarmRule,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import {
  type BudgetBurn,
  budgetBurns,
  type ServiceLevel,
  secondsOf,
  usualServiceLevel,
} from '../../dashboards/index.ts';
import { type ConstructProblem, Findings } from '../../problem/index.ts';
import type { AlertTopic } from './alert-topic.ts';
import { EndpointTelemetry, endpointProblems, type MonitoredEndpoint } from './endpoint-telemetry.ts';
import { isObjective, promiseProblems } from './promise-problems.ts';
import { RolloutSilence } from './rollout-silence.ts';

export interface ReleaseAlarmsProps extends MonitoredEndpoint {
  /** Who is woken when the model is unhealthy. */
  readonly pages: AlertTopic;
  /** Who hears of what can wait for the next working day. @default nobody: the dashboard shows it */
  readonly notices?: AlertTopic;
  /** What users were promised, in the words of the Prometheus rules. @default 99.9 % without failure, 99 % within 0.25 s, over 30 days */
  readonly serviceLevel?: Omit<ServiceLevel, 'latency'> & {
    /** `threshold` in seconds, of the container's time. */
    readonly latency?: { readonly objective: number; readonly threshold: number };
  };
  /** Shares of an instance above which it has too little left. @default 0.95 each, 0.9 of a disk */
  readonly saturation?: SaturationBounds;
  /** What keeps pages silent while a rollout is under way, which judges the same numbers itself. `false`: nothing does. */
  readonly rollouts?: RolloutPatience | false;
}

/** Shares, above 0 and up to 1. */
export interface SaturationBounds {
  /** Of processors and of GPUs, for half an hour. */
  readonly saturated?: number;
  /** Of the instance's and of the GPUs' memory, for ten minutes. */
  readonly memory?: number;
  readonly disk?: number;
}

export interface RolloutPatience {
  /** How long after SageMaker's last news of a guarded deployment pages are silent. From 1 minute to 1 day. @default 30 minutes */
  readonly deploymentLasts?: Duration;
  /** Longer than any rollout takes: after it a notice says that one was forgotten. Whole hours, 2 to 168. @default 24 hours */
  readonly longest?: Duration;
}

const usualBounds = { saturated: 0.95, memory: 0.95, disk: 0.9 } as const satisfies Required<SaturationBounds>;

/** An alarm for each window of a burn. */
interface BurnAlarms {
  readonly severity: BudgetBurn['severity'];
  readonly rule: IAlarmRule;
}

/**
 * The alarms of a SageMaker endpoint: error budgets that burn (failed requests, slow requests), instances that are full, and nobody there. Two
 * composites gather them: `unhealthy` pages, `atRisk` can wait. The bounds are those of the Prometheus rules, by the same service level.
 *
 * ```ts
 * new ReleaseAlarms(this, 'Alarms', {
 *   endpointName: 'churn',
 *   pages,
 *   serviceLevel: { availability: 0.999, latency: { objective: 0.99, threshold: 0.2 } },
 *   hardware: { vcpus: 48, gpus: 4 },
 * });
 * ```
 *
 * Latency is the container's (`ModelLatency`), without SageMaker's own time. An asynchronous endpoint is asked for its errors only: its latency is
 * its queue's.
 */
export class ReleaseAlarms extends Construct {
  /** Pages: users are hurt now, or soon will be. */
  readonly unhealthy: CompositeAlarm;
  /** For the next working day. */
  readonly atRisk: CompositeAlarm;
  /** Every metric alarm by its name: `ModelErrorsBurnFast 1h`. */
  readonly alarms: ReadonlyMap<string, Alarm>;
  /** On while a rollout is under way; `undefined` where nothing is to be silent. */
  readonly rollout: IAlarm | undefined;
  readonly telemetry: EndpointTelemetry;
  readonly #alarms = new Map<string, Alarm>();

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ReleaseAlarmsProps) {
    super(scope, id);
    const findings = new Findings(this, 'ReleaseAlarms');
    findings.add(...endpointProblems(props), ...problemsOf(props));
    findings.throwIfAny();
    const { pages, notices, rollouts = {} } = props;
    this.telemetry = new EndpointTelemetry(props);
    this.alarms = this.#alarms;
    const burns = this.#burns(props);
    const atRisk = [
      ...burns.filter(({ severity }) => severity !== 'critical').map(({ rule }) => rule),
      ...this.#saturation({ ...usualBounds, ...props.saturation }).map(inAlarm),
    ];
    const unhealthy = [
      ...burns.filter(({ severity }) => severity === 'critical').map(({ rule }) => rule),
      ...this.#missing().map(inAlarm),
    ];
    if (rollouts === false) this.rollout = undefined;
    else {
      const { deploymentLasts = Duration.minutes(30), longest = Duration.hours(24) } = rollouts;
      const silence = new RolloutSilence(this, 'Rollouts', {
        telemetry: this.telemetry,
        endpointName: props.endpointName,
        deploymentLasts,
        encryptionKey: pages.encryptionKey,
      });
      this.rollout = silence.alarm;
      atRisk.push(...this.#stale(longest).map(inAlarm));
    }
    this.unhealthy = new CompositeAlarm(this, 'Unhealthy', {
      alarmDescription: described(
        `ModelUnhealthy: users of the endpoint ${props.endpointName} are hurt now, or soon will be.`,
        'See which of its alarms is on. If a version fails, abort its rollout (sluice canary abort) or roll the release back.',
      ),
      alarmRule: AlarmRule.anyOf(...unhealthy),
      ...(this.rollout === undefined
        ? {}
        : {
            actionsSuppressor: this.rollout,
            // Metrics and events come a minute or two late: a page waits for the sign that it is a rollout.
            actionsSuppressorWaitPeriod: Duration.minutes(3),
            // What failed while it lasted is in the short windows for that long.
            actionsSuppressorExtensionPeriod: Duration.minutes(5),
          }),
    });
    this.atRisk = new CompositeAlarm(this, 'AtRisk', {
      alarmDescription: described(
        `ModelAtRisk: the endpoint ${props.endpointName} works, and will not for long.`,
        'See which of its alarms is on: a budget that is used up slowly, an instance that is full, a rollout that was forgotten.',
      ),
      alarmRule: AlarmRule.anyOf(...atRisk),
    });
    pages.allowAlarms();
    this.unhealthy.addAlarmAction(new SnsAction(pages.topic));
    this.unhealthy.addOkAction(new SnsAction(pages.topic));
    if (notices !== undefined) {
      notices.allowAlarms();
      this.atRisk.addAlarmAction(new SnsAction(notices.topic));
    }
  }

  /** Both windows of a burn have to be on: the long one says that it matters, the short one that it still goes on. */
  #burns({ serviceLevel }: ReleaseAlarmsProps): readonly BurnAlarms[] {
    const { availability, latency, period, fewestBad } = { ...usualServiceLevel, ...serviceLevel };
    const { telemetry } = this;
    const indicators: readonly Indicator[] = [
      {
        name: 'ModelErrors',
        objective: availability,
        broken: 'of requests fail',
        share: (asked, fewest) => telemetry.errorShare({ period: asked }, fewest),
      },
      ...(telemetry.kind === 'asynchronous'
        ? []
        : [
            {
              name: 'ModelLatency',
              objective: latency.objective,
              broken: `of requests take longer than ${latency.threshold} s`,
              share: (asked: Duration, fewest?: number) =>
                telemetry.slowShare(latency.threshold, { period: asked }, fewest),
            },
          ]),
    ];
    return indicators.flatMap((indicator) =>
      budgetBurns(indicator.objective, period).map((burn) => {
        const { severity, long, short } = burn;
        const windows = [this.#burn(indicator, burn, long, fewestBad), this.#burn(indicator, burn, short)];
        return { severity, rule: AlarmRule.allOf(...windows.map(inAlarm)) };
      }),
    );
  }

  #burn(
    { name, objective, broken, share }: Indicator,
    { pace, bound, budget }: BudgetBurn,
    window: string,
    fewestBad?: number,
  ): Alarm {
    const seconds = secondsOf(window) ?? 0;
    // An alarm looks at most a day at once: a longer window is that many days in a row.
    const days = Math.max(1, seconds / 86_400);
    return this.#alarm(`${name}Burn${pace} ${window}`, share(Duration.seconds(seconds / days), fewestBad), bound, {
      description: described(
        `${name}Burn${pace}: over ${window} more than ${percent(bound)} ${broken}; ${percent(1 - objective)} are allowed.`,
        `Held that long, it uses up ${percent(budget)} of the error budget.`,
      ),
      evaluationPeriods: days,
      // Where nobody asks nothing fails; that nobody can ask is ModelMissing's to say.
      missing: TreatMissingData.NOT_BREACHING,
    });
  }

  #saturation(bounds: Required<SaturationBounds>): readonly Alarm[] {
    const { telemetry } = this;
    if (telemetry.kind === 'serverless') return [];
    const period = Duration.minutes(5);
    return telemetry.variants.flatMap((variant) => {
      const asked = { period, variant };
      const suffix = telemetry.variants.length === 1 ? '' : ` ${variant}`;
      const full: readonly (readonly [string, IMetric | undefined, number, number, string])[] = [
        ['ProcessorSaturated', telemetry.busy('processor', asked), bounds.saturated, 6, 'of its processors are busy'],
        ['GpuSaturated', telemetry.busy('gpu', asked), bounds.saturated, 6, 'of its GPUs are busy'],
        ['MemoryAlmostFull', telemetry.full('memory', asked), bounds.memory, 2, 'of its memory are in use'],
        ['GpuMemoryAlmostFull', telemetry.busy('gpuMemory', asked), bounds.memory, 2, "of its GPUs' memory are in use"],
        ['DiskAlmostFull', telemetry.full('disk', asked), bounds.disk, 2, 'of its disk are in use'],
      ];
      return full.flatMap(([name, metric, bound, evaluationPeriods, what]) =>
        metric === undefined
          ? []
          : [
              this.#alarm(`${name}${suffix}`, metric, bound, {
                description: described(
                  `${name}: for ${evaluationPeriods * 5} minutes more than ${percent(bound)} ${what}.`,
                  name.startsWith('Gpu')
                    ? 'See the time of requests: larger batches where latency allows, else more instances.'
                    : 'More or larger instances; what only grows is a leak.',
                ),
                evaluationPeriods,
                // An instance that tells nothing is neither full nor not.
                missing: TreatMissingData.MISSING,
              }),
            ],
      );
    });
  }

  /** Instances tell of themselves every minute, asked or not. */
  #missing(): readonly Alarm[] {
    // Asynchronous endpoints may scale to none, serverless ones have none.
    if (this.telemetry.kind !== 'real-time') return [];
    return [
      this.#alarm('ModelMissing', this.telemetry.instances({}), 1, {
        description: described(
          'ModelMissing: for ten minutes no instance of the endpoint has told of itself.',
          'See whether the endpoint is in service (aws sagemaker describe-endpoint), and why its containers do not start.',
        ),
        operator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: 10,
        // That nothing comes is the very thing.
        missing: TreatMissingData.BREACHING,
      }),
    ];
  }

  #stale(longest: Duration): readonly Alarm[] {
    if (this.telemetry.variants.length === 1) return [];
    const hours = longest.toHours();
    return [
      this.#alarm('CanaryStale', this.telemetry.shared({ period: Duration.hours(1) }), 0.5, {
        description: described(
          `CanaryStale: more than one variant has taken requests for ${hours} hours, and pages were silent all the time.`,
          'Ask sluice canary status. Then resume the rollout, promote it (sluice canary approve), or end it (sluice canary abort).',
        ),
        evaluationPeriods: hours,
        missing: TreatMissingData.NOT_BREACHING,
      }),
    ];
  }

  #alarm(name: string, metric: IMetric, threshold: number, how: How): Alarm {
    const alarm = new Alarm(this, name.replaceAll(' ', ''), {
      metric,
      threshold,
      comparisonOperator: how.operator ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: how.evaluationPeriods,
      treatMissingData: how.missing,
      alarmDescription: how.description,
    });
    this.#alarms.set(name, alarm);
    return alarm;
  }
}

interface Indicator {
  readonly name: string;
  readonly objective: number;
  readonly broken: string;
  readonly share: (period: Duration, fewestBad?: number) => IMetric;
}

interface How {
  readonly description: string;
  readonly evaluationPeriods: number;
  readonly missing: TreatMissingData;
  readonly operator?: ComparisonOperator;
}

function inAlarm(alarm: Alarm): IAlarmRule {
  return AlarmRule.fromAlarm(alarm as IAlarm, AlarmState.ALARM);
}

function described(what: string, todo: string): string {
  return `${what} ${todo}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(10))} %`;
}

function problemsOf({ serviceLevel = {}, saturation = {}, rollouts }: ReleaseAlarmsProps): readonly ConstructProblem[] {
  const { availability, latency, period, fewestBad } = { ...usualServiceLevel, ...serviceLevel };
  const problems: ConstructProblem[] = [...promiseProblems({ availability, latency })];
  for (const [prop, objective] of [
    ['serviceLevel.availability', availability],
    ['serviceLevel.latency.objective', latency.objective],
  ] as const) {
    const loose = isObjective(objective) ? budgetBurns(objective, period).filter(({ bound }) => bound >= 1) : [];
    if (loose.length > 0)
      problems.push({
        code: 'loose-objective',
        message: `${prop} allows so many bad requests that an alarm could never go off`,
        found: `${objective}: ${loose.map(({ pace, bound }) => `${pace} would need ${percent(bound)}`).join(', ')}`,
        expected: 'bounds below 100 %',
        fix: 'Promise more, or over a shorter period.',
      });
  }
  if ((secondsOf(period) ?? 0) < 86_400)
    problems.push({
      code: 'bad-period',
      message: 'serviceLevel.period is no time over which a promise is kept',
      found: period,
      expected: 'a day or more, such as 30d',
      fix: 'Write it as Prometheus does: 30d, 4w.',
    });
  if (!(fewestBad >= 1))
    problems.push({
      code: 'bad-fewest',
      message: 'serviceLevel.fewestBad is no number of requests',
      found: String(fewestBad),
      expected: 'at least 1',
      fix: 'Leave it out for 10.',
    });
  for (const [name, bound] of Object.entries(saturation) as readonly (readonly [string, number])[])
    if (!(bound > 0 && bound < 1))
      problems.push({
        code: 'bad-saturation',
        message: `saturation.${name} is no share that can be exceeded`,
        found: String(bound),
        expected: 'above 0 and below 1',
        fix: 'Write 95 % as 0.95.',
      });
  if (rollouts === undefined || rollouts === false) return problems;
  const { deploymentLasts, longest } = rollouts;
  const minutes = deploymentLasts?.toMinutes({ integral: false });
  if (minutes !== undefined && !Token.isUnresolved(minutes) && (minutes < 1 || minutes > 1440))
    problems.push({
      code: 'bad-silence',
      message: 'rollouts.deploymentLasts is no time that an alarm can look back',
      found: deploymentLasts?.toHumanString() ?? '',
      expected: 'from 1 minute to 1 day',
      fix: 'Give the longest time between two steps of a deployment (its waitInterval or terminationWait) and some minutes.',
    });
  const hours = longest?.toHours({ integral: false });
  if (hours !== undefined && !Token.isUnresolved(hours) && (!Number.isInteger(hours) || hours < 2 || hours > 168))
    problems.push({
      code: 'bad-longest',
      message: 'rollouts.longest is no time that an alarm can look back',
      found: longest?.toHumanString() ?? '',
      expected: 'whole hours, from 2 hours to 7 days',
      fix: 'Leave it out for a day.',
    });
  return problems;
}
