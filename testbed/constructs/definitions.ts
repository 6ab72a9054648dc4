import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { goModule } from '../go-program.ts';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import dashboardSchema from './schemas/grafana-dashboard.json' with { type: 'json' };
import modelSchema from './schemas/seldon-model.json' with { type: 'json' };
import sparkSchema from './schemas/spark-application.json' with { type: 'json' };

/** Whose definitions, from which release of theirs. */
const published = [
  { module: 'github.com/aws/karpenter-provider-aws@v1.14.1', file: 'pkg/apis/crds/karpenter.sh_nodepools.yaml' },
  {
    module: 'github.com/aws/karpenter-provider-aws@v1.14.1',
    file: 'pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml',
  },
  { module: 'github.com/kedacore/keda/v2@v2.21.0', file: 'config/crd/bases/keda.sh_scaledobjects.yaml' },
  { module: 'github.com/ray-project/kuberay/ray-operator@v1.5.1', file: 'config/crd/bases/ray.io_rayservices.yaml' },
  {
    module: 'github.com/kubeflow/training-operator@v1.9.0',
    file: 'manifests/base/crds/kubeflow.org_pytorchjobs.yaml',
  },
  {
    module: 'github.com/kubeflow/trainer/v2@v2.3.0',
    file: 'manifests/base/crds/trainer.kubeflow.org_trainjobs.yaml',
  },
  ...(['resourceflavors', 'clusterqueues', 'localqueues'] as const).map((plural) => ({
    module: 'sigs.k8s.io/kueue@v0.15.0',
    file: `config/components/crd/bases/kueue.x-k8s.io_${plural}.yaml`,
  })),
  ...(['servicemonitors', 'podmonitors', 'prometheusrules'] as const).map((plural) => ({
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    file: `example/prometheus-operator-crd/monitoring.coreos.com_${plural}.yaml`,
  })),
] as const;

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly storage: boolean }[];
  };
}

/** Definitions of what the constructs use beyond the canary's kinds. */
export async function constructDefinitions(): Promise<readonly Definition[]> {
  const found = await Promise.all(
    published.map(async ({ module, file }) => {
      const text = readFileSync(join(await goModule(module), file), 'utf8');
      return parseAllDocuments(text).map((document) => document.toJS() as Definition | null);
    }),
  );
  return [...found.flat().filter((each) => each !== null), ...fromCharts];
}

/** Installs them, and waits until objects of them can be made. */
export async function installConstructDefinitions(cluster: ControlPlane): Promise<void> {
  for (const each of await constructDefinitions()) {
    const definition = storedAs(each, 'v1beta2');
    await cluster.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    const { group, names, versions, scope } = definition.spec;
    const version = versions.find(({ storage }) => storage)?.name ?? '';
    const list = `/apis/${group}/${version}${scope === 'Cluster' ? '' : '/namespaces/default'}/${names.plural}`;
    while ((await cluster.ask('GET', list)).status !== 200) await sleep(100);
  }
}

/**
 * Kueue 0.15 still stores v1beta1 and converts by a webhook that does not run here; without it only what the stored version has is kept. The
 * version the constructs write is stored instead, as Kueue's later releases do.
 */
function storedAs<Each extends Definition>(definition: Each, version: string): Each {
  const { spec } = definition;
  if (!spec.versions.some(({ name }) => name === version)) return definition;
  const versions = spec.versions.map((each) => ({ ...each, storage: each.name === version }));
  return { ...definition, spec: { ...spec, versions } };
}

/** Those in no Go module that the proxy has: the schemas of the projects' own charts, without descriptions. */
const fromCharts = [
  ['mlops.seldon.io', 'v1alpha1', 'Model', modelSchema],
  ['grafana.integreatly.org', 'v1beta1', 'GrafanaDashboard', dashboardSchema],
  // Without the fields that its pod templates say as well.
  ['sparkoperator.k8s.io', 'v1beta2', 'SparkApplication', sparkSchema],
].map(([group, version, kind, spec]) => {
  const plural = `${String(kind).toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    // Groups under k8s.io are Kubernetes' own to give: the API server wants to read that this one was not asked for.
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, as its project has it' },
    },
    spec: {
      group: String(group),
      scope: 'Namespaced' as const,
      names: { plural, singular: String(kind).toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        {
          name: String(version),
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
});
