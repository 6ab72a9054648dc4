import { basename, dirname } from 'node:path';
import { checkovFindings } from '../linters/checkov.ts';
import type { Finding } from '../linters/finding.ts';
import { resourceName, type TemplateFile } from './templates.ts';

/** What https://www.checkov.io finds in templates: everything. All files have to be in one folder. */
export async function checkov(files: readonly TemplateFile[]): Promise<readonly Finding[]> {
  const failed = await checkovFindings('cloudformation', dirname(files[0]?.path ?? '.'));
  return failed.map(({ check_id, check_name, file_path, resource }) => {
    const [type = '', id = ''] = resource.split('.');
    return {
      rule: `checkov ${check_id}`,
      object: resourceName(type, id),
      from: basename(file_path, '.json'),
      message: check_name,
    };
  });
}
