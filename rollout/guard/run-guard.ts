import { hostname } from 'node:os';
import type { Clock } from '../clock.ts';
import { openKubernetes } from '../kubernetes-client.ts';
import { openKubernetesTraffic } from '../traffic/kubernetes-providers.ts';
import { parseGuardOrder } from './guard-order.ts';
import { type Guarded, guardRollout } from './lease-guard.ts';

/**
 * `sluice canary guard`: what the guard's Job runs. `order` is the JSON that `guardArguments` wrote. Ends when the rollout is over, with the
 * pod's service account.
 */
export async function runGuard(
  order: string,
  options: {
    readonly say?: (message: string) => void;
    readonly everyMs?: number;
    /** Where the pod's token is. @default where a kubelet puts it */
    readonly serviceAccount?: string;
    /** For tests. */
    readonly clock?: Clock;
  } = {},
): Promise<Guarded> {
  const { traffic, rolloutId, leaseMs } = parseGuardOrder(order);
  const client = openKubernetes(
    options.serviceAccount === undefined ? {} : { serviceAccount: { folder: options.serviceAccount } },
  );
  // Its role is the object's alone, and whether the canary is ready is nothing to it.
  await using provider = openKubernetesTraffic(traffic, client, { readiness: false });
  return await guardRollout({
    provider,
    rolloutId,
    holder: `guard ${hostname()} ${process.pid}`,
    patienceMs: leaseMs,
    ...(options.everyMs === undefined ? {} : { everyMs: options.everyMs }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.say === undefined ? {} : { say: options.say }),
  });
}
