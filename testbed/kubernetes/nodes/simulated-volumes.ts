import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane.ts';

interface Claim {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly spec: {
    readonly accessModes: readonly string[];
    readonly storageClassName?: string;
    readonly resources: { readonly requests: { readonly storage: string } };
    readonly volumeName?: string;
  };
}

/** Makes a volume for every claim of a cluster, as the driver of a StorageClass would. Nothing is stored there. */
export function provideVolumes(cluster: ControlPlane): AsyncDisposable {
  const stop = new AbortController();
  const made = new Set<string>();
  const look = async (): Promise<void> => {
    const { items } = (await cluster.must('GET', '/api/v1/persistentvolumeclaims')) as {
      readonly items: readonly Claim[];
    };
    for (const {
      metadata: { namespace, name, uid },
      spec,
    } of items) {
      if (made.has(uid) || spec.volumeName !== undefined) continue;
      await cluster.must('POST', '/api/v1/persistentvolumes', {
        metadata: { name: `volume-${uid}` },
        spec: {
          capacity: spec.resources.requests,
          accessModes: spec.accessModes,
          storageClassName: spec.storageClassName ?? '',
          hostPath: { path: `/volumes/${uid}` },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        },
      });
      made.add(uid);
    }
  };
  const done = (async () => {
    while (!stop.signal.aborted) {
      await look();
      await sleep(250, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  // Told when it is stopped, and not as an error of nobody.
  done.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}
