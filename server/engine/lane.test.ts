import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Feeds, Outputs, Tensor, TensorSpec } from '../../core/onnx/index.ts';
import type { InferenceError, Timing } from './engine.ts';
import { Lane, type LaneOptions } from './lane.ts';
import { predictionCache } from './prediction-cache.ts';
import { RequestCheck } from './request-check.ts';
import type { RunEnded, Runner } from './runner.ts';

const inputs: readonly TensorSpec[] = [{ name: 'X', type: 'float32', shape: ['batch', 'width'] }];
const outputs: readonly TensorSpec[] = [
  { name: 'sum', type: 'float32', shape: ['batch'] },
  { name: 'word', type: 'string', shape: ['batch', 1] },
];

function feeds(rows: readonly (readonly number[])[], width = rows[0]?.length ?? 1): Feeds {
  return { X: { type: 'float32', data: Float32Array.from(rows.flat()), dims: [rows.length, width] } };
}

/** What the model gives: the sum of each row, and it again as a word. Any row with the number 666 fails the whole run. */
function modelOf(given: Feeds, names: readonly string[]): Outputs {
  const { X } = given;
  if (X?.type !== 'float32') throw new Error('no X');
  const [rows = 0, width = 0] = X.dims;
  const sums = Array.from({ length: rows }, (_, row) => {
    const values = X.data.subarray(row * width, (row + 1) * width);
    if (values.includes(666)) throw new Error('a bad row');
    return values.reduce((sum, value) => sum + value, 0);
  });
  const all: Record<string, Tensor> = {
    sum: { type: 'float32', data: Float32Array.from(sums), dims: [rows] },
    word: { type: 'string', data: sums.map(String), dims: [rows, 1] },
  };
  return Object.fromEntries(names.map((name) => [name, all[name] as Tensor]));
}

/** A runner whose runs end when they are told to. */
class HeldRunner implements Runner {
  readonly keepsFeeds = false;
  readonly batches: number[] = [];
  onFree: () => void = () => {};
  closed = false;
  readonly #capacity: number;
  readonly #held: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get free(): number {
    return this.#capacity - this.#held.length;
  }

  get held(): number {
    return this.#held.length;
  }

  run(given: Feeds, names: readonly string[], ended: RunEnded): void {
    if (this.free <= 0) throw new Error('not free');
    this.batches.push(given['X']?.dims[0] ?? 0);
    this.#held.push(() => {
      try {
        ended(undefined, modelOf(given, names), 0.001);
      } catch (cause) {
        ended({ message: String(cause), died: false }, undefined, 0.001);
      }
    });
  }

  end(which = 0): void {
    this.#held.splice(which % Math.max(1, this.#held.length), 1)[0]?.();
  }

  async close(): Promise<void> {
    if (this.#held.length > 0) throw new Error('closed while it runs');
    this.closed = true;
  }
}

function laneOf(runner: Runner, more: Partial<LaneOptions> = {}): Lane {
  return new Lane({
    check: new RequestCheck(inputs, outputs),
    outputNames: outputs.map(({ name }) => name),
    runner,
    batches: true,
    maxBatchSize: 8,
    enoughRows: 8,
    maxQueueDelayMs: 0,
    maxQueueSize: 1000,
    timeoutMs: 30_000,
    cache: undefined,
    now: () => Date.now(),
    warn: (message) => {
      throw new Error(message);
    },
    ...more,
  });
}

interface Answer {
  readonly error: InferenceError | undefined;
  readonly outputs: Outputs | undefined;
  readonly timing: Timing;
}

/** Submits and keeps every answer: there should be exactly one. */
function ask(lane: Lane, given: Feeds, names?: readonly string[], timeoutMs?: number): Answer[] {
  const answers: Answer[] = [];
  lane.submit(given, names, timeoutMs, (error, answer, timing) => answers.push({ error, outputs: answer, timing }));
  expect(answers).toEqual([]);
  return answers;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// The clock and timers are the test's; turns of the event loop are real.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a lane', () => {
  test('runs together what arrived in one turn of the event loop, and gives each its own rows', async () => {
    const runner = new HeldRunner(1);
    const lane = laneOf(runner);
    const asked = [
      ask(lane, feeds([[1, 2]])),
      ask(
        lane,
        feeds([
          [3, 4],
          [5, 6],
        ]),
      ),
      ask(lane, feeds([[7, 8]])),
    ];
    expect(lane.queued).toBe(3);
    await turn();
    expect(runner.batches).toEqual([4]);
    expect([lane.queued, lane.inFlight]).toEqual([0, 3]);
    runner.end();
    expect(asked.map((answers) => answers.map(({ outputs: given }) => given?.['sum']))).toEqual([
      [{ type: 'float32', data: Float32Array.of(3), dims: [1] }],
      [{ type: 'float32', data: Float32Array.of(7, 11), dims: [2] }],
      [{ type: 'float32', data: Float32Array.of(15), dims: [1] }],
    ]);
    expect(asked[1]?.[0]?.outputs?.['word']).toEqual({ type: 'string', data: ['7', '11'], dims: [2, 1] });
    expect(asked[0]?.[0]?.timing).toEqual({ queueSeconds: 0, inferenceSeconds: 0.001, batchRows: 4, cache: 'off' });
  });

  test('joins only requests of equal dimensions and outputs', async () => {
    const runner = new HeldRunner(10);
    const lane = laneOf(runner);
    for (const width of [2, 3, 2]) ask(lane, feeds([Array.from({ length: width }, () => 1)]));
    ask(lane, feeds([[1, 1]]), ['sum']);
    ask(lane, feeds([[1, 1]]), ['word', 'sum']);
    await turn();
    expect(runner.batches).toEqual([2, 1, 1, 1]);
  });

  test('a batch is never larger than it may be, and a request that is runs by itself, unsplit', async () => {
    const runner = new HeldRunner(10);
    const lane = laneOf(runner);
    const rows = (count: number): Feeds => feeds(Array.from({ length: count }, () => [1]));
    for (const count of [1, 20, 5, 3, 2, 8]) ask(lane, rows(count));
    await turn();
    expect(runner.batches).toEqual([8, 20, 3, 8]);
  });

  test('where rows may not be joined every request runs by itself', async () => {
    const runner = new HeldRunner(10);
    const lane = laneOf(runner, { batches: false });
    for (let index = 0; index < 3; index++) ask(lane, feeds([[1]]));
    await turn();
    expect(runner.batches).toEqual([1, 1, 1]);
  });

  test('a bad row fails its own request and no other of the batch', async () => {
    const runner = new HeldRunner(1);
    const lane = laneOf(runner);
    const asked = [1, 666, 3].map((value) => ask(lane, feeds([[value]])));
    await turn();
    while (runner.held > 0) {
      runner.end();
      await turn();
    }
    expect(asked.map(([answer]) => answer?.outputs?.['sum']?.data[0] ?? answer?.error)).toEqual([
      1,
      { kind: 'model-failed', message: 'Error: a bad row' },
      3,
    ]);
    expect(runner.batches).toEqual([3, 1, 1, 1]);
  });

  test('a batch whose thread died is not run again', async () => {
    const runner: Runner = {
      free: 1,
      keepsFeeds: false,
      onFree() {},
      run: (_feeds, _names, ended) => queueMicrotask(() => ended({ message: 'gone', died: true }, undefined, 0)),
      close: async () => {},
    };
    const asked = [1, 2].map((value) => ask(laneOf(runner), feeds([[value]])));
    await turn();
    expect(asked.map(([answer]) => answer?.error?.kind)).toEqual(['model-failed', 'model-failed']);
  });

  test('outputs that lose their rows end the joining, and no answer is wrong', async () => {
    const warnings: string[] = [];
    const runner = new HeldRunner(1);
    const lane = laneOf(
      {
        ...runner,
        keepsFeeds: false,
        get free() {
          return runner.free;
        },
        close: () => runner.close(),
        run(given, names, ended) {
          runner.run(given, names, (failure, all, seconds) => {
            const rows = given['X']?.dims[0] ?? 0;
            // Gives the rows of a single request only.
            ended(failure, rows > 1 ? modelOf(feeds([[0]]), names) : all, seconds);
          });
        },
      },
      { warn: (message) => warnings.push(message) },
    );
    const asked = [1, 2, 3].map((value) => ask(lane, feeds([[value]])));
    for (let index = 0; index < 6; index++) {
      await turn();
      runner.end();
    }
    expect(asked.map(([answer]) => answer?.outputs?.['sum']?.data[0])).toEqual([1, 2, 3]);
    expect(warnings).toHaveLength(1);
  });

  test('the queue takes so many and no more', async () => {
    const runner = new HeldRunner(1);
    const lane = laneOf(runner, { maxQueueSize: 2, batches: false });
    const asked = [1, 2, 3].map((value) => ask(lane, feeds([[value]])));
    await turn();
    expect(asked.map(([answer]) => answer?.error?.kind)).toEqual([undefined, undefined, 'queue-full']);
  });

  test('a request that waited too long is answered and never run', async () => {
    const runner = new HeldRunner(1);
    const lane = laneOf(runner, { batches: false });
    const first = ask(lane, feeds([[1]]));
    await turn();
    const second = ask(lane, feeds([[2]]), undefined, 50);
    vi.advanceTimersByTime(49);
    expect(second).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(second.map(({ error }) => error)).toEqual([{ kind: 'timeout', message: 'no answer within 50 ms' }]);
    runner.end();
    await turn();
    expect(first[0]?.outputs).toBeDefined();
    expect([runner.batches, runner.held, lane.queued]).toEqual([[1], 0, 0]);
  });

  test('a run that takes too long is answered in time, and what it gives later is dropped', async () => {
    const runner = new HeldRunner(1);
    const lane = laneOf(runner, { timeoutMs: 100 });
    // The lane's own limit counts where it is shorter.
    const [short, long] = [ask(lane, feeds([[1]]), undefined, 20), ask(lane, feeds([[2]]), undefined, 5000)];
    await turn();
    vi.advanceTimersByTime(20);
    expect([short.length, long.length]).toEqual([1, 0]);
    vi.advanceTimersByTime(80);
    expect(long.map(({ error }) => error?.kind)).toEqual(['timeout']);
    runner.end();
    expect([short.length, long.length]).toEqual([1, 1]);
  });

  test('what is wrong with a request is said, with found and expected, and it is never queued', async () => {
    const lane = laneOf(new HeldRunner(1));
    const wrong: readonly (readonly [Feeds, readonly string[] | undefined, RegExp])[] = [
      [{}, undefined, /input "X" was not given: found no inputs, expected float32 \[batch, width\]/],
      [
        { X: { type: 'int64', data: BigInt64Array.of(1n), dims: [1, 1] } },
        undefined,
        /found int64 \[1, 1\], expected float32/,
      ],
      [
        { X: { type: 'float32', data: Float32Array.of(1), dims: [1] } },
        undefined,
        /another shape: found float32 \[1\]/,
      ],
      [
        { X: { type: 'float32', data: Float32Array.of(1), dims: [1, 2] } },
        undefined,
        /do not fill their shape: found 1 values, expected 2/,
      ],
      [{ X: { type: 'float32', data: Float32Array.of(1), dims: [-1, -1] } }, undefined, /do not fill their shape/],
      [{ ...feeds([[1]]), Y: feeds([[1]])['X'] as Tensor }, undefined, /no input "Y": expected one of "X"/],
      [feeds([[1]]), ['none'], /no output "none": expected one of "sum", "word"/],
      [feeds([[1]]), [], /no output was asked for/],
      [feeds([[1]]), ['sum', 'sum'], /twice/],
    ];
    for (const [given, names, message] of wrong) {
      const answers = ask(lane, given, names);
      expect(lane.queued).toBe(0);
      await turn();
      expect(answers.map(({ error }) => error?.kind)).toEqual(['invalid-input']);
      expect(answers[0]?.error?.message).toMatch(message);
    }
  });

  test('with a delay requests wait for company until enough rows are there', async () => {
    const runner = new HeldRunner(10);
    const lane = laneOf(runner, { maxQueueDelayMs: 50, enoughRows: 3 });
    ask(lane, feeds([[1]]));
    await turn();
    ask(lane, feeds([[1]]));
    await turn();
    expect(runner.batches).toEqual([]);
    ask(lane, feeds([[1]]));
    await turn();
    expect(runner.batches).toEqual([3]);
    ask(lane, feeds([[1]]));
    await turn();
    vi.advanceTimersByTime(50);
    await turn();
    await turn();
    expect(runner.batches).toEqual([3, 1]);
  });

  test('equal requests are answered from the cache until they are too old', async () => {
    const runner = new HeldRunner(1);
    const cache = predictionCache('digest', ['X'], { entries: 10, bytes: 1e6, ttlSeconds: 60, now: () => Date.now() });
    const lane = laneOf(runner, { cache });
    const once = async (given: Feeds, names?: readonly string[]): Promise<unknown> => {
      const answers = ask(lane, given, names);
      await turn();
      runner.end();
      await turn();
      return [answers[0]?.timing.cache, answers[0]?.outputs?.['sum']?.data[0]];
    };
    expect(await once(feeds([[1, 2]]))).toEqual(['miss', 3]);
    expect(await once(feeds([[1, 2]]))).toEqual(['hit', 3]);
    expect(await once(feeds([[2, 1]]))).toEqual(['miss', 3]);
    expect(await once(feeds([[1], [2]]))).toEqual(['miss', 1]);
    expect(await once(feeds([[1, 2]]), ['sum'])).toEqual(['miss', 3]);
    vi.advanceTimersByTime(60_001);
    expect(await once(feeds([[1, 2]]))).toEqual(['miss', 3]);
  });

  test('a callback that throws does not keep the others from being called', async () => {
    const warnings: string[] = [];
    const runner = new HeldRunner(1);
    const lane = laneOf(runner, { warn: (message) => warnings.push(message) });
    lane.submit(feeds([[1]]), undefined, undefined, () => {
      throw new Error('oh');
    });
    const other = ask(lane, feeds([[2]]));
    await turn();
    runner.end();
    expect(other).toHaveLength(1);
    expect(warnings).toEqual(["a request's callback failed: oh"]);
  });

  test('closing answers everything that was taken, and only then releases the model', async () => {
    const runner = new HeldRunner(1);
    const lane = laneOf(runner, { maxQueueDelayMs: 10_000 });
    const asked = Array.from({ length: 20 }, (_, index) => ask(lane, feeds([[index]])));
    await turn();
    const closed = lane.close();
    // Batches of 8, 8 and 4 rows.
    for (let index = 0; index < 3; index++) {
      await turn();
      expect(runner.closed).toBe(false);
      runner.end();
    }
    await closed;
    expect(runner.closed).toBe(true);
    expect(asked.map(([answer]) => answer?.outputs?.['sum']?.data[0])).toEqual(asked.map((_, index) => index));
  });
});

describe('under any order of requests, runs, timeouts and turns', () => {
  type Step =
    | {
        readonly do: 'ask';
        readonly rows: readonly number[];
        readonly width: 1 | 2;
        readonly names: 0 | 1 | 2;
        readonly timeout: number;
      }
    | { readonly do: 'turn' }
    | { readonly do: 'end'; readonly which: number }
    | { readonly do: 'wait'; readonly milliseconds: number };

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        rows: fc.array(
          fc.oneof(
            { weight: 15, arbitrary: fc.integer({ min: 0, max: 500 }) },
            { weight: 1, arbitrary: fc.constant(666) },
          ),
          {
            maxLength: 5,
          },
        ),
        width: fc.constantFrom(1 as const, 2 as const),
        names: fc.constantFrom(0 as const, 1 as const, 2 as const),
        timeout: fc.integer({ min: 1, max: 100 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(3) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('wait' as const), milliseconds: fc.integer({ min: 1, max: 60 }) }),
    },
  );
  const namesOf = [undefined, ['sum'], ['word', 'sum']] as const;

  test('each request gets exactly one answer: its own, or the one error that it earned', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(0, 5, 30),
        fc.boolean(),
        async (steps, capacity, maxQueueDelayMs, cached) => {
          const runner = new HeldRunner(capacity);
          const cache = predictionCache('d', ['X'], {
            entries: 5,
            bytes: 1e6,
            ttlSeconds: 0.05,
            now: () => Date.now(),
          });
          const lane = laneOf(runner, { maxQueueDelayMs, maxQueueSize: 8, cache: cached ? cache : undefined });
          const asked: {
            given: Feeds;
            names: readonly string[] | undefined;
            at: number;
            timeout: number;
            full: boolean;
            answers: (Answer & { at: number })[];
          }[] = [];
          for (const each of steps) {
            if (each.do === 'turn') await turn();
            else if (each.do === 'end') runner.end(each.which);
            else if (each.do === 'wait') vi.advanceTimersByTime(each.milliseconds);
            else {
              const given = feeds(
                each.rows.map((value) => (each.width === 1 ? [value] : [value, 1])),
                each.width,
              );
              const answers: (Answer & { at: number })[] = [];
              const names = namesOf[each.names];
              const full = lane.queued >= 8;
              lane.submit(given, names, each.timeout, (error, outs, timing) =>
                answers.push({ error, outputs: outs, timing, at: Date.now() }),
              );
              asked.push({ given, names, at: Date.now(), timeout: each.timeout, full, answers });
            }
            expect(lane.queued).toBeLessThanOrEqual(8 + 8 * capacity);
          }
          const closed = lane.close();
          let open = true;
          void closed.then(() => {
            open = false;
          });
          while (open) {
            await turn();
            runner.end();
          }
          expect([lane.queued, lane.inFlight, runner.held]).toEqual([0, 0, 0]);
          for (const { given, names, at, timeout, full, answers } of asked) {
            expect(answers).toHaveLength(1);
            const [answer] = answers;
            if (answer?.error === undefined) {
              expect(answer?.outputs).toEqual(modelOf(given, names ?? ['sum', 'word']));
              continue;
            }
            expect(answer.outputs).toBeUndefined();
            const { kind } = answer.error;
            if (kind === 'queue-full') expect(full).toBe(true);
            else if (kind === 'timeout') expect(answer.at).toBeGreaterThanOrEqual(at + timeout);
            else {
              expect(kind).toBe('model-failed');
              expect(() => modelOf(given, ['sum'])).toThrow('a bad row');
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
