import type { Findings } from '../problem.ts';
import type { ProgramDeployment } from '../serving/program-deployment.ts';

export interface ScaledBounds {
  readonly min: number;
  readonly max: number;
  readonly target: { readonly apiVersion: string; readonly kind: string; readonly name: string };
}

/** The bounds a server was given. A fixed number is a problem: every apply would undo what the autoscaler did. */
export function scaledBounds(server: ProgramDeployment, findings: Findings): ScaledBounds {
  const { replicas, workload, identity } = server;
  const target = { apiVersion: workload.apiVersion, kind: workload.kind, name: workload.name };
  if (typeof replicas !== 'number') return { ...replicas, target };
  findings.add({
    code: 'fixed-replicas',
    message: `target ${identity.instance} has ${replicas} replicas whatever the autoscaler says: every apply sets them back`,
    fix: `Give it bounds instead: replicas: { min: ${Math.max(2, replicas)}, max: ${Math.max(2, replicas) * 4} }.`,
  });
  return { min: replicas, max: replicas, target };
}

/** A budget for disruptions that has fewer pods than it wants would hold up every node. */
export function checkAgainstBudget(server: ProgramDeployment, min: number, findings: Findings): void {
  findings.demand(server.podDisruptionBudget === undefined || min >= 2, () => ({
    code: 'budget-without-pods',
    message: `replicas.min ${min} of ${server.identity.instance} with a PodDisruptionBudget: the last pod could never be evicted, or never be protected`,
    fix: 'Raise replicas.min to 2, or leave disruption out.',
  }));
}
