import type { Manifest } from '../../constructs/kubernetes/fixtures/test-chart.ts';
import type { ApiAnswer, ControlPlane } from './control-plane.ts';

/** Kinds without a namespace. */
const clusterWide = new Set(['NodePool', 'EC2NodeClass', 'ClusterQueue', 'ResourceFlavor']);

/** Where the API server has the object of a manifest, in this namespace unless its kind has none. */
export function manifestPath({ apiVersion, kind, metadata }: Manifest, namespace: string): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind.toLowerCase().replace(/y$/, 'ie').replace(/s$/, 'se');
  return `${group}${clusterWide.has(kind) ? '' : `/namespaces/${namespace}`}/${plural}s/${metadata.name}`;
}

/** Applies a manifest as `kubectl apply --server-side --validate=strict` does. `dryRun`: only asks what would become of it. */
export function apply(
  cluster: ControlPlane,
  manifest: Manifest,
  namespace: string,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<ApiAnswer> {
  const query = `fieldManager=sluice&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  const here = clusterWide.has(manifest.kind)
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, namespace } };
  return cluster.ask('PATCH', `${manifestPath(manifest, namespace)}?${query}`, here, 'application/apply-patch+yaml');
}

/** Applies manifests one after another; throws at the first that is refused. */
export async function applyAll(
  cluster: ControlPlane,
  manifests: readonly Manifest[],
  namespace: string,
): Promise<void> {
  for (const manifest of manifests) {
    const { status, body } = await apply(cluster, manifest, namespace);
    if (status < 300) continue;
    throw new Error(
      `applying ${manifest.kind} ${manifest.metadata.name}: HTTP ${status} ${JSON.stringify(body).slice(0, 2000)}`,
    );
  }
}
