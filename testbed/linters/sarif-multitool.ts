import { execFile } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { npmPackage } from '../npm-package.ts';

/** https://github.com/microsoft/sarif-sdk: the validator of those who wrote the format, its schema inside. */
const multitool = {
  name: '@microsoft/sarif-multitool-linux',
  version: '5.7.0',
  integrity: 'sha512-NxUbpq6ISCWoTQ/NfOYEwEDKq1Heka/rMoJ5R5LMydcAZQX/X7g5mWHcgxDub+0M07LC96tZ5LZHvF1Qy3gjTA==',
};

interface Findings {
  readonly runs: readonly {
    readonly results?: readonly {
      readonly ruleId: string;
      readonly level?: string;
      readonly locations?: readonly {
        readonly physicalLocation: { readonly artifactLocation: { readonly uri?: string } };
      }[];
      readonly message: { readonly id?: string; readonly arguments?: readonly string[]; readonly text?: string };
    }[];
  }[];
}

/**
 * What SARIF files break: of the schema, of the specification, and of what GitHub's code scanning takes. Advice (notes) is left out.
 * `folder`: for its report.
 * @throws when it could not look at a file
 */
export async function sarifErrors(files: readonly string[], folder: string): Promise<readonly string[]> {
  if (process.platform !== 'linux') throw new Error('the SARIF Multitool is brought for Linux only');
  const program = join(await npmPackage(multitool), 'Sarif.Multitool');
  chmodSync(program, 0o755);
  const output = join(folder, 'findings.sarif');
  const rules = ['--rule-kind', 'Sarif;Ghas', '--level', 'Error;Warning;Note', '--log', 'ForceOverwrite'];
  // It ends with 1 when it finds something; its report says what.
  await promisify(execFile)(program, ['validate', ...files, ...rules, '--output', output], {
    // Its .NET finds no ICU on slim machines, and needs none.
    env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
  }).catch((error: { readonly code?: number }) => {
    if (error.code !== 1) throw error;
  });
  const { runs } = JSON.parse(readFileSync(output, 'utf8')) as Findings;
  const found = runs.flatMap(({ results = [] }) =>
    results.map(({ ruleId, level = 'warning', message, locations = [] }) => ({
      level,
      file: basename(locations[0]?.physicalLocation.artifactLocation.uri ?? ''),
      text: [level, ruleId, message.text ?? '', ...(message.arguments ?? [])].join(' '),
    })),
  );
  // A file that it cannot take in at all it passes over in silence. Advice it has for every other.
  const unread = files.map((file) => basename(file)).filter((file) => !found.some((one) => one.file === file));
  if (unread.length > 0) throw new Error(`the SARIF Multitool could not read ${unread.join(', ')}`);
  return found.filter(({ level }) => level !== 'note').map(({ file, text }) => `${file} ${text}`);
}
