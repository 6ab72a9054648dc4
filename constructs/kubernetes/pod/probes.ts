import type { Probe, ProbeAction } from './pod-spec.ts';

/** How a server is asked how it is. */
export interface HealthChecks {
  /** Whether it may get requests. Asked while it starts, too. */
  readonly ready: ProbeAction;
  /** Whether it must be restarted. Not to depend on models: a server that loads one must not be killed for it (triton#6469, #7154). */
  readonly live: ProbeAction;
  /** @default `ready` */
  readonly started?: ProbeAction;
}

export interface Probes {
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

/**
 * Probes for a server that may take `budgetSeconds` from its start until it is ready. Until then neither of the other two is asked, so a
 * slow load is not a crash; after it a server that is not up is restarted. Asked every second within a budget of up to a minute, so that a quick
 * server is not kept waiting; more seldom the longer it may take, up to every ten seconds.
 */
export function probesFor({ ready, live, started = ready }: HealthChecks, budgetSeconds: number): Probes {
  const periodSeconds = Math.min(10, Math.max(1, Math.ceil(budgetSeconds / 60)));
  return {
    startupProbe: {
      ...started,
      periodSeconds,
      timeoutSeconds: 3,
      failureThreshold: Math.ceil(budgetSeconds / periodSeconds),
    },
    readinessProbe: { ...ready, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
    livenessProbe: { ...live, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
  };
}

/** Seconds that a startup probe grants. */
export function startupBudget({ startupProbe }: Probes): number {
  return startupProbe.periodSeconds * startupProbe.failureThreshold;
}
