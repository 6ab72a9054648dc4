import type { Host } from '../../../core/host/index.ts';
import { secretWords } from '../../../core/http/index.ts';
import { metrics } from '../../../core/metrics/index.ts';
import { type MlflowReader, openMlflow, type Run, trackingServerOf } from '../../../core/mlflow/index.ts';
import { type EffectivePolicy, type MetricName, policyDefaults, type RunSource } from '../../../core/policy/index.ts';
import type { Place } from '../../../core/problem/index.ts';
import type { Check, Notice } from '../../../core/report/index.ts';
import { type Interval, wilsonInterval } from '../../../core/statistics/index.ts';
import { excerpt, nearestName } from '../../../core/text/index.ts';
import { tried } from '../candidate-and-baseline.ts';
import type { MetricIntervals } from '../measured-metric.ts';
import { boundedMetrics, checksOfNumber, namedMetric, unjudgedMetric } from '../metric-gate.ts';
import { counted } from '../number-text.ts';
import type { ModelJudgement } from '../run.ts';
import type { NoBaseline } from '../subject.ts';
import type { SourceOptions } from './judge-predictions.ts';

/**
 * Holds the metrics that a run logged in MLflow against their bounds: numbers without rows, so points are compared, and it is said. A metric that
 * the run lacks, or that is NaN, is an error and never a pass.
 */
export async function judgeRun(source: RunSource, options: SourceOptions): Promise<ModelJudgement> {
  const { policy, host } = options;
  const place = policy.placeOf(['model', 'run']);
  await using mlflow = await readerOf(source.tracking_uri, options, place);
  const run = await runOf(source, mlflow);
  const baseline = await baselineRun(source, run, mlflow, options);
  const noBaseline: NoBaseline = 'metrics' in baseline ? { kind: 'absent', why: '' } : baseline;
  host.info(`Judge the run ${excerpt(run.name, 40)} of ${mlflow.origin}`);

  const checks = boundedMetrics({ policy }).flatMap(({ name, bound }): readonly Check[] => {
    const metric = namedMetric(name);
    const logged = source.metrics?.[name] ?? name;
    const value = numberOf(name, logged, run);
    if (typeof value === 'string') return unjudgedMetric(metric, bound, { policy }, value);
    const other = 'metrics' in baseline ? numberOf(name, logged, baseline) : undefined;
    const against: NoBaseline =
      typeof other === 'string' ? { kind: 'unusable', why: `The baseline cannot be judged: ${other}` } : noBaseline;
    const measured = measuredOf(name, value, typeof other === 'number' ? other : undefined, source.rows, policy);
    return checksOfNumber(metric, bound, measured, {
      policy,
      noBaseline: against,
      from: `in the run ${excerpt(run.name, 40)}`,
    });
  });
  const notices: Notice[] = [
    {
      level: 'notice',
      message: `The numbers are those that the run ${excerpt(run.name, 40)} (${excerpt(run.id, 40)}) logged in ${mlflow.origin}; ${
        source.rows === undefined
          ? 'without its rows they have no intervals, so points are compared.'
          : `on ${counted(source.rows, 'row')} as the policy says: accuracy has an interval, of the others points are compared.`
      }`,
      place,
    },
    ...[run, ...('metrics' in baseline ? [baseline] : [])].flatMap((each) => unfinished(each, place)),
    ...('metrics' in baseline
      ? [
          {
            level: 'notice' as const,
            message: `The baseline is the run ${excerpt(baseline.name, 40)} (${excerpt(baseline.id, 40)}).`,
            place,
          },
        ]
      : [
          {
            level: baseline.kind === 'absent' ? ('notice' as const) : ('warning' as const),
            message: `${baseline.why}.`,
          },
        ]),
  ];
  return { checks, figures: [], notices, sources: [] };
}

async function readerOf(
  uri: string | undefined,
  { host, environment }: { readonly host: Host; readonly environment: SourceOptions['environment'] },
  place: Place,
): Promise<MlflowReader> {
  const server = await trackingServerOf(uri, environment, place);
  for (const word of secretWords(server)) host.secret(word);
  return openMlflow(server, { place });
}

function runOf({ id = 'latest', experiment = '' }: RunSource, mlflow: MlflowReader): Promise<Run> {
  return id === 'latest' ? mlflow.latestRun(experiment) : mlflow.run(id);
}

/** The run that is held against: the champion's, or the one that the base's policy names. */
async function baselineRun(
  source: RunSource,
  candidate: Run,
  mlflow: MlflowReader,
  options: SourceOptions,
): Promise<Run | NoBaseline> {
  const { policy } = options;
  const chosen = policy.policy.model?.baseline ?? policyDefaults.baseline;
  const absent = (why: string): NoBaseline => ({ kind: 'absent', why });
  if (chosen === 'none') return absent('There is no baseline to compare with: model.baseline is none');
  return tried(async (): Promise<Run | NoBaseline> => {
    if (chosen === 'base') {
      const id = policy.base?.model?.run?.id ?? 'latest';
      if (id === 'latest') return absent('The base names no run by its id, so there is no baseline to compare with');
      return id === candidate.id
        ? absent("The run is the base's own, so there is no baseline to compare with")
        : mlflow.run(id);
    }
    const champion = 'champion' in chosen && 'mlflow' in chosen.champion ? chosen.champion : undefined;
    if (champion === undefined) return absent('There is no run to compare with');
    const place = policy.placeOf(['model', 'baseline']);
    await using itsServer = await readerOf(champion.tracking_uri ?? source.tracking_uri, options, place);
    const version = await itsServer.versionOf(champion.mlflow, champion.alias);
    if (version.run !== '') return await itsServer.run(version.run);
    return {
      kind: 'unusable',
      why: `The baseline cannot be judged: version ${excerpt(version.version)} of ${excerpt(version.name)} was registered without a run`,
    };
  });
}

/** What the run logged as the metric, or why that is nothing to judge by. */
function numberOf(name: MetricName, logged: string, run: Run): number | string {
  const value = run.metrics.get(logged);
  if (value === undefined) return missing(logged, run);
  const said = `the run ${excerpt(run.name, 40)} logged ${value} as "${excerpt(logged)}"`;
  if (!Number.isFinite(value)) return said;
  // A percentage would pass every `min`, a score that is an error with its sign turned every `max`.
  const { better } = metrics[name];
  const upToOne = better === 'higher' && name !== 'calibration_slope';
  if (upToOne && value > 1) return `${said}, and ${name} is 1 at most; log the share, not the percentage`;
  if (better === 'lower' && value < 0) return `${said}, and ${name} is 0 at least; log it without the sign`;
  return value;
}

/** A run that goes on may log other numbers, and one that failed may not have logged its last. */
function unfinished({ name, status }: Run, place: Place): readonly Notice[] {
  if (status === 'FINISHED') return [];
  const message = `The run ${excerpt(name, 40)} has not finished: MLflow says ${excerpt(status, 40)}.`;
  return [{ level: 'warning', message, place }];
}

function missing(logged: string, { name, metrics }: Run): string {
  const near = nearestName(logged, metrics.keys());
  const known = [...metrics.keys()].slice(0, 8).map((key) => excerpt(key, 40));
  const hint =
    near === undefined
      ? known.length === 0
        ? 'it logged none'
        : `it logged ${known.join(', ')}`
      : `did it mean "${excerpt(near)}"?`;
  return `the run ${excerpt(name, 40)} logged no metric "${excerpt(logged)}" (${hint}; model.run.metrics says which number is which)`;
}

/** A share of rows has an interval where their number is known; all else is a point. */
function measuredOf(
  name: MetricName,
  value: number,
  baseline: number | undefined,
  rows: number | undefined,
  policy: EffectivePolicy,
): MetricIntervals {
  const point = (estimate: number): Interval => ({
    estimate,
    lower: estimate,
    upper: estimate,
    // The one number that was logged, where nobody says what it was measured on.
    n: rows ?? 1,
    level: 1,
    method: 'point',
  });
  const level = policy.policy.evidence ?? policyDefaults.evidence;
  const share = name === 'accuracy' && rows !== undefined && level !== 'off';
  return {
    // What was logged stands, rounded by whoever logged it.
    candidate: share ? { ...wilsonInterval(Math.round(value * rows), rows, level), estimate: value } : point(value),
    ...(baseline === undefined ? {} : { baseline, difference: point(value - baseline) }),
    ...(baseline === undefined || baseline === 0 ? {} : { relative: point((value - baseline) / Math.abs(baseline)) }),
  };
}
