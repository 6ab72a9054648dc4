import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type KubernetesKind, type ObjectName, titleOf } from '../kubernetes/kubernetes-object.ts';
import type { KubernetesClient } from '../kubernetes-client.ts';
import { trafficObject } from '../traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from '../traffic/kubernetes-traffic.ts';
import type { TrafficProvider } from '../traffic-provider.ts';
import { guardArguments } from './guard-order.ts';

export const jobKind: KubernetesKind = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' };

export interface GuardJobOptions {
  /** An image that holds the command `sluice`, of the version that runs the rollout; by digest where possible. */
  readonly image: string;
  /** What starts `sluice` in it. @default how our own image does */
  readonly command?: readonly string[];
  /** With the guard's Role (`guardRole`). */
  readonly serviceAccount: string;
  readonly imagePullSecrets?: readonly string[];
  /** Milliseconds the guard's pod may take to run; never more than most of the lease. @default two minutes */
  readonly startWithinMs?: number;
}

type Guard = NonNullable<TrafficProvider['guard']>;

const rolloutAnnotation = 'sluice.dev/rollout-id';
const startLimit = 120_000;

/** Where our image has the command (server/Dockerfile). */
const ownCommand = ['/nodejs/bin/node', '/sluice/cli/index.js'] as const;

/** The guard's Job: one name an object, so that a Role can name it. */
export function guardJobName(traffic: KubernetesTraffic): ObjectName {
  const { plural, namespace, name } = trafficObject(traffic);
  const digest = createHash('sha256').update(`${plural}/${namespace}/${name}`).digest('hex').slice(0, 8);
  return {
    ...jobKind,
    namespace,
    name: `sluice-guard-${name.replaceAll('.', '-').slice(0, 40).replace(/-+$/, '')}-${digest}`,
  };
}

/** The Job as it is sent to the API server: restricted as the Pod Security Standards have it, 64 MiB, never beside a service mesh's proxy. */
export function guardJob(
  traffic: KubernetesTraffic,
  lease: { readonly rolloutId: string; readonly leaseMs: number },
  options: GuardJobOptions,
): Readonly<Record<string, unknown>> {
  const { namespace, name } = guardJobName(traffic);
  const labels = {
    'app.kubernetes.io/name': 'sluice-guard',
    'app.kubernetes.io/managed-by': 'sluice',
    // A proxy that never ends would keep the Job from ending.
    'sidecar.istio.io/inject': 'false',
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels, annotations: { [rolloutAnnotation]: lease.rolloutId } },
    spec: {
      // It must outlive whatever keeps it from its work for a while.
      backoffLimit: 1000,
      ttlSecondsAfterFinished: 3600,
      template: {
        metadata: { labels, annotations: { 'linkerd.io/inject': 'disabled' } },
        spec: {
          serviceAccountName: options.serviceAccount,
          restartPolicy: 'OnFailure',
          ...(options.imagePullSecrets === undefined
            ? {}
            : { imagePullSecrets: options.imagePullSecrets.map((secret) => ({ name: secret })) }),
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'guard',
              image: options.image,
              command: options.command ?? ownCommand,
              args: guardArguments({ rolloutId: lease.rolloutId, traffic, leaseMs: lease.leaseMs }),
              resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '192Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
}

const job = z.looseObject({
  metadata: z.looseObject({
    annotations: z.record(z.string(), z.string()).exactOptional(),
    deletionTimestamp: z.string().exactOptional(),
  }),
  status: z
    .looseObject({
      ready: z.int().exactOptional(),
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().exactOptional() }))
        .exactOptional(),
    })
    .exactOptional(),
});

/**
 * A guard as a Job in the cluster, in the namespace of the object it guards. It runs `sluice canary guard` (`guardRollout`): a shell with
 * kubectl could not do it, since going back means to take exactly that out of a route which the rollout put in, and only while the record
 * is still the one whose lease ran out. Installing waits until its pod runs, so that no traffic moves unguarded.
 */
export function jobGuard(client: KubernetesClient, traffic: KubernetesTraffic, options: GuardJobOptions): Guard {
  const name = guardJobName(traffic);
  const limit = options.startWithinMs ?? startLimit;
  const found = async (): Promise<z.infer<typeof job> | undefined> => {
    const object = await client.get(name);
    return object === undefined ? undefined : job.parse(object);
  };
  const gone = async (): Promise<void> => {
    await client.delete(name);
    const until = performance.now() + limit;
    while ((await found()) !== undefined) {
      if (performance.now() > until) throw new PeerError(notGone(name));
      await sleep(100);
    }
  };
  return {
    title: titleOf(name),
    async install({ expires, rolloutId }) {
      const leaseMs = Math.max(1000, expires.getTime() - (client.serverTime ?? Date.now()));
      // While it starts nobody renews the lease: better say that the guard does not run than let the lease run out.
      const until = performance.now() + Math.min(limit, 0.8 * leaseMs);
      for (;;) {
        const current = await found();
        const isOurs = current?.metadata.annotations?.[rolloutAnnotation] === rolloutId;
        const isUsable = isOurs && !isFinished(current) && current?.metadata.deletionTimestamp === undefined;
        // A longer lease is in the record, which the guard reads.
        if (isUsable && (current?.status?.ready ?? 0) > 0) return;
        if (current !== undefined && !isUsable) {
          const failed = isOurs ? current.status?.conditions?.find(({ type }) => type === 'Failed') : undefined;
          if (failed !== undefined) throw new PeerError(notRunning(name, failed.message));
          await gone();
          continue;
        }
        if (current === undefined) {
          const written = await client.create(
            jobKind,
            name.namespace,
            guardJob(traffic, { rolloutId, leaseMs }, options),
          );
          if (written.outcome === 'refused') throw new PeerError(written.problem);
          if (written.outcome === 'unknown' && performance.now() > until) throw new PeerError(written.problem);
        }
        if (performance.now() > until) throw new PeerError(notRunning(name, undefined));
        await sleep(100);
      }
    },
    remove: gone,
  };
}

function isFinished(found: z.infer<typeof job> | undefined): boolean {
  return (found?.status?.conditions ?? []).some(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
  );
}

function notRunning(name: ObjectName, message: string | undefined): PeerError['problems'][0] {
  return {
    code: 'guard-not-running',
    message: `the guard of the rollout, ${titleOf(name)}, does not run`,
    ...(message === undefined ? {} : { found: excerpt(message, 200) }),
    fix: `Look at its pod: "kubectl -n ${name.namespace} describe pods -l job-name=${name.name}"; the image must hold this version of sluice, and the service account must exist.`,
  };
}

function notGone(name: ObjectName): PeerError['problems'][0] {
  return {
    code: 'guard-stays',
    message: `${titleOf(name)} was deleted and stays`,
    fix: 'Find the finalizer that holds it; it does nothing once its rollout is over.',
  };
}
