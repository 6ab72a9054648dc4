import { trafficObject } from '../traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from '../traffic/kubernetes-traffic.ts';
import { guardJobName } from './guard-job.ts';
import { guardRole, type PolicyRule, rolloutRole } from './rollout-roles.ts';

/** Who runs rollouts, as the cluster knows it. */
export type RolloutSubject =
  /** A service account in the namespace of the object; it is made, too. */
  | { readonly kind: 'ServiceAccount'; readonly name: string }
  /** As the cluster's log-in calls it: `arn:aws:iam::...`, `ci@project.iam.gserviceaccount.com`. */
  | { readonly kind: 'User' | 'Group'; readonly name: string };

/** An object as `kubectl apply` takes it. */
export type Manifest = Readonly<Record<string, unknown>>;

/**
 * All that a cluster's administrator has to apply for rollouts of one object: the smallest Role for who runs them and, with a guard, a
 * service account for it with a smaller one.
 */
export function roleManifests(
  traffic: KubernetesTraffic,
  { subject, guardAccount }: { readonly subject: RolloutSubject; readonly guardAccount?: string },
): readonly Manifest[] {
  const { namespace } = trafficObject(traffic);
  // As unique as the guard's Job, which is named after the object.
  const suffix = guardJobName(traffic).name.replace(/^sluice-guard-/, '');
  const guard = guardAccount !== undefined;
  return [
    ...(subject.kind === 'ServiceAccount' ? [serviceAccount(namespace, subject.name)] : []),
    ...bound(namespace, `sluice-rollout-${suffix}`, rolloutRole(traffic, { guard }), subject),
    ...(guardAccount === undefined
      ? []
      : [
          serviceAccount(namespace, guardAccount),
          ...bound(namespace, `sluice-guard-${suffix}`, guardRole(traffic), {
            kind: 'ServiceAccount',
            name: guardAccount,
          }),
        ]),
  ];
}

function serviceAccount(namespace: string, name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

function bound(
  namespace: string,
  name: string,
  rules: readonly PolicyRule[],
  subject: RolloutSubject,
): readonly Manifest[] {
  const api = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: `${api}/v1`, kind: 'Role', metadata: { name, namespace }, rules },
    {
      apiVersion: `${api}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: api, kind: 'Role', name },
      subjects: [
        subject.kind === 'ServiceAccount'
          ? { kind: subject.kind, name: subject.name, namespace }
          : { apiGroup: api, kind: subject.kind, name: subject.name },
      ],
    },
  ];
}
