import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Chart, Testing, Yaml } from 'cdk8s';
import { gallery } from '../../constructs/kubernetes/fixtures/gallery.ts';
import type { Manifest } from '../../constructs/kubernetes/fixtures/test-chart.ts';
import type { PodTemplate } from '../../constructs/kubernetes/pod/pod-spec.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples');

/** What belongs together: the objects of one construct of the gallery, or of one chart of an example. */
export interface ManifestFile {
  /** `rag-stack`, or `kubernetes-rag handbook`. */
  readonly from: string;
  /** Path of a YAML file with all of them, and with the pods that controllers make of custom resources. */
  readonly path: string;
  readonly manifests: readonly Manifest[];
}

/** Writes every manifest of every construct and of the examples into a folder. */
export async function writeManifestFiles(folder: string): Promise<readonly ManifestFile[]> {
  const ofConstructs = Object.entries(gallery).map(([from, build]) => {
    // A namespace for each: what one has must not be what another lacks.
    const chart = new Chart(Testing.app(), 'shop', { namespace: from });
    build(chart);
    return { from, manifests: Testing.synth(chart) as readonly Manifest[] };
  });
  const names = readdirSync(examples).filter((name) => name.startsWith('kubernetes-') && !name.includes('.'));
  const ofExamples = await Promise.all(
    names.map(async (name) => {
      const { charts } = (await import(`../../examples/${name}/charts.ts`)) as { readonly charts: (app: App) => void };
      const app = Testing.app();
      charts(app);
      return app.charts.map((chart) => ({
        from: `${name} ${chart.node.id}`,
        manifests: Testing.synth(chart) as readonly Manifest[],
      }));
    }),
  );
  return [...ofConstructs, ...ofExamples.flat()].map((file) => writeManifestFile(folder, file));
}

/** Writes manifests into a file of a folder. */
export function writeManifestFile(folder: string, { from, manifests }: Omit<ManifestFile, 'path'>): ManifestFile {
  const path = join(folder, `${from.replaceAll(' ', '.')}.yaml`);
  const all = [...manifests, ...manifests.flatMap(podsOf)];
  // As cdk8s itself writes it.
  writeFileSync(path, Yaml.stringify(...all));
  return { from, path, manifests: all };
}

/** The pods that controllers make of a custom resource: linters know no such kinds, and know pods. */
function podsOf({ kind, metadata, spec }: Manifest): readonly Manifest[] {
  const pod = (role: string, template: PodTemplate): Manifest => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      name: `${metadata.name}-${role}`,
      ...('namespace' in metadata ? { namespace: metadata.namespace } : {}),
    },
    spec: template.spec,
  });
  if (kind === 'PyTorchJob') {
    const replicas: Readonly<Record<string, { readonly template: PodTemplate }>> = spec.pytorchReplicaSpecs;
    return Object.entries(replicas).map(([role, { template }]) => pod(role.toLowerCase(), template));
  }
  if (kind === 'RayService') {
    const { headGroupSpec, workerGroupSpecs } = spec.rayClusterConfig;
    return [headGroupSpec, ...workerGroupSpecs].map(({ groupName = 'head', template }) => pod(groupName, template));
  }
  if (kind === 'SparkApplication')
    return [pod('driver', spec.driver.template), pod('executor', spec.executor.template)];
  return [];
}
