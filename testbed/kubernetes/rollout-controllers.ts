import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { freePorts } from '../free-ports.ts';
import { goModule, goProgram } from '../go-program.ts';
import { type Peer, peerFolder, startPeer, textOf } from '../serving/peer.ts';
import type { ControlPlane } from './control-plane.ts';

/** The controllers that others roll releases out with. Not their newest: those need a newer Go. */
const published = {
  flagger: { module: 'github.com/fluxcd/flagger', version: 'v1.41.0', command: './cmd/flagger' },
  'argo-rollouts': {
    module: 'github.com/argoproj/argo-rollouts',
    version: 'v1.8.5',
    command: './cmd/rollouts-controller',
  },
} as const;

export type RolloutController = keyof typeof published;

/** `flagger v1.41.0` */
export function controllerTitle(name: RolloutController): string {
  return `${name} ${published[name].version}`;
}

/**
 * The controller's own program: from the cache, else built there once with Go (5 to 10 minutes of one core).
 * @throws when it is not there and cannot be built, with what to do
 */
export function controllerBinary(name: RolloutController): Promise<string> {
  const { module, version, command } = published[name];
  return goProgram({ name, from: { module }, version, command, go: '1.24' });
}

/** Installs the controller's definitions of custom resources, and starts it with every right on the cluster. */
export async function startRolloutController(
  cluster: ControlPlane,
  name: RolloutController,
  prometheus: string,
): Promise<Peer> {
  const command = await controllerBinary(name);
  await installDefinitionsOf(cluster, name);
  const [port = 0, healthPort = 0] = await freePorts(2);
  const args: Readonly<Record<RolloutController, readonly string[]>> = {
    flagger: [
      `-kubeconfig=${cluster.kubeconfig}`,
      '-mesh-provider=gatewayapi:v1',
      `-metrics-server=${prometheus}`,
      `-port=${port}`,
      '-log-level=info',
    ],
    'argo-rollouts': [
      `--kubeconfig=${cluster.kubeconfig}`,
      '--leader-elect=false',
      `--metricsport=${port}`,
      `--healthzPort=${healthPort}`,
    ],
  };
  const health = name === 'flagger' ? `http://127.0.0.1:${port}/healthz` : `http://127.0.0.1:${healthPort}/healthz`;
  return startPeer({
    name: controllerTitle(name),
    command,
    args: args[name],
    env: {},
    folder: peerFolder(name),
    addresses: { url: `http://127.0.0.1:${port}` },
    ready: async () => (await textOf(health)) !== undefined,
  });
}

interface Definition {
  readonly kind?: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly storage: boolean }[];
  };
}

async function installDefinitionsOf(cluster: ControlPlane, name: RolloutController): Promise<void> {
  const { module, version } = published[name];
  const folder = await goModule(`${module}@${version}`);
  const files =
    name === 'flagger'
      ? [join(folder, 'artifacts', 'flagger', 'crd.yaml')]
      : readdirSync(join(folder, 'manifests', 'crds'))
          .filter((file) => file.endsWith('-crd.yaml'))
          .map((file) => join(folder, 'manifests', 'crds', file));
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const definition = document.toJS() as Definition | null;
      if (definition?.kind !== 'CustomResourceDefinition') continue;
      await cluster.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
      const { group, names, versions } = definition.spec;
      for (const { name: served } of versions.filter(({ storage }) => storage)) {
        while ((await cluster.ask('GET', `/apis/${group}/${served}/${names.plural}`)).status !== 200) await sleep(100);
      }
    }
  }
}
