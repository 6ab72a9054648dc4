import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { goProgram } from '../go-program.ts';
import { kubernetesVersion } from '../kubernetes/control-plane-binary.ts';
import type { Finding } from './finding.ts';
import type { ManifestFile } from './manifest-files.ts';

/** The newest of https://github.com/zegl/kube-score that Go's proxy has. */
const version = 'v1.20.0';

/** Its grade of what it calls critical; 5 is a warning. */
const critical = 1;

interface ScoredObject {
  readonly type_meta: { readonly kind: string };
  readonly object_meta: { readonly name: string };
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
  }[];
}

/** What https://github.com/zegl/kube-score calls critical. It knows Kubernetes' own kinds, and looks at the objects of a file together. */
export async function kubeScore(files: readonly ManifestFile[]): Promise<readonly Finding[]> {
  const program = await goProgram({
    name: 'kube-score',
    from: { module: 'github.com/zegl/kube-score' },
    version,
    command: './cmd/kube-score',
    go: '1.25',
  });
  const findings: Finding[] = [];
  for (const { from, path } of files) {
    const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(kubernetesVersion) ?? [];
    const args = ['score', '--output-format', 'json', '--kubernetes-version', `v${major}.${minor}`, path];
    // It ends with 1 when anything is critical.
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 * 2 ** 20 }).catch(
      (error: { readonly code?: number; readonly stdout?: string }) => {
        if (error.code !== 1 || error.stdout === undefined || error.stdout === '') throw error;
        return { stdout: error.stdout };
      },
    );
    for (const { type_meta, object_meta, checks } of (JSON.parse(stdout) ?? []) as readonly ScoredObject[]) {
      for (const { check, grade, skipped, comments } of checks) {
        if (skipped || grade > critical) continue;
        for (const { path: container, summary } of comments ?? [{ path: '', summary: check.id }]) {
          findings.push({
            rule: `kube-score ${check.id}`,
            object: `${type_meta.kind} ${object_meta.name}${container === '' ? '' : `, container ${container}`}`,
            from,
            message: summary,
          });
        }
      }
    }
  }
  return findings;
}
