import type { KubernetesKind } from '../kubernetes/kubernetes-object.ts';
import { destinationRuleKind } from '../traffic/istio.ts';
import { trafficObject } from '../traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from '../traffic/kubernetes-traffic.ts';
import { endpointSliceKind, podKind, serviceKind } from '../traffic/ready-canary.ts';
import { guardJobName, jobKind } from './guard-job.ts';

/** One rule of a Role, as `rbac.authorization.k8s.io/v1` has it. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** The one object whose traffic is moved: read, and changed by patch. No list, no watch, no update, no create. */
function objectRule(traffic: KubernetesTraffic): PolicyRule {
  const { name, ...kind } = trafficObject(traffic);
  return rule(kind, ['get', 'patch'], name);
}

/** What the guard in the cluster may do: the object, nothing else. */
export function guardRole(traffic: KubernetesTraffic): readonly PolicyRule[] {
  return [objectRule(traffic)];
}

/**
 * What the run of a rollout may do: the object; reading whether the canary is ready; with a guard, its one Job. `create` cannot be bound to a
 * name (RBAC knows none before there is an object), so whoever has this Role can run Jobs in the namespace: without a guard it cannot.
 */
export function rolloutRole(traffic: KubernetesTraffic, { guard }: { readonly guard: boolean }): readonly PolicyRule[] {
  const job = guardJobName(traffic);
  return [
    objectRule(traffic),
    ...readinessRules(traffic),
    ...(guard ? [rule(jobKind, ['create']), rule(jobKind, ['get', 'delete'], job.name)] : []),
  ];
}

function readinessRules(traffic: KubernetesTraffic): readonly PolicyRule[] {
  if (traffic.provider === 'gateway-api') return [rule(endpointSliceKind, ['list'])];
  if (traffic.provider !== 'istio') return [];
  return traffic.destinationRule === undefined
    ? [rule(endpointSliceKind, ['list'])]
    : [
        rule(endpointSliceKind, ['list']),
        rule(destinationRuleKind, ['get'], traffic.destinationRule),
        rule(serviceKind, ['get']),
        rule(podKind, ['list']),
      ];
}

function rule({ group, plural }: KubernetesKind, verbs: readonly string[], name?: string): PolicyRule {
  return {
    apiGroups: [group],
    resources: [plural],
    verbs,
    ...(name === undefined ? {} : { resourceNames: [name] }),
  };
}
