import type { Identity, Labels } from '../labels.ts';
import type { ConstructProblem } from '../problem.ts';
import type { MetricsEndpoint } from '../serving/server-program.ts';

/** What monitoring needs of a server, and nothing else: every serving construct has it. */
export interface MonitoredServer {
  readonly identity: Identity;
  /** Absent: it counts nothing. */
  readonly metrics?: MetricsEndpoint;
  /** What the controller that makes its pods labels them with. @default name and instance */
  readonly podLabels?: Labels;
  /** Why its metrics are not known, and what to do about it. @default it has none */
  readonly withoutMetrics?: ConstructProblem;
}

/** Why a server without metrics cannot be monitored. */
export function noMetrics({ identity, withoutMetrics }: MonitoredServer): ConstructProblem {
  if (withoutMetrics !== undefined) return withoutMetrics;
  return {
    code: 'no-metrics',
    message: `the server ${identity.name} has no metrics`,
    found: identity.instance,
    fix: 'Monitor the gateway or mesh in front of it (servingRules and servingDashboard with the profile "istio").',
  };
}
