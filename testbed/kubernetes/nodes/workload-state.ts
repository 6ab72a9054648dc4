import type { Manifest } from '../../../constructs/kubernetes/fixtures/test-chart.ts';
import type { ControlPlane } from '../control-plane.ts';
import { manifestPath } from '../manifests.ts';
import type { Pod } from './readiness-record.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Workload {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly replicas?: number;
    readonly completions?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    // Absent means none.
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly succeeded?: number;
  };
}

/**
 * What a workload still lacks, by its own status and its pods': `undefined` once every pod of a Deployment, StatefulSet or DaemonSet is of its
 * newest version and available and no other is left, or once a Job is complete.
 */
export async function lackOf(
  cluster: ControlPlane,
  namespace: string,
  manifest: Manifest,
): Promise<string | undefined> {
  const workload = (await cluster.must('GET', manifestPath(manifest, namespace))) as Workload;
  const lack = lackByStatus(manifest.kind, workload);
  if (lack === undefined) return undefined;
  const pods = await podsOf(cluster, namespace, workload.spec.selector.matchLabels);
  const reasons = pods.flatMap(
    ({ metadata, status }) =>
      status.conditions?.flatMap(({ status: is, message }) =>
        is === 'False' && message !== undefined ? [`${metadata.name}: ${message}`] : [],
      ) ?? [],
  );
  const told = workload.status.conditions?.flatMap(({ message }) => message ?? []) ?? [];
  return [`${manifest.kind} ${manifest.metadata.name}: ${lack}`, ...told, ...reasons].join('; ');
}

function lackByStatus(kind: string, { metadata, spec, status }: Workload): string | undefined {
  if (kind === 'Job') {
    const complete = status.conditions?.some(({ type, status: is }) => type === 'Complete' && is === 'True');
    return complete === true ? undefined : `${status.succeeded ?? 0} of ${spec.completions ?? 1} pods succeeded`;
  }
  if (status.observedGeneration !== metadata.generation) return 'its controller has not seen it';
  if (kind === 'DaemonSet') {
    const { desiredNumberScheduled: wanted = 0, numberAvailable = 0 } = status;
    return wanted > 0 && numberAvailable === wanted ? undefined : `${numberAvailable} of ${wanted} pods are available`;
  }
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  if ([replicas, updatedReplicas, availableReplicas].every((count) => count === wanted)) return undefined;
  return `of ${wanted} pods ${updatedReplicas} are new, ${availableReplicas} available, ${replicas} there`;
}

/** The pods with these labels that are not on their way out. */
export async function podsOf(
  cluster: ControlPlane,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<readonly Pod[]> {
  const selector = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
  const { items } = (await cluster.must('GET', path)) as { readonly items: readonly Pod[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}
