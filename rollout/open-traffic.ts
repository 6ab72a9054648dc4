import { resolve } from 'node:path';
import type { CanaryPolicy, CanaryTraffic } from '../core/policy/index.ts';
import { jobGuard } from './guard/guard-job.ts';
import { openKubernetes } from './kubernetes-client.ts';
import { openHosts } from './traffic/hosts/open-hosts.ts';
import { openKubernetesTraffic } from './traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from './traffic/kubernetes-traffic.ts';
import { openLocalTraffic } from './traffic/local.ts';
import { kubernetesTrafficOf } from './traffic/policy-traffic.ts';
import { openRayServe } from './traffic/ray-serve/open-ray-serve.ts';
import { openSagemaker } from './traffic/sagemaker/open-sagemaker.ts';
import type { TrafficProvider } from './traffic-provider.ts';

export interface OpenTrafficOptions {
  /** What paths of the policy are relative to. */
  readonly directory: string;
  /** The kubeconfig's context; the current one when not given. */
  readonly context?: string;
  /** The kubeconfig's path; KUBECONFIG, the usual one, or the pod's service account when not given. */
  readonly kubeconfig?: string;
  readonly guard?: CanaryPolicy['guard'];
}

/** Opens the provider that the policy names. Nothing moves. Throws an `InputError` for what cannot be opened. */
export function openTraffic(traffic: CanaryTraffic, options: OpenTrafficOptions): TrafficProvider {
  const { directory, context, kubeconfig, guard } = options;
  if (traffic.provider === 'local') {
    const { state, canary } = traffic;
    return openLocalTraffic({ state: resolve(directory, state), stateName: state, canary });
  }
  if (traffic.provider === 'hosts') return openHosts(traffic, directory);
  if (traffic.provider === 'ray-serve') return openRayServe(traffic, directory);
  if (traffic.provider === 'sagemaker') return openSagemaker(traffic);
  const where = kubernetesTrafficOf(traffic);
  if (where === undefined) throw new RangeError(`nobody moves the traffic of ${traffic.provider}`);
  const client = openKubernetes({
    ...(context === undefined ? {} : { context }),
    ...(kubeconfig === undefined ? {} : { files: [kubeconfig] }),
  });
  return openKubernetesTraffic(where, client, { guard: guardOf(client, where, guard) });
}

function guardOf(
  client: ReturnType<typeof openKubernetes>,
  where: KubernetesTraffic,
  guard: OpenTrafficOptions['guard'],
): TrafficProvider['guard'] {
  if (guard === undefined || guard === false) return undefined;
  const { image, service_account: serviceAccount, image_pull_secrets: imagePullSecrets } = guard;
  return jobGuard(client, where, {
    image,
    serviceAccount,
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
  });
}
