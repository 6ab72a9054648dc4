import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Scene } from './gate-run.ts';
import { breastCancerMain, filesOf, root } from './repository-files.ts';
import type { Files } from './runner/index.ts';

async function expectsToPass(main: Files, workflow: string): Promise<void> {
  await using scene = await Scene.open({ main, change: {} });
  const outcome = await scene.run({ workflow });

  expect(outcome.job, outcome.transcript).toBe('success');
  expect(outcome.summary).toContain(scene.project.headSha);
  expect(scene.github.comments).toHaveLength(1);
  expect(scene.github.checkRuns).toHaveLength(1);
  expect(scene.github.violations).toEqual([]);
}

test.each(['breast-cancer', 'diabetes'])('examples/%s, copied, passes by its own workflow', async (name) => {
  const files = filesOf(`examples/${name}`);

  await expectsToPass(files, String(files['.github/workflows/quality-gate.yml']));
});

test('the workflow to paste from the README works', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const workflow = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)]
    .map((match) => match[1] ?? '')
    .find((text) => text.includes('uses: sluice-ml/sluice'));

  await expectsToPass(breastCancerMain(), workflow ?? 'the README has no workflow');
});
