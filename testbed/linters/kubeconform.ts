import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from '../go-program.ts';
import type { Finding } from './finding.ts';
import type { ManifestFile } from './manifest-files.ts';
import { schemaFile } from './manifest-schemas.ts';

const version = 'v0.8.0';

interface Report {
  readonly resources: readonly {
    readonly filename: string;
    readonly kind: string;
    readonly name: string;
    readonly status: 'statusValid' | 'statusInvalid' | 'statusError' | 'statusSkipped' | 'statusEmpty';
    readonly msg: string;
    readonly validationErrors?: readonly { readonly path: string; readonly msg: string }[] | null;
  }[];
}

/** What https://github.com/yannh/kubeconform refuses in its strict mode, by the schemas of a folder. */
export async function kubeconform(files: readonly ManifestFile[], schemas: string): Promise<readonly Finding[]> {
  const program = await goProgram({
    name: 'kubeconform',
    from: { module: 'github.com/yannh/kubeconform' },
    version,
    command: './cmd/kubeconform',
    go: '1.26',
  });
  const location = schemaFile('{{ .Group }}', '{{ .ResourceAPIVersion }}', '{{ .ResourceKind }}');
  const args = ['-strict', '-verbose', '-output', 'json', '-schema-location', join(schemas, location)];
  // It ends with 1 when anything is refused.
  const { stdout } = await promisify(execFile)(program, [...args, ...files.map(({ path }) => path)], {
    maxBuffer: 64 * 2 ** 20,
  }).catch((error: { readonly code?: number; readonly stdout?: string }) => {
    if (error.code !== 1 || error.stdout === undefined || error.stdout === '') throw error;
    return { stdout: error.stdout };
  });
  const { resources } = JSON.parse(stdout) as Report;
  const expected = files.reduce((count, { manifests }) => count + manifests.length, 0);
  const seen = resources.filter(({ status }) => status !== 'statusEmpty');
  if (seen.length !== expected) throw new Error(`kubeconform looked at ${seen.length} of ${expected} objects`);
  return seen
    .filter(({ status }) => status !== 'statusValid')
    .flatMap(({ filename, kind, name, msg, validationErrors }) => {
      const object = `${kind} ${name}`;
      const from = files.find(({ path }) => basename(path) === basename(filename))?.from ?? filename;
      const found = validationErrors?.map((each) => `${each.path} ${each.msg}`) ?? [];
      return (found.length === 0 ? [msg] : found).map(
        (message): Finding => ({
          rule: 'kubeconform schema',
          object,
          from,
          message,
        }),
      );
    });
}
