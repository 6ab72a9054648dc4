import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { breastCancerMain, breastCancerModel, root } from './repository-files.ts';
import { exportKit } from './runner/index.ts';

/** How this machine's npm reaches packages, for a runner that is told nothing else. What comes is checked against committed hashes. */
function registryAccess(): Readonly<Record<string, string>> {
  const npm = (name: string) => execFileSync('npm', ['config', 'get', name], { cwd: root, encoding: 'utf8' }).trim();
  const passed = ['NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => {
    const value = process.env[name] ?? process.env[name.toLowerCase()];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { SLUICE_NPM_REGISTRY: npm('registry'), ...Object.fromEntries(passed) };
}

describe('a consumer of sluice-ml/sluice@v1', () => {
  let scene: Scene;
  let runnerCache: string;
  beforeAll(async () => {
    scene = await Scene.open({ main: breastCancerMain(), change: { 'models/model.onnx': breastCancerModel('good') } });
    runnerCache = mkdtempSync(join(tmpdir(), 'sluice-runner-cache-'));
  });
  afterAll(async () => {
    rmSync(runnerCache, { recursive: true, force: true });
    await scene[Symbol.asyncDispose]();
  });

  test('gets a tree without node_modules', () => {
    expect(existsSync(join(exportKit(), 'dist', 'pull-request-gate', 'index.js'))).toBe(true);
    expect(existsSync(join(exportKit(), 'node_modules'))).toBe(false);
  });

  test('without a network and without native parts is told what to do', async () => {
    const outcome = await scene.run({ env: {} });

    expect(outcome.job).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'error' });
    const errors = outcome.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(errors[0]).toMatch(/cannot download .*SLUICE_NATIVE_DIR/);
    // One a package, with the fix said once.
    expect(errors.filter((message) => message.includes('SLUICE_NATIVE_DIR'))).toHaveLength(1);
    expect(outcome.log).not.toMatch(/\bat .*\(.*:\d+:\d+\)/);
  });

  test('without a network uses SLUICE_NATIVE_DIR', async () => {
    const outcome = await scene.run({ env: { SLUICE_NATIVE_DIR: root } });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed' });
  });

  test('with a network downloads the native parts once, into the tool cache', async () => {
    const outcome = await scene.run({ env: registryAccess(), network: 'on', runnerCache });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed' });

    const again = await scene.run({ env: {}, network: 'off', runnerCache });
    expect(gateOutputs(again), again.transcript).toMatchObject({ conclusion: 'passed' });
  });
});
