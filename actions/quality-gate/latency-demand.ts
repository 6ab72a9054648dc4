import type { EffectivePolicy, Gates } from '../../core/policy/index.ts';
import type { Bound, Unit } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Demand } from './bound-check.ts';

export type LatencyPolicy = NonNullable<Gates['latency']>;

/** What a key of `gates.latency` asks. */
export function latencyDemand(
  policy: EffectivePolicy,
  latency: LatencyPolicy,
  key: keyof LatencyPolicy,
  bound: Bound,
  title: string,
  unit: Unit = 'ms',
): Demand {
  return {
    id: `gate/latency/${key}`,
    title,
    bound,
    unit,
    severity: latency.severity,
    reason: latency.reason,
    place: policy.placeOf(['gates', 'latency', key]),
  };
}

/** What is asked of this machine and says little of another: without `hardware` in the policy a broken bound only warns. */
export function absoluteDemand(...of: Parameters<typeof latencyDemand>): Demand {
  const [, latency] = of;
  return { ...latencyDemand(...of), ...(latency.hardware === undefined ? { severity: 'warn' as const } : {}) };
}

export function hardwareNote({ policy }: EffectivePolicy): string {
  const hardware = policy.gates?.latency?.hardware;
  return hardware === undefined
    ? 'The policy names no hardware, so what is measured on this machine can only warn'
    : `Measured on ${excerpt(hardware, 80)}`;
}
