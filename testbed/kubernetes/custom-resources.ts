import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { goModule } from '../go-program.ts';
import type { ControlPlane } from './control-plane.ts';
import experimentSchema from './schemas/experiment.json' with { type: 'json' };
import seldonDeploymentSchema from './schemas/seldon-deployment.json' with { type: 'json' };

/** Whose definitions, from which release of theirs. */
const published = {
  istio: { module: 'istio.io/api@v1.31.1', file: 'kubernetes/customresourcedefinitions.gen.yaml' },
  'gateway-api': {
    module: 'sigs.k8s.io/gateway-api@v1.6.3',
    file: 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml',
  },
  kserve: {
    module: 'github.com/kserve/kserve@v0.20.0',
    file: 'config/crd/full/serving.kserve.io_inferenceservices.yaml',
  },
} as const;

/** Kinds of definitions: what a test needs and no more, since each costs the API server memory. */
const wanted: Readonly<Record<keyof typeof published, readonly string[]>> = {
  istio: ['virtualservices.networking.istio.io', 'destinationrules.networking.istio.io'],
  'gateway-api': ['httproutes.gateway.networking.k8s.io'],
  kserve: ['inferenceservices.serving.kserve.io'],
};

export type Definitions = keyof typeof published | 'seldon';

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly storage: boolean }[];
  };
}

/** Installs the definitions of custom resources and waits until objects of them can be made. */
export async function installDefinitions(cluster: ControlPlane, ...of: readonly Definitions[]): Promise<void> {
  for (const definition of (await Promise.all(of.map(definitionsOf))).flat()) {
    await cluster.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    const { group, names, versions } = definition.spec;
    for (const { name } of versions.filter(({ storage }) => storage)) {
      const list = `/apis/${group}/${name}/namespaces/default/${names.plural}`;
      while ((await cluster.ask('GET', list)).status !== 200) await sleep(100);
    }
  }
}

/** A project's definitions, of the kinds that are wanted here. */
export async function definitionsOf(project: Definitions): Promise<readonly Definition[]> {
  if (project === 'seldon') return seldonDefinitions;
  const { module, file } = published[project];
  const text = readFileSync(join(await goModule(module), file), 'utf8');
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Definition | null)
    .filter((definition) => definition !== null && wanted[project].includes(definition.metadata.name)) as Definition[];
}

/**
 * Seldon's definitions are in no Go module that the proxy has. Their schemas are those of its own charts without descriptions; of the pods in
 * a SeldonDeployment's `componentSpecs` everything is taken.
 */
const seldonDefinitions: readonly Definition[] = [
  seldonDefinition('machinelearning.seldon.io', 'v1', 'SeldonDeployment', seldonDeploymentSchema),
  seldonDefinition('mlops.seldon.io', 'v1alpha1', 'Experiment', experimentSchema),
];

function seldonDefinition(group: string, version: string, kind: string, spec: object): Definition {
  const plural = `${kind.toLowerCase()}s`;
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          },
        },
      ],
    },
  };
  return definition;
}
