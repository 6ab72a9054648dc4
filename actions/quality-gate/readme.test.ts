import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parsePolicy } from '../../core/policy/index.ts';

const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/(<!-- not a policy -->\n)?```yaml\n([\s\S]*?)```/g)]
  .filter(([, mark]) => mark === undefined)
  .map(([, , text = '']) => text);

/** A part of a policy with the rest that it needs. */
function completed(example: string): string {
  if (example.startsWith('version:')) return example;
  const has = (key: string) => new RegExp(`^${key}:`, 'm').test(example);
  return [
    'version: 1',
    ...(has('model') ? [] : ['model: { path: m.onnx }']),
    ...(has('evaluation') ? [] : ['evaluation: { source: e.csv, target: y }']),
    ...(has('gates') ? [] : ['gates: { accuracy: { min: 0.9 } }']),
    example,
  ].join('\n');
}

it.each(examples.map((example) => [example.split('\n').slice(0, 3).join(' ').slice(0, 80), example]))(
  'shows a policy that parses: %s',
  (_, example) => {
    expect(parsePolicy(completed(example), 'README.md').policy.version).toBe(1);
  },
);

it('shows one for each part of the policy that the gate reads', () => {
  expect(examples.length).toBeGreaterThan(8);
});
