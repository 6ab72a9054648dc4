import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Finding } from '../linters/finding.ts';
import { npmPackage } from '../npm-package.ts';
import { resourceIn, type TemplateFile } from './templates.ts';

const run = promisify(execFile);

/** https://github.com/cdklabs/cdk-validator-cfnguard: AWS's program cfn-guard 3.1 and the proactive controls of AWS Control Tower for it. */
const packaged = {
  name: '@cdklabs/cdk-validator-cfnguard',
  version: '0.0.62',
  integrity: 'sha512-Sg2k8067B0AIJ82QFSLhHTUIqxOYTKABvVrTHiyc6j0rE2NHli2diIYqf+w+DkuDKCYYgMIOga3OrYMOHUw0mQ==',
};

interface FileReport {
  readonly name: string;
  readonly not_compliant: readonly { readonly Rule: { readonly name: string } }[];
  readonly not_applicable: readonly string[];
  readonly compliant: readonly string[];
}

/**
 * What the proactive controls of AWS Control Tower refuse, which an account under it would refuse at deployment. All files have to be in one
 * folder with no other JSON in it.
 * @throws when it did not look at each of them
 */
export async function cfnGuard(files: readonly TemplateFile[]): Promise<readonly Finding[]> {
  const { program, rules } = await guard();
  const folder = dirname(files[0]?.path ?? '.');
  const args = ['validate', '--rules', rules, '--data', folder, '--type', 'CFNTemplate', '--output-format', 'json'];
  // It ends with 19 when anything is refused.
  const { stdout } = await run(program, [...args, '--structured', '--show-summary', 'none'], {
    maxBuffer: 256 * 2 ** 20,
  }).catch((error: { readonly code?: number; readonly stdout?: string }) => {
    if (error.code !== 19 || error.stdout === undefined) throw error;
    return { stdout: error.stdout };
  });
  const reports = JSON.parse(stdout) as readonly FileReport[];
  return files.flatMap((file) => {
    const report = reports.find(({ name }) => resolve(name) === resolve(file.path));
    if (report === undefined) throw new Error(`cfn-guard did not look at ${file.path}`);
    return report.not_compliant.flatMap(({ Rule }) => {
      const trace = JSON.stringify(Rule);
      const [, control = Rule.name, message = Rule.name] = /\[(CT\.[A-Z0-9.]+)\]: ([^\\"]*)/.exec(trace) ?? [];
      const resources = new Set([...trace.matchAll(/\/Resources\/(\w+)/g)].map(([, id = '']) => resourceIn(file, id)));
      if (resources.size === 0) throw new Error(`cfn-guard does not say which resource breaks ${Rule.name}`);
      return [...resources].map(
        (object): Finding => ({ rule: `cfn-guard ${control}`, object, from: file.from, message }),
      );
    });
  });
}

async function guard(): Promise<{ readonly program: string; readonly rules: string }> {
  const folder = await npmPackage(packaged);
  const machine = `${process.platform === 'darwin' ? 'macos' : 'ubuntu'}/${arch() === 'arm64' ? 'aarch64' : 'x86_64'}`;
  const program = join(folder, 'bin', machine, 'cfn-guard');
  chmodSync(program, 0o755);
  return { program, rules: join(folder, 'rules', 'control-tower', 'cfn-guard') };
}
