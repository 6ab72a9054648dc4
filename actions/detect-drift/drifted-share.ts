import { type DriftJudgement, judgeTwoBounds } from '../../core/drift/index.ts';
import type { DriftPolicy, EffectivePolicy } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { decide, type Interval } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';

/**
 * The share of columns beyond their lowest bound, held against the policy's; none without a bound on it. A column that the evidence
 * settles neither way may be either: the interval reaches from the columns shown to have drifted to those not shown to be alike.
 */
export function driftedShareCheck(
  drift: DriftPolicy,
  judgements: readonly DriftJudgement[],
  policy: EffectivePolicy,
  level: number | 'off',
): Check | undefined {
  const demand = drift.drifted_columns;
  if (demand === undefined) return undefined;
  const place = policy.placeOf(['drift', 'drifted_columns']);
  const columns = new Map<string, DriftJudgement[]>();
  for (const judgement of judgements) {
    const { name, role } = judgement.of.column;
    if (role === 'feature') columns.set(name, [...(columns.get(name) ?? []), judgement]);
  }
  const id = 'drift/drifted_columns';
  const title = `drifted columns ≤ ${[demand.warn, demand.fail]
    .filter((one) => one !== undefined)
    .map(percent)
    .join(', ')}`;
  const n = columns.size;
  if (n === 0) {
    return {
      id,
      title,
      section: 'drift',
      status: 'error',
      message: 'No column could be measured, so there is no share of them.',
      place,
    };
  }
  const share = (holds: (all: readonly DriftJudgement[]) => boolean) => [...columns.values()].filter(holds).length / n;
  const shown = share((all) => all.some(({ broken }) => broken !== undefined));
  const possible = share((all) => !all.every(({ holds }) => holds));
  const seen = share((all) =>
    all.some(({ of: { measured, bound } }) => measured.interval.estimate > (bound.warn ?? bound.fail ?? 0)),
  );
  const interval: Interval = {
    estimate: Math.min(possible, Math.max(shown, seen)),
    lower: shown,
    upper: possible,
    level: level === 'off' ? 1 : level,
    method: 'count of decisions',
    n,
  };
  const [warn, fail] = [demand.warn, demand.fail].map((value) => {
    const outcome = value === undefined ? undefined : decide({ kind: 'max', value }, interval);
    return outcome === undefined ? undefined : { broken: outcome === 'fail', holds: outcome === 'pass' };
  });
  const { status, decisive } = judgeTwoBounds(warn, fail);
  const drifted = [...columns]
    .filter(([, all]) => all.some(({ broken }) => broken !== undefined))
    .map(([name]) => name);
  const list = drifted
    .slice(0, 8)
    .map((name) => excerpt(name, 40))
    .join(', ');
  return {
    id,
    title,
    section: 'drift',
    status,
    message: [
      `${drifted.length} of ${n} columns are beyond their lowest bound for sure${drifted.length === 0 ? '' : `: ${list}${drifted.length > 8 ? ', …' : ''}`}; ${Math.round(possible * n)} may be.`,
      ...(demand.reason === undefined ? [] : [`The bound's reason: ${excerpt(demand.reason, 300)}`]),
    ].join(' '),
    observed: interval.estimate,
    bound: { kind: 'max', value: demand[decisive] ?? Number.NaN },
    unit: 'share',
    evidence: interval,
    place,
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`;
}
