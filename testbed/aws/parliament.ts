import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Finding } from '../linters/finding.ts';
import { pythonEnvironment } from '../serving/python.ts';
import { policyDocuments } from './policy-documents.ts';
import type { TemplateFile } from './templates.ts';

/**
 * parliament (BSD-3; April 2025, with the actions, resources and condition keys of IAM of that day), and the package that it finds its data by,
 * which later versions of that one no longer have.
 */
const requirements = ['parliament==1.6.4', 'setuptools==80.9.0'];

interface Said {
  readonly issue: string;
  readonly detail: unknown;
}

/**
 * What https://github.com/duo-labs/parliament says of every policy in templates: actions that there are not, resources that an action does not
 * take, condition keys that it does not have, or of another type, and `*` where an action takes resources. What a rule is about is part of its
 * name, so that an exemption is of one action or key: `parliament RESOURCE_MISMATCH ec2:CreateFleet`.
 */
export async function parliament(files: readonly Omit<TemplateFile, 'path'>[]): Promise<readonly Finding[]> {
  const { python } = await pythonEnvironment('parliament', requirements);
  const policies = policyDocuments(files);
  const said = await asked(
    python,
    policies.map(({ document }) => JSON.stringify(document)),
  );
  return policies.flatMap(({ from, name }, index) =>
    (said[index] ?? []).flatMap(({ issue, detail }) => {
      const message = JSON.stringify(detail).slice(0, 300);
      return subjectsOf(detail).map((subject) => ({
        rule: `parliament ${issue}${subject}` as const,
        object: name,
        from,
        message,
      }));
    }),
  );
}

/** Of what a finding is: actions whose resources are not among those named, actions on `*`, a condition key of an action, a type. */
function subjectsOf(detail: unknown): readonly string[] {
  if (typeof detail === 'string') {
    const [, key, action] = /^Unknown condition (\S+) for action (\S+)$/.exec(detail) ?? [];
    if (key !== undefined) return [` ${key} of ${action}`];
    const [, typed] = /^Type mismatch: (\S+) requires/.exec(detail) ?? [];
    return [typed === undefined ? '' : ` ${typed}`];
  }
  if (!Array.isArray(detail)) return [''];
  const actions = detail.map((one: string | { readonly action: string }) =>
    typeof one === 'string' ? one : one.action,
  );
  return [...new Set(actions)].map((action) => ` ${action}`);
}

async function asked(python: string, lines: readonly string[]): Promise<readonly (readonly Said[])[]> {
  const child = spawn(python, ['-W', 'ignore', join(import.meta.dirname, 'iam_policies.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) output += String(chunk);
  const answers = output.trimEnd().split('\n');
  if (answers.length !== lines.length) throw new Error(`parliament answered ${answers.length} of ${lines.length}`);
  return answers.map((line) => JSON.parse(line) as readonly Said[]);
}
