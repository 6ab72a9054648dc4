import { join } from 'node:path';
import { goProgram } from '../go-program.ts';

/** The version of Kubernetes in control-plane/go.mod. */
export const kubernetesVersion = 'v1.33.13';

/**
 * Kubernetes' own control plane and etcd as one program, selected by its first argument: from the cache, else built there once with Go
 * (control-plane/main.go; 5 to 20 minutes on two cores).
 * @throws when it is not there and cannot be built, with what to do
 */
export function controlPlaneBinary(): Promise<string> {
  const [, minor = ''] = kubernetesVersion.split('.');
  // Without them the server calls itself v0.0.0, and code that asks for the version misbehaves.
  const facts = { gitVersion: kubernetesVersion, gitMajor: '1', gitMinor: minor, gitTreeState: 'clean' };
  return goProgram({
    name: 'kubernetes',
    from: { folder: join(import.meta.dirname, 'control-plane') },
    version: kubernetesVersion,
    command: '.',
    go: '1.24',
    linkerFlags: Object.entries(facts)
      .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
      .join(' '),
  });
}
