import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { filesOf, root } from './repository-files.ts';
import type { Peer } from './serving/peer.ts';
import { startSluice } from './serving/sluice.ts';

const model = { name: 'tumour', file: join(root, 'examples/smoke/models/tumour.onnx') };
const action = '/actions/smoke-test@v1';

/** The example's repository, and a server of its own that runs `served`. */
async function staging(served = model): Promise<{ readonly scene: Scene; readonly server: Peer } & AsyncDisposable> {
  const server = await startSluice([served]);
  const scene = await Scene.open({ main: filesOf('examples/smoke'), change: {} });
  return {
    scene,
    server,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

describe('actions/smoke-test under the real runner', () => {
  test('passes a server that runs the file of the repository', async () => {
    await using stage = await staging();
    const outcome = await stage.scene.run({ action, inputs: { url: stage.server.url }, network: 'on' });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed', failed: 0, errors: 0 });
    expect(outcome.summary).toContain('passed');
    expect(stage.scene.github.violations).toEqual([]);
  });

  test('fails on a server that runs another model under the same name', async () => {
    await using stage = await staging({
      name: model.name,
      file: join(root, 'examples/breast-cancer/models/worse.onnx'),
    });
    const outcome = await stage.scene.run({ action, inputs: { url: stage.server.url }, network: 'on' });

    expect(outcome.job, outcome.transcript).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'failed' });
    expect(outcome.summary).toContain('SHA-256 of the served model');
  });

  test('fails where no server is, and shows no token', async () => {
    await using stage = await staging();
    await stage.server.stop();
    const workflow = `
on: [pull_request]
permissions: { contents: read }
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: sluice-ml/sluice${action}
        id: gate
        with: { url: "${stage.server.url}", token-env: STAGING_TOKEN, deadline: 2s }
        env: { STAGING_TOKEN: very-secret-token }
`;
    const outcome = await stage.scene.run({ workflow, network: 'on' });

    expect(outcome.job, outcome.transcript).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'failed' });
    expect(outcome.transcript).not.toContain('very-secret-token');
    expect(outcome.summary).not.toContain('very-secret-token');
  });
});
