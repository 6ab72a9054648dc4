import type { Check } from '../../core/report/index.ts';
import type { Protocol } from '../protocol.ts';
import { malformedChecks } from './malformed-check.ts';
import type { PlanOptions } from './plan-options.ts';

/** The plan's step: malformed requests as the policy has them, or none. */
export function sendMalformed(
  protocol: Pick<Protocol, 'malformed' | 'ready'>,
  right: (() => Promise<string | undefined>) | undefined,
  { policy, placeOf, host }: PlanOptions,
): Promise<readonly Check[]> {
  if (policy.malformed === false) return Promise.resolve([]);
  const { severity, reason } = typeof policy.malformed === 'object' ? policy.malformed : {};
  const of = { place: placeOf(['smoke', 'malformed']), severity, reason, host };
  return host.group('Send malformed requests', () => malformedChecks(protocol, right, of));
}
