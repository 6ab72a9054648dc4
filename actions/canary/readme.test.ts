import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parsePolicy } from '../../core/policy/index.ts';
import { canaryCommands } from './canary-inputs.ts';

const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
const definition = parse(readFileSync(new URL('./action.yml', import.meta.url), 'utf8')) as {
  readonly inputs: Readonly<Record<string, unknown>>;
};
const examples = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

test('the policies of the README parse', () => {
  const policies = examples.filter((text) => text.startsWith('version:'));
  const kinds = policies.map((text) => parsePolicy(text, 'README.md').policy.canary?.strategy.kind);
  expect(kinds).toEqual(['steps', 'adaptive']);
});

test('the workflows of the README give inputs that there are', () => {
  const given = examples.flatMap((text) => [
    ...[...text.matchAll(/with: \{ ([\w-]+):/g)].map(([, name = '']) => name),
    ...[...text.matchAll(/with:\n((?: {10}.+\n)+)/g)].flatMap(([, block = '']) =>
      [...block.matchAll(/^ {10}([\w-]+):/gm)].map(([, name = '']) => name),
    ),
  ]);
  expect(given).toContain('metrics-url');
  expect(given).toContain('command');
  expect(given.filter((name) => !(name in definition.inputs))).toEqual([]);
});

test('the commands of the README are those that there are', () => {
  const [, options = ''] = /options: \[([^\]]+)\]/.exec(readme) ?? [];
  const named = options.split(',').map((word) => word.trim());
  expect(named.filter((word) => !canaryCommands.some((command) => command === word))).toEqual([]);
  expect(named).toContain('abort');
});
