import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import { goModule } from '../kubernetes/control-plane-binary.ts';
import modelSchema from './schemas/seldon-model.json' with { type: 'json' };

/** Whose definitions, from which release of theirs. */
const published = [
  { module: 'github.com/aws/karpenter-provider-aws@v1.14.1', file: 'pkg/apis/crds/karpenter.sh_nodepools.yaml' },
  {
    module: 'github.com/aws/karpenter-provider-aws@v1.14.1',
    file: 'pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml',
  },
  { module: 'github.com/kedacore/keda/v2@v2.21.0', file: 'config/crd/bases/keda.sh_scaledobjects.yaml' },
  { module: 'github.com/ray-project/kuberay/ray-operator@v1.5.1', file: 'config/crd/bases/ray.io_rayservices.yaml' },
] as const;

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly storage: boolean }[];
  };
}

/** Installs what the constructs use beyond the canary's kinds, and waits until objects of it can be made. */
export async function installConstructDefinitions(cluster: ControlPlane): Promise<void> {
  const found = await Promise.all(
    published.map(async ({ module, file }) => {
      const text = readFileSync(join(await goModule(module), file), 'utf8');
      return parseAllDocuments(text).map((document) => document.toJS() as Definition | null);
    }),
  );
  for (const definition of [...found.flat(), seldonModel]) {
    if (definition === null) continue;
    await cluster.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    const { group, names, versions, scope } = definition.spec;
    const version = versions.find(({ storage }) => storage)?.name ?? '';
    const list = `/apis/${group}/${version}${scope === 'Cluster' ? '' : '/namespaces/default'}/${names.plural}`;
    while ((await cluster.ask('GET', list)).status !== 200) await sleep(100);
  }
}

/** Seldon's are in no Go module that the proxy has: the schema of its own chart, without descriptions. */
const seldonModel = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'models.mlops.seldon.io' },
  spec: {
    group: 'mlops.seldon.io',
    scope: 'Namespaced' as const,
    names: { plural: 'models', singular: 'model', kind: 'Model', listKind: 'ModelList' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: modelSchema } },
        },
      },
    ],
  },
};
