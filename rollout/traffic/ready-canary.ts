import * as z from 'zod';
import { excerpt } from '../../core/text/index.ts';
import type { KubernetesKind } from '../kubernetes/kubernetes-object.ts';
import type { KubernetesClient } from '../kubernetes-client.ts';

export const endpointSliceKind: KubernetesKind = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
};
export const serviceKind: KubernetesKind = { group: '', version: 'v1', plural: 'services', kind: 'Service' };
export const podKind: KubernetesKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };

const slice = z.looseObject({
  endpoints: z
    .array(z.looseObject({ conditions: z.looseObject({ ready: z.boolean().nullish() }).nullish() }))
    .nullish(),
});

/** Why a service cannot take traffic; `undefined`: it has a ready endpoint. */
export async function readyEndpoints(
  client: KubernetesClient,
  namespace: string,
  service: string,
): Promise<string | undefined> {
  const slices = await client.list(endpointSliceKind, namespace, `kubernetes.io/service-name=${service}`);
  const endpoints = slices.flatMap((each) => slice.safeParse(each).data?.endpoints ?? []);
  // "A nil value should be interpreted as true" (EndpointConditions).
  if (endpoints.some(({ conditions }) => conditions?.ready !== false)) return undefined;
  return `Service ${namespace}/${excerpt(service)} has no ready endpoint`;
}

const selector = z.looseObject({ selector: z.record(z.string(), z.string()).nullish() });
const pod = z.looseObject({
  metadata: z.looseObject({ deletionTimestamp: z.string().exactOptional() }),
  status: z.looseObject({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).nullish() }),
});

/** Why pods of a service with these labels cannot take traffic; `undefined`: one of them is ready. */
export async function readyPods(
  client: KubernetesClient,
  namespace: string,
  service: string,
  labels: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const found = await client.get({ ...serviceKind, namespace, name: service });
  if (found === undefined) return `Service ${namespace}/${excerpt(service)} does not exist`;
  const all = { ...(selector.safeParse(found['spec']).data?.selector ?? {}), ...labels };
  const wanted = Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const pods = await client.list(podKind, namespace, wanted);
  const ready = pods.some((each) => {
    const { data } = pod.safeParse(each);
    return (
      data !== undefined &&
      data.metadata.deletionTimestamp === undefined &&
      (data.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
    );
  });
  return ready ? undefined : `no pod with ${excerpt(wanted, 120)} in ${namespace} is ready`;
}
