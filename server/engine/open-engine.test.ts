import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type Host, silentHost } from '../../core/host/index.ts';
import {
  type Feeds,
  identityModel,
  linearModel,
  type ModelToWrite,
  type Outputs,
  type Tensor,
  writeModel,
} from '../../core/onnx/index.ts';
import { InputError, ModelError } from '../../core/problem/index.ts';
import type { Engine, InferenceError, ServingSettings, Timing } from './engine.ts';
import { type EngineOptions, openEngine } from './open-engine.ts';

const base = mkdtempSync(join(tmpdir(), 'sluice-engine-'));
const opened: Engine[] = [];
afterAll(async () => {
  await Promise.all(opened.map((engine) => engine.drain()));
  await rm(base, { recursive: true, force: true });
});

let roots = 0;
type Files = Readonly<Record<string, Uint8Array | string>>;
function repositoryOf(files: Files): string {
  const root = join(base, `root-${roots++}`);
  mkdirSync(root);
  put(root, files);
  return root;
}
function put(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

async function open(
  from: { readonly repository: string } | { readonly file: string },
  more: Partial<EngineOptions> & { readonly settings?: Partial<ServingSettings> } = {},
): Promise<Engine & { readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const host: Host = { ...silentHost, warning: (message) => warnings.push(message) };
  const engine = await openEngine({ host, ...more, ...from } as EngineOptions);
  opened.push(engine);
  return Object.assign(engine, { warnings });
}

interface Answer {
  readonly error: InferenceError | undefined;
  readonly outputs: Outputs | undefined;
  readonly timing: Timing;
}
type Request = Parameters<Engine['infer']>[0];

function ask(engine: Engine, request: Request): Promise<Answer> {
  return new Promise((resolve) => {
    engine.infer(request, (error, outputs, timing) => resolve({ error, outputs, timing }));
  });
}

function numbers(values: readonly number[], dims: readonly number[] = [1, values.length]): Tensor {
  return { type: 'float32', data: Float32Array.from(values), dims };
}

/** `Y = X · factor` on one number. */
const times = (factor: number): Uint8Array => linearModel([[factor]], [0]);

const pickle = Uint8Array.from([
  0x80,
  0x04,
  0x95,
  0x20,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0x8c,
  0x05,
  ...Buffer.from('posix'),
  0x2e,
]);

describe('an engine', () => {
  test('serves the models of a repository, the newest version unless another is named', async () => {
    const two = times(2);
    const root = repositoryOf({
      'm/1/model.onnx': times(1),
      'm/2/model.onnx': two,
      'm/config.pbtxt': 'version_policy { all {} }',
      'other/7/model.onnx': identityModel('string', ['batch']),
    });
    const engine = await open({ repository: root });
    expect(engine.ready).toBe(true);
    expect(engine.versions().map(({ model, version, state }) => [model, version, state])).toEqual([
      ['m', '1', 'ready'],
      ['m', '2', 'ready'],
      ['other', '7', 'ready'],
    ]);
    expect(engine.find('m')).toMatchObject({
      version: '2',
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', 1] }],
      sha256: createHash('sha256').update(two).digest('hex'),
      md5: createHash('md5').update(two).digest('hex'),
    });
    const feeds = { X: numbers([21]) };
    expect((await ask(engine, { model: 'm', feeds })).outputs).toEqual({ Y: numbers([42]) });
    expect((await ask(engine, { model: 'm', version: '1', feeds })).outputs).toEqual({ Y: numbers([21]) });
    const texts: Tensor = { type: 'string', data: ['가', ''], dims: [2] };
    expect((await ask(engine, { model: 'other', feeds: { X: texts } })).outputs).toEqual({ Y: texts });
  });

  test('serves a single file by its stem', async () => {
    const root = repositoryOf({ 'churn.onnx': times(3) });
    const engine = await open({ file: join(root, 'churn.onnx') });
    expect((await ask(engine, { model: 'churn', feeds: { X: numbers([2]) } })).outputs).toEqual({ Y: numbers([6]) });
  });

  test('what nobody has is unknown, what is wrong is invalid, and neither throws', async () => {
    const engine = await open({ repository: repositoryOf({ 'm/1/model.onnx': times(1) }) });
    const kindOf = async (request: Request): Promise<string | undefined> => (await ask(engine, request)).error?.kind;
    const feeds = { X: numbers([1]) };
    expect(await kindOf({ model: 'n', feeds })).toBe('unknown-model');
    expect(await kindOf({ model: '__proto__', feeds })).toBe('unknown-model');
    expect(await kindOf({ model: 'm', version: '2', feeds })).toBe('unknown-model');
    expect(await kindOf({ model: 'm', feeds: {} })).toBe('invalid-input');
    expect(await kindOf({ model: 'm', feeds: { X: numbers([1, 2]) } })).toBe('invalid-input');
    expect(await kindOf({ model: 'm', feeds, outputs: ['Z'] })).toBe('invalid-input');
  });

  test('a model that cannot be served is unavailable with its reason, and the others are served', async () => {
    const good = times(1);
    const root = repositoryOf({
      'good/1/model.onnx': good,
      'cut/1/model.onnx': good.slice(0, 40),
      'empty/1/model.onnx': '',
      'pickle/1/model.onnx': pickle,
      'python/1/model.onnx': good,
      'python/config.pbtxt': 'backend: "python"',
      'custom/1/model.onnx': writeModel({
        graph: { nodes: [{ operator: 'Evil', domain: 'com.evil', inputs: ['X'], outputs: ['Y'] }] },
        opsets: { 'com.evil': 1 },
      }),
      'broken/1/model.onnx': writeModel({
        graph: {
          nodes: [{ operator: 'Nonsense', inputs: ['X'], outputs: ['Y'] }],
          inputs: [{ name: 'X', type: 'float32', shape: ['batch'] }],
          outputs: [{ name: 'Y', type: 'float32', shape: ['batch'] }],
        },
      }),
      'none/readme': '',
    });
    mkdirSync(join(root, 'link', '1'), { recursive: true });
    symlinkSync('/etc/passwd', join(root, 'link', '1', 'model.onnx'));
    const engine = await open({ repository: root });
    const states = Object.fromEntries(engine.versions().map(({ model, state, error }) => [model, error ?? state]));
    expect(states).toEqual({
      good: 'ready',
      cut: expect.stringMatching(/^cut\/1\/model\.onnx: the model is cut off/),
      empty: expect.stringMatching(/not an ONNX file/),
      pickle: expect.stringMatching(/not an ONNX file: found a Python pickle/),
      python: expect.stringMatching(/^python\/config\.pbtxt backend: the model is not for ONNX Runtime: found python/),
      custom: expect.stringMatching(/custom library: found com\.evil\.Evil/),
      broken: expect.stringMatching(/does not load the model/),
      none: expect.stringMatching(/no version to serve/),
      link: expect.stringMatching(/leads out of the model repository/),
    });
    expect(JSON.stringify(states)).not.toContain(base);
    expect(engine.warnings).toHaveLength(8);
    // Someone waits for these models.
    expect(engine.ready).toBe(false);
    expect((await ask(engine, { model: 'good', feeds: { X: numbers([1]) } })).error).toBeUndefined();
    expect((await ask(engine, { model: 'cut', feeds: {} })).error?.kind).toBe('not-ready');
    expect((await ask(engine, { model: 'cut', version: '1', feeds: {} })).error?.kind).toBe('not-ready');
  });

  test('only the models asked for are loaded, and the others can be later', async () => {
    const root = repositoryOf({ 'a/1/model.onnx': times(1), 'b/1/model.onnx': pickle });
    const engine = await open({ repository: root }, { models: ['a'] });
    expect(engine.ready).toBe(true);
    expect(engine.versions()).toHaveLength(1);
    await expect(engine.load('b')).rejects.toThrow(/Python pickle/);
    await expect(engine.load('../a')).rejects.toThrow(ModelError);
    await expect(open({ repository: root }, { models: ['c'] })).rejects.toThrow(InputError);
    await expect(open({ repository: join(base, 'nowhere') })).rejects.toThrow(InputError);
  });

  test('asked to work in the background it is there at once, and ready when the models are', async () => {
    const engine = await open({ repository: repositoryOf({ 'm/1/model.onnx': times(1) }) }, { background: true });
    expect(engine.ready).toBe(false);
    expect((await ask(engine, { model: 'm', feeds: {} })).error?.kind).toBe('not-ready');
    await expect.poll(() => engine.ready).toBe(true);
  });

  test('outputs that are no tensors are left out', async () => {
    const model: ModelToWrite = {
      opsets: { 'ai.onnx': 17, 'ai.onnx.ml': 3 },
      graph: {
        nodes: [
          { operator: 'Identity', inputs: ['X'], outputs: ['raw'] },
          {
            operator: 'ZipMap',
            domain: 'ai.onnx.ml',
            inputs: ['X'],
            outputs: ['map'],
            attributes: { classlabels_int64s: { ints: [0, 1] } },
          },
        ],
        inputs: [{ name: 'X', type: 'float32', shape: ['batch', 2] }],
        outputs: [
          { name: 'raw', type: 'float32', shape: ['batch', 2] },
          { name: 'map', type: { sequenceOfMaps: ['int64', 'float32'] } },
        ],
      },
    };
    const engine = await open({ repository: repositoryOf({ 'm/1/model.onnx': writeModel(model) }) });
    expect(engine.find('m')?.outputs.map(({ name }) => name)).toEqual(['raw']);
    const { outputs } = await ask(engine, { model: 'm', feeds: { X: numbers([0.25, 0.75]) } });
    expect(outputs).toEqual({ raw: numbers([0.25, 0.75]) });
    expect(engine.warnings.join()).toContain('"map"');
  });
});

describe('batching', () => {
  test('single settings win over config.pbtxt, which wins over those of the server', async () => {
    const root = repositoryOf({
      'off/1/model.onnx': times(1),
      'off/config.pbtxt': 'max_batch_size: 0',
      'four/1/model.onnx': times(1),
      'four/config.pbtxt': 'max_batch_size: 64',
      'eight/1/model.onnx': times(1),
    });
    const engine = await open(
      { repository: root },
      { settings: { maxBatchSize: 8 }, perModel: { four: { maxBatchSize: 4 } } },
    );
    const largest = async (model: string): Promise<number> => {
      const requests = Array.from({ length: 20 }, () => ask(engine, { model, feeds: { X: numbers([1]) } }));
      return Math.max(...(await Promise.all(requests)).map(({ timing }) => timing.batchRows));
    };
    expect([await largest('off'), await largest('four'), await largest('eight')]).toEqual([1, 4, 8]);
  });

  const mixing: ModelToWrite = {
    graph: {
      nodes: [{ operator: 'Softmax', inputs: ['X'], outputs: ['Y'], attributes: { axis: { int: 0 } } }],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', 1] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['batch', 1] }],
    },
  };

  test.each<readonly [string, ServingSettings['workers']]>([
    ['this thread', 0],
    ['threads of its own', 2],
  ])('on %s every request gets what it would get alone, whatever comes with it', async (_, workers) => {
    const root = repositoryOf({
      'linear/1/model.onnx': linearModel(
        [
          [2, 3],
          [5, 7],
        ],
        [1, -1],
      ),
      'texts/1/model.onnx': identityModel('string', ['batch', 'width']),
      'halves/1/model.onnx': identityModel('float16', ['batch']),
      'wide/1/model.onnx': identityModel('int64', ['batch']),
      'mixing/1/model.onnx': writeModel(mixing),
    });
    const engine = await open({ repository: root }, { settings: { maxBatchSize: 6, workers } });
    expect(engine.versions().map(({ state }) => state)).toEqual(new Array(5).fill('ready'));
    const value = fc.integer({ min: -1000, max: 1000 });
    const small = { minLength: 1, maxLength: 4 };
    const request = fc.oneof(
      fc.array(fc.tuple(value, value), { maxLength: 8 }).map((rows) => ({
        model: 'linear',
        feeds: { X: numbers(rows.flat(), [rows.length, 2]) } as Feeds,
        answer: {
          Y: numbers(
            rows.flatMap(([a, b]) => [2 * a + 5 * b + 1, 3 * a + 7 * b - 1]),
            [rows.length, 2],
          ),
        } as Outputs,
      })),
      fc.array(fc.string(), small).chain((data) =>
        fc.boolean().map((wide) => {
          const X: Tensor = { type: 'string', data, dims: wide ? [1, data.length] : [data.length, 1] };
          return { model: 'texts', feeds: { X } as Feeds, answer: { Y: X } as Outputs };
        }),
      ),
      fc.array(value, small).map((data) => {
        const X: Tensor = { type: 'float16', data: Float32Array.from(data), dims: [data.length] };
        return { model: 'halves', feeds: { X } as Feeds, answer: { Y: X } as Outputs };
      }),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), small).map((data) => {
        const X: Tensor = { type: 'int64', data: BigInt64Array.from(data), dims: [data.length] };
        return { model: 'wide', feeds: { X } as Feeds, answer: { Y: X } as Outputs };
      }),
      value.map((each) => ({
        model: 'mixing',
        feeds: { X: numbers([each]) } as Feeds,
        answer: { Y: numbers([1]) } as Outputs,
      })),
    );
    const plan = fc.array(fc.record({ request, turns: fc.nat(2), impatient: fc.integer({ min: 0, max: 9 }) }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(plan, async (steps) => {
        let called = 0;
        const checks: Promise<void>[] = [];
        for (const { request: asked, turns, impatient } of steps) {
          const timeoutMs = impatient === 0 ? 0 : 10_000;
          const { model, feeds, answer } = asked;
          checks.push(
            new Promise((resolve, reject) => {
              engine.infer({ model, feeds, timeoutMs }, (error, outputs) => {
                called++;
                try {
                  if (impatient === 0) expect(error?.kind).toBe('timeout');
                  else expect(outputs).toEqual(answer);
                  resolve();
                } catch (cause) {
                  reject(cause);
                }
              });
            }),
          );
          for (let each = 0; each < turns; each++) await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(checks);
        expect(called).toBe(steps.length);
        expect(engine.gauges().every(({ inFlight, queued }) => inFlight === 0 && queued === 0)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('a value that the model refuses fails its own request only', async () => {
    // Gather refuses an index that is out of range.
    const gather: ModelToWrite = {
      graph: {
        nodes: [{ operator: 'Gather', inputs: ['table', 'X'], outputs: ['Y'] }],
        inputs: [{ name: 'X', type: 'int64', shape: ['batch'] }],
        outputs: [{ name: 'Y', type: 'float32', shape: ['batch'] }],
        initializers: [{ name: 'table', type: 'float32', dims: [3], floats: [10, 11, 12] }],
      },
    };
    const engine = await open({ repository: repositoryOf({ 'm/1/model.onnx': writeModel(gather) }) });
    const answers = await Promise.all(
      [0n, 1n, 99n, 2n].map((index) =>
        ask(engine, { model: 'm', feeds: { X: { type: 'int64', data: BigInt64Array.of(index), dims: [1] } } }),
      ),
    );
    expect(answers.map(({ error, outputs }) => error?.kind ?? outputs?.['Y']?.data[0])).toEqual([
      10,
      11,
      'model-failed',
      12,
    ]);
    expect(answers[2]?.error?.message).toMatch(/indices element out of data bounds/);
  });
});

describe('changing what is served', () => {
  /** Asks without a pause until it is stopped; `factors` are those of the answers, in order. */
  function traffic(engine: Engine): { stop(): Promise<readonly (number | string)[]> } {
    const factors: (number | string)[] = [];
    let going = true;
    const callers = Array.from({ length: 8 }, async () => {
      while (going) {
        const { error, outputs } = await ask(engine, { model: 'm', feeds: { X: numbers([1]) } });
        factors.push(error?.kind ?? Number(outputs?.['Y']?.data[0]));
      }
    });
    return {
      async stop() {
        going = false;
        await Promise.all(callers);
        return factors;
      },
    };
  }

  test('a new version takes over without a request lost, and the old one goes', async () => {
    const root = repositoryOf({ 'm/1/model.onnx': times(1) });
    const engine = await open({ repository: root });
    const requests = traffic(engine);
    put(root, { 'm/2/model.onnx': times(2) });
    await engine.load('m');
    await ask(engine, { model: 'm', feeds: { X: numbers([1]) } });
    const factors = await requests.stop();
    expect(new Set(factors)).toEqual(new Set([1, 2]));
    expect(factors.toSorted()).toEqual(factors);
    expect(engine.versions().map(({ version, state }) => [version, state])).toEqual([['2', 'ready']]);
  });

  test('the same version loaded anew takes over as well', async () => {
    const root = repositoryOf({ 'm/1/model.onnx': times(1) });
    const engine = await open({ repository: root });
    const before = engine.find('m');
    const requests = traffic(engine);
    put(root, { 'm/1/model.onnx': times(3) });
    await Promise.all([engine.load('m'), engine.load('m')]);
    const factors = await requests.stop();
    expect(factors.every((factor) => factor === 1 || factor === 3)).toBe(true);
    expect((await ask(engine, { model: 'm', feeds: { X: numbers([1]) } })).outputs).toEqual({ Y: numbers([3]) });
    expect([before?.state, engine.find('m')?.state]).toEqual(['draining', 'ready']);
  });

  test('a new version that is broken leaves the old one serving', async () => {
    const root = repositoryOf({ 'm/1/model.onnx': times(1) });
    const engine = await open({ repository: root });
    const requests = traffic(engine);
    put(root, { 'm/2/model.onnx': pickle });
    await expect(engine.load('m')).rejects.toThrow(/m\/2\/model\.onnx: .*pickle/);
    expect(new Set(await requests.stop())).toEqual(new Set([1]));
    expect(engine.ready).toBe(true);
    expect(engine.versions().map(({ version, state }) => [version, state])).toEqual([
      ['1', 'ready'],
      ['2', 'unavailable'],
    ]);
    put(root, { 'm/1/model.onnx': pickle, 'm/config.pbtxt': 'version_policy { all {} }' });
    await expect(engine.load('m')).rejects.toThrow(ModelError);
    expect((await ask(engine, { model: 'm', feeds: { X: numbers([1]) } })).outputs).toEqual({ Y: numbers([1]) });
  });

  test('an unloaded model finishes what it has, is not ready, and can be loaded again', async () => {
    const engine = await open({ repository: repositoryOf({ 'm/1/model.onnx': times(1), 'n/1/model.onnx': times(1) }) });
    const taken = Array.from({ length: 50 }, () => ask(engine, { model: 'm', feeds: { X: numbers([1]) } }));
    await engine.unload('m');
    expect((await Promise.all(taken)).every(({ error }) => error === undefined)).toBe(true);
    expect((await ask(engine, { model: 'm', feeds: { X: numbers([1]) } })).error?.kind).toBe('not-ready');
    expect(engine.versions()[0]).toMatchObject({ model: 'm', state: 'unavailable', error: 'unloaded' });
    // It is not waited for any more.
    expect(engine.ready).toBe(true);
    await engine.load('m');
    expect((await ask(engine, { model: 'm', feeds: { X: numbers([1]) } })).error).toBeUndefined();
    await expect(engine.unload('nobody')).rejects.toThrow(ModelError);
  });

  test.each<ServingSettings['workers']>([0, 1])(
    'draining answers all that was taken, with %i workers',
    async (workers) => {
      const root = repositoryOf({ 'm/1/model.onnx': times(1) });
      const engine = await open(
        { repository: root },
        { settings: { workers, maxBatchSize: 4, maxQueueDelayUs: 5_000_000 } },
      );
      const taken = Array.from({ length: 333 }, (_, index) =>
        ask(engine, { model: 'm', feeds: { X: numbers([index]) } }),
      );
      const drained = engine.drain();
      expect(engine.ready).toBe(false);
      expect((await ask(engine, { model: 'm', feeds: { X: numbers([1]) } })).error?.kind).toBe('draining');
      await drained;
      const answers = await Promise.all(taken);
      expect(answers.map(({ outputs }) => outputs?.['Y']?.data[0])).toEqual(answers.map((_, index) => index));
      await expect(engine.load('m')).rejects.toThrow(/shutting down/);
      await engine.drain();
    },
  );
});
