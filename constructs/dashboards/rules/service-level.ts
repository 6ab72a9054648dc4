import {
  errorRate,
  isNoQuery,
  type NoQuery,
  type Query,
  type RecordedName,
  recordedSeries,
  requestRate,
  slowRates,
} from '../../../core/telemetry/index.ts';
import { secondsOf } from './duration.ts';
import { type AbsentRule, type MonitoredModel, modelName, modelScope, recordedSelector } from './monitored-model.ts';
import type { AlertRule, RecordingRule, RuleGroup, Severity } from './rule-group.ts';

/** What users were promised. */
export interface ServiceLevel {
  /** The share of requests that must not fail by the server's fault. @default 0.999 */
  readonly availability?: number;
  /** The share of answered requests that must be as fast as `threshold`. @default 0.99 within 0.25 s */
  readonly latency?: {
    readonly objective: number;
    /** Seconds. Best a bound of the server's buckets; between two, the lower one is counted to. */
    readonly threshold: number;
    /** The bounds the server really has, in seconds, where they differ from its defaults. */
    readonly buckets?: readonly number[];
  };
  /** Over how long the promise is kept. @default '30d' */
  readonly period?: string;
  /** Bad requests in the long window below which nobody is told: one of two requests is 50 %, and no incident. @default 10 */
  readonly fewestBad?: number;
}

/** What is promised where nothing else is said. */
export const usualServiceLevel = {
  availability: 0.999,
  latency: { objective: 0.99, threshold: 0.25 },
  period: '30d',
  fewestBad: 10,
} as const satisfies Required<ServiceLevel>;

type Pace = 'Fast' | 'Steady' | 'Slow';

interface Burn {
  readonly pace: Pace;
  /** Share of the period's error budget that is gone when the alert fires. */
  readonly budget: number;
  readonly long: string;
  /** A twelfth of it: so that the alert ends soon after the trouble does. */
  readonly short: string;
  readonly severity: Severity;
}

/** Google, The Site Reliability Workbook, chapter 5, table 5-8: https://sre.google/workbook/alerting-on-slos/. */
const burns = [
  { pace: 'Fast', budget: 0.02, long: '1h', short: '5m', severity: 'critical' },
  { pace: 'Steady', budget: 0.05, long: '6h', short: '30m', severity: 'critical' },
  { pace: 'Slow', budget: 0.1, long: '3d', short: '6h', severity: 'warning' },
] as const satisfies readonly Burn[];

/** A burn of one error budget: above which share of bad requests, in both windows, it is told. */
export interface BudgetBurn extends Burn {
  /** How many times the rate that lasts the period. */
  readonly rate: number;
  /** Share of requests, 0 to 1. */
  readonly bound: number;
}

/** The burns of the error budget that `objective` leaves, a share from 0 to 1, over `period` (`'30d'`). */
export function budgetBurns(objective: number, period: string = usualServiceLevel.period): readonly BudgetBurn[] {
  return burns.map((burn) => {
    const rate = (burn.budget * (secondsOf(period) ?? 0)) / (secondsOf(burn.long) ?? 0);
    return { ...burn, rate, bound: rounded(rate * (1 - objective)) };
  });
}

const windows = ['5m', '30m', '1h', '6h', '3d'] as const;

/** What is recorded of good and bad requests, and what to say of the bad ones. */
interface Indicator {
  readonly alert: 'ModelErrors' | 'ModelLatency';
  readonly total: RecordedName;
  readonly bad: RecordedName;
  readonly ratio: RecordedName;
  readonly objective: number;
  readonly broken: string;
  readonly runbook: string;
}

/**
 * Alerts on how fast an error budget is used up, by several windows and burn rates. The long window says that it matters, the short one that
 * it still goes on. Five-minute rates are recorded; longer windows add those up, so that three days are read from one series a model and not
 * from every pod's histogram.
 */
export function serviceLevelRules(
  model: MonitoredModel,
  level: ServiceLevel = {},
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  const { availability, latency, period, fewestBad }: Required<ServiceLevel> = { ...usualServiceLevel, ...level };
  const scope = modelScope(model);
  const { profile, selector, by } = scope;
  const asked = { selector, by, window: '5m' };
  const requests = requestRate(profile, asked);
  const errors = errorRate(profile, asked);
  const { buckets } = latency;
  const slow = slowRates(profile, latency.threshold, asked, buckets === undefined ? {} : { buckets });
  const name = modelName(scope);
  const threshold = isNoQuery(slow) ? latency.threshold : slow.threshold;
  const rated = {
    period,
    fewestBad,
    where: recordedSelector(scope),
    name,
  };
  return joined([
    indicatorRules(
      {
        alert: 'ModelErrors',
        total: 'requests',
        bad: 'requestErrors',
        ratio: 'errorRatio',
        objective: availability,
        broken: 'of requests fail',
        runbook:
          'See the panels "Errors by kind" and "Canary and baseline". If one version fails, abort its rollout (sluice canary abort) or roll the release back. ' +
          'If all fail alike, look for what they share: the node, the GPU, the input (a changed client), the feature store. ' +
          'Full queues: add replicas or lower the batch delay.',
      },
      isNoQuery(requests) ? requests : isNoQuery(errors) ? errors : { total: requests, bad: errors },
      rated,
    ),
    indicatorRules(
      {
        alert: 'ModelLatency',
        total: 'requestsTimed',
        bad: 'requestsSlow',
        ratio: 'slowRatio',
        objective: latency.objective,
        broken: `of requests take longer than ${threshold} s`,
        runbook:
          'See the panels "Latency", "Time in the queue" and "Throttled processor time". A growing queue: add replicas or lower the concurrency. ' +
          'A slow model without a queue: look at throttling, at the GPU and at what the new version changed. One slow pod: its node.',
      },
      isNoQuery(slow) ? slow : { total: slow.timed, bad: slow.slow },
      rated,
    ),
  ]);
}

interface Rated {
  readonly period: string;
  readonly fewestBad: number;
  readonly where: string | NoQuery;
  readonly name: string;
}

function indicatorRules(
  indicator: Indicator,
  rates: { readonly total: Query; readonly bad: Query } | NoQuery,
  { period, fewestBad, where, name }: Rated,
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  const problem = isNoQuery(rates) ? rates : typeof where === 'string' ? undefined : where;
  if (isNoQuery(rates) || typeof where !== 'string')
    return {
      groups: [],
      absent: burns.map(({ pace }) => ({
        alert: alertName(indicator, pace),
        reason: problem?.reason ?? '',
        fix: problem?.fix ?? '',
      })),
    };
  const { alert, objective } = indicator;
  const [total, bad] = [recordedSeries(indicator.total, '5m'), recordedSeries(indicator.bad, '5m')];
  const ratio = (window: string) => recordedSeries(indicator.ratio, window);
  const recording: readonly RecordingRule[] = [
    { record: total, expr: rates.total.expr },
    { record: bad, expr: rates.bad.expr },
    ...windows.map((window) => ({
      record: ratio(window),
      expr:
        window === '5m'
          ? `${bad}${where} / (${total}${where} > 0)`
          : `sum_over_time(${bad}${where}[${window}]) / (sum_over_time(${total}${where}[${window}]) > 0)`,
    })),
  ];
  const alerts = budgetBurns(objective, period).map(
    ({ pace, budget, long, short, severity, rate, bound }): AlertRule => {
      const badRequests = `avg_over_time(${bad}${where}[${long}]) * ${secondsOf(long) ?? 0}`;
      return {
        alert: alertName(indicator, pace),
        expr: `${ratio(long)}${where} > ${bound} and ${ratio(short)}${where} > ${bound} and ${badRequests} >= ${fewestBad}`,
        labels: { severity },
        annotations: {
          summary: `${name}: {{ $value | humanizePercentage }} ${indicator.broken}.`,
          description:
            `Over ${long} and over ${short} more than ${percent(bound)} ${indicator.broken}; ${percent(1 - objective)} are allowed. ` +
            `At ${rounded(rate)} times the rate that lasts ${period}, this used up ${percent(budget)} of the error budget of ${period}.`,
          runbook: indicator.runbook,
        },
      };
    },
  );
  return {
    groups: [{ name: `sluice-${alert === 'ModelErrors' ? 'errors' : 'latency'}`, rules: [...recording, ...alerts] }],
    absent: [],
  };
}

function alertName({ alert }: Indicator, pace: Pace): string {
  return `${alert}Burn${pace}`;
}

function joined<Part extends { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] }>(
  parts: readonly Part[],
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  return { groups: parts.flatMap(({ groups }) => groups), absent: parts.flatMap(({ absent }) => absent) };
}

/** Without the digits that binary fractions leave: 14.4 * (1 - 0.999) is 0.0144. */
function rounded(value: number): number {
  return Number(value.toPrecision(10));
}

function percent(share: number): string {
  return `${rounded(share * 100)} %`;
}
