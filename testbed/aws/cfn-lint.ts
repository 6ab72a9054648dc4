import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Finding } from '../linters/finding.ts';
import { awsPython } from './python.ts';
import { resourceIn, type TemplateFile } from './templates.ts';

interface Match {
  readonly Filename: string;
  readonly Level: 'Error' | 'Warning' | 'Informational';
  readonly Location: { readonly Path: readonly (string | number)[] };
  readonly Message: string;
  readonly Rule: { readonly Id: string };
}

/**
 * Beside errors and warnings: what is kept of things with data is said (I3011, I3013), no partition is written out (I3042), and statements name
 * resources their actions take (I3510).
 */
const informational = ['I3011', 'I3013', 'I3042', 'I3510'];

/** What https://github.com/aws-cloudformation/cfn-lint says of templates, by the schemas of resources that it brings along. */
export async function cfnLint(files: readonly TemplateFile[]): Promise<readonly Finding[]> {
  const { bin } = await awsPython();
  const args = ['--format', 'json', '--include-checks', ...informational, '--', ...files.map(({ path }) => path)];
  // It ends with 2 to 14 when there is anything, and with 1 or 3x when it could not be run.
  const { stdout } = await promisify(execFile)(join(bin, 'cfn-lint'), args, { maxBuffer: 64 * 2 ** 20 }).catch(
    (error: { readonly code?: number; readonly stdout?: string }) => {
      if (error.code === undefined || error.code < 2 || error.code > 14 || !error.stdout?.startsWith('[')) throw error;
      return { stdout: error.stdout };
    },
  );
  return (JSON.parse(stdout) as readonly Match[]).map(({ Filename, Location, Message, Rule }) => {
    const file = files.find(({ path }) => resolve(path) === resolve(Filename));
    if (file === undefined) throw new Error(`cfn-lint speaks of ${Filename}, which it was not given`);
    const [section, id = ''] = Location.Path;
    return {
      rule: `cfn-lint ${Rule.Id}`,
      object: section === 'Resources' ? resourceIn(file, String(id)) : `template ${file.from}`,
      from: file.from,
      message: `${Location.Path.slice(2).join('/')}: ${Message.slice(0, 300)}`,
    };
  });
}
