import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Testing } from 'cdk8s';
import { gallery } from '../../../constructs/kubernetes/fixtures/gallery.ts';
import { type Manifest, manifestsOf } from '../../../constructs/kubernetes/fixtures/test-chart.ts';

/** The objects of one entry of the gallery, or of one example. */
export interface Rendered {
  readonly name: string;
  /** Of Kubernetes' own kinds. */
  readonly manifests: readonly Manifest[];
}

const ownGroups = /^(?:v1|(?:apps|autoscaling|batch|policy|networking\.k8s\.io|rbac\.authorization\.k8s\.io)\/v\d)$/;
const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'];

export function isWorkload({ kind }: Manifest): boolean {
  return workloadKinds.includes(kind);
}

/** Everything the constructs render that has workloads of Kubernetes' own kinds: the whole gallery and every example. */
export async function renderedWorkloads(): Promise<readonly Rendered[]> {
  const examples = join(import.meta.dirname, '..', '..', '..', 'examples');
  const folders = readdirSync(examples).filter((name) => name.startsWith('kubernetes-') && !name.includes('.'));
  const fromExamples = await Promise.all(
    folders.map(async (name) => {
      const { charts } = (await import(join(examples, name, 'charts.ts'))) as { readonly charts: (app: App) => void };
      const app = Testing.app();
      charts(app);
      return { name, manifests: app.charts.flatMap((chart) => Testing.synth(chart) as readonly Manifest[]) };
    }),
  );
  const fromGallery = Object.entries(gallery).map(([name, build]) => ({ name, manifests: manifestsOf(build) }));
  return [...fromGallery, ...fromExamples]
    .map(({ name, manifests }) => ({
      name,
      manifests: manifests.filter(({ apiVersion }) => ownGroups.test(apiVersion)).map(jobOfCronJob),
    }))
    .filter(({ manifests }) => manifests.some(isWorkload));
}

/** A CronJob as `kubectl create job --from` runs it now. */
function jobOfCronJob(manifest: Manifest): Manifest {
  if (manifest.kind !== 'CronJob') return manifest;
  const { metadata, spec } = manifest['spec'].jobTemplate;
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { ...metadata, name: manifest.metadata.name }, spec };
}

/** Claims that pods name and nobody renders: the user has them. */
export function claimsOfUser(manifests: readonly Manifest[]): readonly Manifest[] {
  const rendered = new Set(
    manifests.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(({ metadata: { name } }) => name),
  );
  const named: readonly string[] = manifests
    .filter(isWorkload)
    .flatMap(({ spec }) =>
      (spec.template.spec.volumes ?? []).flatMap(
        (volume: Manifest) => volume['persistentVolumeClaim']?.claimName ?? [],
      ),
    );
  return [...new Set(named)]
    .filter((name) => !rendered.has(name))
    .map((name) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '10Gi' } } },
    }));
}
