import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { InferenceFailure, type InferenceLimits, InferenceProcess } from './inference-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-inference-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

let packages = 0;
/** A stand-in for ONNX Runtime whose sessions do `body` when they run. */
function runtimeThat(body: string, whenLoaded = ''): string {
  const folder = join(directory, `runtime-${packages++}`);
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'index.js'),
    `${whenLoaded};
    exports.env = {};
    exports.Tensor = class { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } };
    const text = (value) => ({ Y: { type: 'string', data: [value], dims: [1] } });
    exports.InferenceSession = { create: async (file) => ({ run: async (feeds) => { ${body} }, release: async () => {} }) };`,
  );
  return folder;
}

async function outcomeOf(runtime: string, limits: InferenceLimits = {}): Promise<unknown> {
  const process = new InferenceProcess(runtime, limits);
  try {
    await process.load('model.onnx');
    const { Y } = await process.run({}, ['Y']);
    return Y?.data[0];
  } catch (error) {
    if (!(error instanceof InferenceFailure)) throw error;
    return error.kind;
  } finally {
    await process.close();
  }
}

describe('the process a model runs in', () => {
  test('is told nothing of the environment but what programs need to start', async () => {
    vi.stubEnv('GITHUB_TOKEN', 'secret');
    vi.stubEnv('NODE_OPTIONS', '--no-deprecation');
    const names = String(await outcomeOf(runtimeThat('return text(Object.keys(process.env).sort().join())')));
    vi.unstubAllEnvs();
    expect(names).toContain('PATH');
    expect(names).not.toMatch(/TOKEN|NODE_OPTIONS|VITEST|GITHUB/);
  });

  test('that never answers is ended', async () => {
    expect(await outcomeOf(runtimeThat('for (;;);'), { milliseconds: 300 })).toBe('time');
    expect(await outcomeOf(runtimeThat('', 'for (;;);'), { milliseconds: 300 })).toBe('time');
  });

  test('that takes too much memory is ended, also while it computes', async () => {
    const hungry = runtimeThat('const held = []; for (;;) held.push(Buffer.alloc(1e7, 1));');
    expect(await outcomeOf(hungry, { memoryBytes: 200_000_000 })).toBe('memory');
  });

  test('that crashes is no crash of the one that asked', async () => {
    expect(await outcomeOf(runtimeThat('process.abort()'))).toBe('ended');
    expect(await outcomeOf(runtimeThat('process.exit(0)'))).toBe('ended');
  });

  test('that answers with too much is not listened to', async () => {
    const wide = runtimeThat("return { Y: { type: 'float32', data: new Float32Array(1000), dims: [1000] } }");
    expect(await outcomeOf(wide, { outputBytes: 4000 })).toBe(0);
    expect(await outcomeOf(wide, { outputBytes: 3999 })).toBe('too-large');
  });

  test('tells a library that does not load from a model that does not', async () => {
    expect(await outcomeOf(runtimeThat('', 'throw new Error("GLIBC_2.99 not found")'))).toBe('runtime');
    expect(await outcomeOf(runtimeThat('throw new Error("no")'))).toBe('refused');
  });

  test('answers requests that overlap one after the other, and none after it was closed', async () => {
    const process = new InferenceProcess(runtimeThat('return text(String(feeds.X.data[0]))'));
    const of = (value: number) => process.run({ X: { type: 'int8', data: Int8Array.of(value), dims: [1] } }, ['Y']);
    await process.load('model.onnx');
    const answers = await Promise.all([of(1), of(2), of(3)]);
    expect(answers.map(({ Y }) => Y?.data[0])).toEqual(['1', '2', '3']);
    await process.close();
    await process.close();
    await expect(of(4)).rejects.toMatchObject({ kind: 'ended' });
  });

  test('that is gone says why to every later request', async () => {
    const process = new InferenceProcess(runtimeThat('for (;;);'), { milliseconds: 3000 });
    await process.load('model.onnx');
    const failures = await Promise.allSettled([process.run({}, ['Y']), process.run({}, ['Y'])]);
    await process.close();
    expect(failures.map((failure) => failure.status === 'rejected' && failure.reason.kind)).toEqual(['time', 'time']);
  });
});
