import type { CanaryTraffic } from '../../core/policy/index.ts';
import { type KubernetesTraffic, kubernetesProviders, kubernetesTraffic } from './kubernetes-traffic.ts';

/** Where in a cluster the policy moves the traffic; `undefined`: not in a cluster. */
export function kubernetesTrafficOf(traffic: CanaryTraffic): KubernetesTraffic | undefined {
  const isInCluster = (kubernetesProviders as readonly string[]).includes(traffic.provider);
  return isInCluster ? kubernetesTraffic.parse(inCamelCase(traffic)) : undefined;
}

/** `virtual_service` is `virtualService`. */
function inCamelCase(mapping: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(mapping)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}
