import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parsePolicy } from './parse-policy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Example {
  readonly name: string;
  readonly text: string;
}

async function filesOf(...patterns: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const file of glob(patterns, { cwd: root, exclude: (name) => name === 'node_modules' })) files.push(file);
  return files.sort();
}

/** The yaml blocks of a Markdown text whose first key is `version: 1`, each with its line. */
function policiesIn(markdown: string, file: string): readonly Example[] {
  return [...markdown.matchAll(/^( *)```ya?ml[^\n]*\n([\s\S]*?)^\1```/gm)].flatMap(
    ({ index, 1: indent = '', 2: block = '' }) => {
      const text = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
      if (!/^(\s*(#.*)?\n)*version: 1\s*(#.*)?$/m.test(text) || !/^(?:\s*(?:#.*)?\n)*version: 1\b/.test(text))
        return [];
      return [{ name: `${file}:${markdown.slice(0, index).split('\n').length}`, text }];
    },
  );
}

async function examples(): Promise<readonly Example[]> {
  const pages = await filesOf('*.md', 'docs/**/*.md', 'actions/*/README.md', 'examples/*/README.md');
  const policies = await filesOf('examples/*/sluice*.yaml', 'core/policy/fixtures/*.yaml');
  return [
    ...pages.flatMap((page) => policiesIn(readFileSync(join(root, page), 'utf8'), page)),
    ...policies.map((file) => ({ name: file, text: readFileSync(join(root, file), 'utf8') })),
  ];
}

it('finds the policies of a page', () => {
  const page =
    'a\n```yaml\n# first\nversion: 1\n```\n```yaml\non: push\nversion: 1\n```\n- b\n  ```yml\n  version: 1\n  name: c\n  ```\n';
  expect(policiesIn(page, 'p.md')).toEqual([
    { name: 'p.md:2', text: '# first\nversion: 1\n' },
    { name: 'p.md:11', text: 'version: 1\nname: c\n' },
  ]);
});

it('every policy shown in the documentation and the examples can be read', async () => {
  const shown = await examples();
  expect(shown.map(({ name }) => name)).toContain(join('core', 'policy', 'fixtures', 'design.yaml'));
  for (const { name, text } of shown) {
    expect(() => parsePolicy(text, name)).not.toThrow();
  }
});
