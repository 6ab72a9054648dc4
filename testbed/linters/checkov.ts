import { execFile } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../serving/python.ts';
import type { Finding } from './finding.ts';
import type { ManifestFile } from './manifest-files.ts';

const version = '3.3.30';

interface Report {
  readonly results: {
    readonly failed_checks: readonly {
      readonly check_id: string;
      readonly check_name: string;
      readonly file_path: string;
      /** `Deployment.shop.churn`; of a pod in a workload, its labels behind the workload's name. `AWS::S3::Bucket.Models9A1B2C3D`. */
      readonly resource: string;
    }[];
    readonly parsing_errors?: readonly string[];
  };
  readonly summary: { readonly passed: number };
}

/**
 * What https://www.checkov.io finds in Kubernetes' own kinds: everything, since its severities are its maker's service's. All files have to be
 * in one folder, which it reads in one go.
 * @throws when it could not read a file, or had nothing to look at
 */
export async function checkov(files: readonly ManifestFile[]): Promise<readonly Finding[]> {
  const failed = await checkovFindings('kubernetes', dirname(files[0]?.path ?? '.'));
  return failed.map(({ check_id, check_name, file_path, resource }) => {
    const [kind = '', , name = ''] = resource.split('.');
    return {
      rule: `checkov ${check_id}`,
      object: `${kind} ${name}`,
      from: files.find(({ path }) => basename(path) === basename(file_path))?.from ?? file_path,
      message: check_name,
    };
  });
}

/**
 * Everything Checkov finds in a folder.
 * @throws when it could not read a file, or had nothing to look at
 */
export async function checkovFindings(
  framework: 'kubernetes' | 'cloudformation',
  folder: string,
): Promise<Report['results']['failed_checks']> {
  const { bin } = await pythonEnvironment('checkov', [`checkov==${version}`]);
  const args = ['--framework', framework, '--directory', folder, '--output', 'json', '--compact', '--quiet'];
  const { stdout } = await promisify(execFile)(join(bin, 'checkov'), [...args, '--skip-download', '--soft-fail'], {
    maxBuffer: 64 * 2 ** 20,
    env: { ...process.env, ANSI_COLORS_DISABLED: '1', LOG_LEVEL: 'ERROR' },
  });
  const { results, summary } = JSON.parse(stdout) as Report;
  const unread = results.parsing_errors ?? [];
  if (unread.length > 0 || summary.passed + results.failed_checks.length === 0) {
    throw new Error(`Checkov could not read ${unread.join(', ') || 'anything'}`);
  }
  return results.failed_checks;
}
