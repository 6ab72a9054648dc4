import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { type Feeds, identityModel, linearModel, type Outputs } from '../../core/onnx/index.ts';
import type { RunFailure, Runner } from './runner.ts';
import { openWorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-pool-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

let files = 0;
function save(content: Uint8Array): string {
  const file = join(directory, `model-${files++}.onnx`);
  writeFileSync(file, content);
  return file;
}

interface Events {
  readonly warnings: string[];
  readonly broken: string[];
}

async function poolOf(path: string, more: Partial<WorkerPoolOptions> = {}): Promise<Runner & Events> {
  const events: Events = { warnings: [], broken: [] };
  const pool = await openWorkerPool({
    path,
    native: {},
    warmUp: undefined,
    warmUpRuns: 0,
    workers: 1,
    stuckAfterMs: 60_000,
    warn: (message) => events.warnings.push(message),
    onBroken: (reason) => events.broken.push(reason),
    ...more,
  });
  return Object.assign(pool, events);
}

function run(pool: Runner, feeds: Feeds): Promise<{ failure: RunFailure | undefined; outputs: Outputs | undefined }> {
  return new Promise((resolve) => pool.run(feeds, ['Y'], (failure, outputs) => resolve({ failure, outputs })));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

const row = (...values: number[]): Feeds => ({
  X: { type: 'float32', data: Float32Array.from(values), dims: [1, values.length] },
});
const words = (count: number): Feeds => ({
  X: { type: 'string', data: Array.from({ length: count }, (_, index) => `${index} ${'x'.repeat(50)}`), dims: [count] },
});

test('several threads run at once, and each answer is right', async () => {
  const pool = await poolOf(save(linearModel([[1], [10]], [0.5])), { workers: 2 });
  expect(pool.free).toBe(2);
  const first = run(pool, row(1, 2));
  const second = run(pool, row(3, 4));
  expect(pool.free).toBe(0);
  expect((await first).outputs).toEqual({ Y: { type: 'float32', data: Float32Array.of(21.5), dims: [1, 1] } });
  expect((await second).outputs).toEqual({ Y: { type: 'float32', data: Float32Array.of(43.5), dims: [1, 1] } });
  expect(pool.free).toBe(2);
  await pool.close();
});

test('texts go to a thread and back', async () => {
  const pool = await poolOf(save(identityModel('string', ['batch'])));
  const { outputs } = await run(pool, { X: { type: 'string', data: ['서울', ''], dims: [2] } });
  expect(outputs).toEqual({ Y: { type: 'string', data: ['서울', ''], dims: [2] } });
  await pool.close();
});

test('what ONNX Runtime refuses fails one run, and the thread goes on', async () => {
  const pool = await poolOf(save(linearModel([[1], [10]], [0])));
  const { failure } = await run(pool, row(1, 2, 3));
  expect(failure).toMatchObject({ died: false, message: expect.stringContaining('Got invalid dimensions') });
  expect((await run(pool, row(1, 1))).outputs?.['Y']?.data).toEqual(Float32Array.of(11));
  await pool.close();
});

test('a thread that dies fails its run and is started again', async () => {
  const pool = await poolOf(save(identityModel('string', ['batch'])), { heapMegabytes: 16 });
  const { failure } = await run(pool, words(500_000));
  expect(failure).toMatchObject({ died: true, message: expect.stringMatching(/thread ended while it ran: .*memory/) });
  await until(() => pool.free === 1);
  expect((await run(pool, words(1))).outputs?.['Y']?.dims).toEqual([1]);
  expect([pool.warnings.length, pool.broken]).toEqual([1, []]);
  await pool.close();
});

test('a thread is not started again from a file that was changed, and the pool says so', async () => {
  const file = save(identityModel('string', ['batch']));
  const pool = await poolOf(file, { heapMegabytes: 16 });
  writeFileSync(file, identityModel('string', ['rows']));
  await run(pool, words(500_000));
  await until(() => pool.broken.length > 0);
  expect(pool.broken).toEqual(['the model can no longer be run: the model file was changed since it was scanned']);
  expect((await run(pool, words(1))).failure).toMatchObject({ died: true, message: pool.broken[0] });
  await pool.close();
});

test('a run that does not end is given up', async () => {
  const size = 1200;
  const weights = Array.from({ length: size }, () => new Array<number>(size).fill(1));
  const pool = await poolOf(save(linearModel(weights, new Array<number>(size).fill(0))), { stuckAfterMs: 1 });
  // Half a second of arithmetic: on a crowded machine the answer of a short run is there before the clock is looked at.
  const rows = 4000;
  const { failure } = await run(pool, {
    X: { type: 'float32', data: new Float32Array(rows * size), dims: [rows, size] },
  });
  expect(failure).toEqual({ message: 'the run does not end', died: true });
  expect(pool.broken).toHaveLength(1);
  // Now, in the middle of the run: a thread that is ended there takes the process with it.
  await pool.close();
});

test('a file that cannot be loaded is an error at the start', async () => {
  await expect(poolOf(save(Uint8Array.of(1, 2, 3)))).rejects.toThrow(/protobuf/i);
});
