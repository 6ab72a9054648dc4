import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { breastCancerMain, breastCancerModel, root } from './repository-files.ts';
import { exportKit } from './runner/index.ts';

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
    expect(outcome.annotations.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(outcome.annotations.map(({ message }) => message).join()).toMatch(/SLUICE_NATIVE_DIR/);
    expect(outcome.log).not.toMatch(/\bat .*\(.*:\d+:\d+\)/);
  });

  test('without a network uses SLUICE_NATIVE_DIR', async () => {
    const outcome = await scene.run({ env: { SLUICE_NATIVE_DIR: root } });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed' });
  });

  test('with a network downloads the native parts once, into the tool cache', async () => {
    // Where this machine's npm gets packages; what comes is checked against committed hashes.
    const registry = execFileSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8' }).trim();
    const outcome = await scene.run({ env: { SLUICE_NPM_REGISTRY: registry }, network: 'on', runnerCache });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed' });

    const again = await scene.run({ env: {}, network: 'off', runnerCache });
    expect(gateOutputs(again), again.transcript).toMatchObject({ conclusion: 'passed' });
  });
});
