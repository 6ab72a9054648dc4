import type { ObjectName } from '../kubernetes/kubernetes-object.ts';
import type { KubernetesClient } from '../kubernetes-client.ts';
import type { TrafficProvider } from '../traffic-provider.ts';
import { AnnotatedObject } from './annotated-object.ts';
import { gatewayRouting, httpRouteKind } from './gateway-api.ts';
import { istioRouting, virtualServiceKind } from './istio.ts';
import { inferenceServiceKind, knativeRouting, standardRouting } from './kserve.ts';
import type { KubernetesTraffic } from './kubernetes-traffic.ts';
import { experimentKind, experimentRouting, seldonDeploymentKind, seldonDeploymentRouting } from './seldon.ts';

/** The object whose traffic is moved, and which carries the rollout's record. */
export function trafficObject(traffic: KubernetesTraffic): ObjectName {
  const { namespace } = traffic;
  switch (traffic.provider) {
    case 'istio':
      return { ...virtualServiceKind, namespace, name: traffic.virtualService };
    case 'gateway-api':
      return { ...httpRouteKind, namespace, name: traffic.httpRoute };
    case 'kserve':
      return { ...inferenceServiceKind, namespace, name: traffic.inferenceService };
    case 'seldon':
      return {
        ...(traffic.kind === 'Experiment' ? experimentKind : seldonDeploymentKind),
        namespace,
        name: traffic.name,
      };
  }
}

export interface KubernetesTrafficOptions {
  readonly guard?: NonNullable<TrafficProvider['guard']> | undefined;
  /** Whether other objects are asked if the canary can take traffic: a guard, which only goes back, has no right to. @default true */
  readonly readiness?: boolean;
}

/** Opens the provider. Asks the cluster nothing yet; the client is disposed of with the provider. */
export function openKubernetesTraffic(
  traffic: KubernetesTraffic,
  client: KubernetesClient,
  { guard, readiness = true }: KubernetesTrafficOptions = {},
): TrafficProvider {
  const asked = readiness ? client : undefined;
  switch (traffic.provider) {
    case 'istio':
      return new AnnotatedObject(client, istioRouting(traffic, asked), guard);
    case 'gateway-api':
      return new AnnotatedObject(client, gatewayRouting(traffic, asked), guard);
    case 'kserve':
      return traffic.mode === 'knative'
        ? new AnnotatedObject(client, knativeRouting(traffic), guard)
        : new AnnotatedObject(client, standardRouting(traffic), guard);
    case 'seldon':
      return traffic.kind === 'Experiment'
        ? new AnnotatedObject(client, experimentRouting(traffic), guard)
        : new AnnotatedObject(client, seldonDeploymentRouting(traffic), guard);
  }
}
