import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parsePolicy } from '../core/policy/index.ts';
import { analysisOfPolicy, settingsOfPolicy } from '../rollout/index.ts';

// The cluster of this example is in testbed/kubernetes; here its files are held against what reads them.

const example = join(import.meta.dirname, 'canary');
const workflows = join(example, '.github/workflows');
const action = parse(readFileSync(join(import.meta.dirname, '../actions/canary/action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, unknown>>;
};

test('the policy of examples/canary is one, and says how to roll out', () => {
  const { policy } = parsePolicy(readFileSync(join(example, 'sluice.yaml'), 'utf8'), 'sluice.yaml');
  const canary = policy.canary ?? expect.fail('no canary');
  expect(settingsOfPolicy(canary)).toMatchObject({ approval: true, minStage: 300_000, deadline: 43_200_000 });
  expect(analysisOfPolicy(canary)).toMatchObject({ errors: { detectRatio: 2 }, latency: { sloMs: 100 } });
});

test.each(readdirSync(workflows))('%s gives the action inputs that it has', (file) => {
  const workflow = parse(readFileSync(join(workflows, file), 'utf8')) as {
    readonly jobs: Readonly<
      Record<
        string,
        { readonly steps: readonly { readonly uses?: string; readonly with?: Readonly<Record<string, string>> }[] }
      >
    >;
  };
  const given = Object.values(workflow.jobs)
    .flatMap(({ steps }) => steps)
    .filter(({ uses = '' }) => uses.includes('/actions/canary@'))
    .flatMap((step) => Object.keys(step.with ?? {}));
  expect(given).toContain('command');
  expect(given.filter((name) => !(name in action.inputs))).toEqual([]);
});
