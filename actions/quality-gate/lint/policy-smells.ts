import type { EffectivePolicy } from '../../../core/policy/index.ts';
import { defaultsOf, metricNames } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { boundedMetrics, changeOf } from '../metric-gate.ts';
import type { Finding } from './finding.ts';

/** Settings of a sound policy that keep it from doing what it looks like. `today`: a date such as `2026-11-21` (UTC). */
export function policySmells(effective: EffectivePolicy, today: string): readonly Finding[] {
  return [
    ...settingSmells(effective),
    ...severitySmells(effective),
    ...comparisonSmells(effective),
    ...latencySmells(effective),
    ...waiverSmells(effective, today),
  ];
}

function settingSmells({ policy, placeOf }: EffectivePolicy): readonly Finding[] {
  const { evidence, onInconclusive } = defaultsOf(policy);
  const judged = (['custom', ...metricNames] as const).some((name) => policy.gates?.[name] !== undefined);
  if (!judged) return [];
  return [
    ...(evidence === 'off'
      ? [
          {
            code: 'points-compared',
            level: 'warning' as const,
            message:
              'evidence: off compares points: on 300 rows it blocks about one in four models that are just as good',
            fix: 'Leave evidence out (0.9), so that noise alone blocks nobody.',
            place: placeOf(['evidence']),
          },
        ]
      : []),
    ...(onInconclusive === 'pass'
      ? [
          {
            code: 'inconclusive-passes',
            level: 'note' as const,
            message: 'on_inconclusive: pass says nothing of checks that the rows cannot settle',
            fix: 'Use warn, so that a reviewer sees them.',
            place: placeOf(['on_inconclusive']),
          },
        ]
      : []),
  ];
}

function severitySmells({ policy, placeOf }: EffectivePolicy): readonly Finding[] {
  const gates = Object.entries(policy.gates ?? {}).filter(([name]) => name !== 'fairness');
  const warns = gates.filter(([, gate]) => gate !== undefined && 'severity' in gate && gate.severity === 'warn');
  if (gates.length === 0 || warns.length < gates.length || policy.gates?.fairness !== undefined) return [];
  return [
    {
      code: 'nothing-blocks',
      level: 'warning',
      message: 'every gate has severity: warn, so no model is ever blocked',
      fix: 'Give the gates that must hold severity: error (the default).',
      place: placeOf(['gates']),
    },
  ];
}

function comparisonSmells(effective: EffectivePolicy): readonly Finding[] {
  const { policy, placeOf } = effective;
  const bounded = boundedMetrics({ policy: effective });
  if (bounded.length === 0 || defaultsOf(policy).baseline === 'none') return [];
  const compares = bounded.some(
    ({ bound }) => bound.max_regression !== undefined || bound.min_improvement !== undefined,
  );
  if (compares) return [];
  return [
    {
      code: 'no-comparison',
      level: 'note',
      message:
        'no metric is held against the baseline, so a model may lose a little with every pull request, down to its fixed bounds',
      fix: 'Add max_regression to the metric that counts most.',
      place: placeOf(['gates', bounded[0]?.name ?? '']),
    },
  ];
}

/** Two sessions of one model differ by 1 to 4 % through memory layout alone (`research/gates.md` 5). */
const leastLatencyChange = 0.05;

function latencySmells({ policy, placeOf }: EffectivePolicy): readonly Finding[] {
  const latency = policy.gates?.latency;
  if (latency === undefined) return [];
  const { max_regression: regression, hardware } = latency;
  const absolute = (['p50_ms', 'p95_ms', 'p99_ms', 'mean_ms', 'cold_start_ms', 'min_throughput'] as const).find(
    (key) => latency[key] !== undefined,
  );
  return [
    ...(regression !== undefined && changeOf(regression).change < leastLatencyChange
      ? [
          {
            code: 'latency-below-noise',
            level: 'warning' as const,
            message: `latency max_regression ${regression} is below what one machine resolves: two sessions of the same model differ by up to 4 %`,
            fix: 'Allow 5% or more (10% on shared runners).',
            place: placeOf(['gates', 'latency', 'max_regression']),
          },
        ]
      : []),
    ...(absolute !== undefined && hardware === undefined
      ? [
          {
            code: 'latency-only-warns',
            level: 'note' as const,
            message: `latency ${absolute} can only warn: the policy does not say which machine the milliseconds are of`,
            fix: 'Add hardware: <name> where it always runs on the same machine, or compare by max_regression.',
            place: placeOf(['gates', 'latency', absolute]),
          },
        ]
      : []),
  ];
}

function waiverSmells({ policy, placeOf }: EffectivePolicy, today: string): readonly Finding[] {
  return (policy.waivers ?? []).flatMap(({ check, expires }, index): readonly Finding[] => {
    const place = placeOf(['waivers', index]);
    const name = excerpt(check, 60);
    if (expires < today) {
      const message = `the waiver for ${name} expired on ${expires}`;
      return [{ code: 'expired-waiver', level: 'note', message, fix: 'Remove it.', place }];
    }
    if (/^(\*|gate\/\*|gate\/?\*|data\/\*)$/.test(check)) {
      const message = `the waiver for ${name} lets every failure of its kind through until ${expires}`;
      return [{ code: 'broad-waiver', level: 'warning', message, fix: 'Name the check that fails.', place }];
    }
    return [];
  });
}
