import type { ControlPlane } from '../control-plane.ts';
import { watchList } from '../watched-list.ts';

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources?: { readonly limits?: Readonly<Record<string, string>> } }[];
  };
  readonly status: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

interface EndpointSlice {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
  readonly endpoints: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/** The extremes of a number that changes. */
interface Range {
  readonly least: number;
  readonly most: number;
}

/** What a Service's users had, at every moment since the record began. */
export interface ReadinessRecord extends AsyncDisposable {
  /** Pods that were ready and not about to go. */
  readonly readyPods: Range;
  /** Addresses that routers were told to send requests to. */
  readonly readyEndpoints: Range;
  /** Pods that were there at all, also those on their way out. */
  readonly pods: Range;
}

/** Whether a pod is ready and stays. */
export function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** Records the pods of an instance and the endpoints of its Service, by watches: a moment that is shorter than any question is seen, too. */
export async function recordReadiness(
  cluster: ControlPlane,
  namespace: string,
  name: string,
): Promise<ReadinessRecord> {
  const [readyPods, readyEndpoints, pods] = [newRange(), newRange(), newRange()];
  const podList = `/api/v1/namespaces/${namespace}/pods?labelSelector=app.kubernetes.io/instance%3D${name}`;
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io/service-name%3D${name}`;
  const watches = await Promise.all([
    watchList<Pod>(cluster, podList, (items) => {
      pods.add(items.length);
      readyPods.add(items.filter(isReady).length);
    }),
    watchList<EndpointSlice>(cluster, slices, (items) => {
      const endpoints = items.flatMap((each) => each.endpoints ?? []);
      readyEndpoints.add(endpoints.filter(({ conditions }) => conditions?.ready === true).length);
    }),
  ]);
  return {
    readyPods,
    readyEndpoints,
    pods,
    async [Symbol.asyncDispose]() {
      for (const watch of watches) await watch[Symbol.asyncDispose]();
    },
  };
}

function newRange(): Range & { add(value: number): void } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    get least() {
      return least;
    },
    get most() {
      return most;
    },
    add(value) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    },
  };
}
