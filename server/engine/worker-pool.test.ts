import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const row = (...values: number[]): Feeds => ({
  X: { type: 'float32', data: Float32Array.from(values), dims: [1, values.length] },
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

/** What a process saw whose thread ran out of memory. Where ONNX Runtime took that process with it, nothing was seen, and another is asked. */
async function seenOfDeath(...files: readonly string[]): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    const args = [join(import.meta.dirname, 'fixtures', 'dying-thread.ts'), ...files];
    const { stdout, signal } = await new Promise<{ stdout: string; signal: string | undefined }>((resolve, reject) =>
      execFile(process.execPath, args, (error, stdout) => {
        if (error === null) resolve({ stdout, signal: undefined });
        else if (typeof error.signal === 'string') resolve({ stdout, signal: error.signal });
        else reject(error);
      }),
    );
    if (signal === undefined) return JSON.parse(stdout);
    if (attempt === 4) throw new Error(`the process ended by ${signal} five times`);
  }
}

test('a thread that dies fails its run and is started again', async () => {
  const seen = await seenOfDeath(save(identityModel('string', ['batch'])));
  expect(seen).toEqual({
    first: { failure: { died: true, message: expect.stringMatching(/thread ended while it ran: .*memory/) } },
    second: { dims: [1] },
    warnings: 1,
    broken: [],
  });
});

test('a thread is not started again from a file that was changed, and the pool says so', async () => {
  const seen = await seenOfDeath(save(identityModel('string', ['batch'])), save(identityModel('string', ['rows'])));
  const why = 'the model can no longer be run: the model file was changed since it was scanned';
  expect(seen).toMatchObject({ broken: [why], second: { failure: { died: true, message: why } } });
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
