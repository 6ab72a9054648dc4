import type { ContainerSecurityContext, PodSecurityContext } from './pod-spec.ts';

/** Whom a server runs as. Both above 0. */
export interface RunAs {
  readonly user: number;
  readonly group: number;
}

/**
 * What the Pod Security Standard "restricted" asks of a pod (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and
 * volumes whose owner is only changed when it is wrong: the default walks through a whole model at every start.
 */
export function podSecurity({ user, group }: RunAs): PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: group,
    fsGroup: group,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** What "restricted" asks of a container, and a root file system that nobody writes. */
export const containerSecurity: ContainerSecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
