import type { Place } from '../core/problem/index.ts';
import type { Check } from '../core/report/index.ts';
import { counted, printable } from '../core/text/index.ts';
import type { MetricEvidence } from './analysis-verdict.ts';
import type { Analysed } from './analyst.ts';
import type { RolloutResult } from './run-rollout.ts';
import { durationText } from './state/duration-text.ts';

/**
 * A rollout as checks of a report: one of how it ended, one of each metric by the last look. Only the end decides: a rollout that holds is
 * no failure, and a metric that was never settled does not turn a rollback by hand into one by evidence.
 */
export function rolloutChecks(
  { outcome, record, before }: RolloutResult,
  analysed: Analysed | undefined,
  placeOf: (path: readonly (string | number)[]) => Place,
): readonly Check[] {
  const lasted = durationText((record.endedAt ?? record.lastLook?.at ?? record.stageAt) - record.startedAt);
  const weight = `${record.traffic.canaryWeight} %`;
  const reason = printable(record.reason ?? '');
  const earlier = before ? ' This run did nothing: that had happened before it.' : '';
  const ends = {
    promoted: {
      status: 'pass',
      observed: 'promoted',
      message: `The canary has all requests after ${lasted}.${earlier}`,
    },
    'rolled-back': {
      status: 'fail',
      observed: 'rolled back',
      message: `Rolled back after ${lasted}${reason === '' ? '' : `: ${reason}`}. All requests go to the baseline.${earlier}`,
    },
    holding: {
      status: 'inconclusive',
      observed: `holds at ${weight}`,
      message: `It holds at ${weight} after ${lasted}. Go on by the same id before ${new Date(record.leaseUntil).toISOString()}, or it is rolled back.`,
    },
  } as const;
  const { status, observed, message } = ends[outcome];
  return [
    {
      id: 'rollout/outcome',
      title: 'promotion',
      section: 'rollout',
      status,
      observed,
      message,
      place: placeOf(['canary']),
    },
    ...(analysed?.metrics ?? []).map((evidence) => checkOf(evidence, outcome, placeOf)),
  ];
}

/** What `observed` is: most effects are what the canary has beside the baseline. */
function titleOf(metric: string): string {
  if (metric === 'agreement') return 'agreement of the two versions';
  return metric === 'predictions' ? "predictions' distance from the baseline's" : `${metric}, beside the baseline's`;
}

function checkOf(
  evidence: MetricEvidence,
  outcome: RolloutResult['outcome'],
  placeOf: (path: readonly (string | number)[]) => Place,
): Check {
  const { metric, says, effect, canary, baseline, message } = evidence;
  const statuses = { harm: 'fail', harmless: 'pass', unsettled: 'inconclusive', 'no-data': 'skipped' } as const;
  const key = metric.startsWith('reward/') ? 'rewards' : metric;
  const finite = effect !== undefined && [effect.estimate, effect.lower, effect.upper].every(Number.isFinite);
  return {
    id: `rollout/${printable(metric)}`,
    title: printable(titleOf(metric)),
    section: 'rollout',
    // Promoted by hand past a metric that shows harm does not happen: harm rolls back in every state.
    status: says === 'unsettled' && outcome === 'promoted' ? 'skipped' : statuses[says],
    message: `${printable(message)}${/[.!?]$/.test(message) ? '' : '.'} ${counted(canary.requests, 'request')} of the canary, ${counted(baseline.requests, 'request')} of the baseline.`,
    ...(finite && effect !== undefined
      ? {
          observed: effect.estimate,
          unit: effect.kind === 'ratio' ? ('ratio' as const) : ('share' as const),
          evidence: {
            estimate: effect.estimate,
            lower: effect.lower,
            upper: effect.upper,
            level: 0.95,
            method: 'confidence sequence',
            n: Math.round(canary.requests),
          },
        }
      : {}),
    place: placeOf(['canary', 'analysis', key]),
  };
}
