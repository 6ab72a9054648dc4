import type { Feeds, Outputs } from '../../core/onnx/index.ts';
import { copyTensors, hasRows, joinFeeds, splitOutputs } from './batch.ts';
import type { Done, InferenceError, Timing } from './engine.ts';
import type { PredictionCache } from './prediction-cache.ts';
import type { RequestCheck } from './request-check.ts';
import type { RunFailure, Runner } from './runner.ts';

export interface LaneOptions {
  readonly check: RequestCheck;
  /** All outputs, in the model's order. */
  readonly outputNames: readonly string[];
  readonly runner: Runner;
  /** Requests may be joined: the model's trial found so. */
  readonly batches: boolean;
  readonly maxBatchSize: number;
  /** As soon as so many rows wait, they run. At most `maxBatchSize`. */
  readonly enoughRows: number;
  readonly maxQueueDelayMs: number;
  readonly maxQueueSize: number;
  readonly timeoutMs: number;
  readonly cache: PredictionCache | undefined;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** Told of a fault that no caller can mend: a callback that throws, a model that mixes rows after all. */
  readonly warn: (message: string) => void;
}

/** A request on its way, and its place in the queue: the queue is a list of these, so that any can leave it at once. */
class Waiting {
  readonly feeds: Feeds;
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly key: string;
  readonly arrived: number;
  readonly deadline: number;
  readonly cacheKey: string | undefined;
  readonly done: Done;
  /** When it began to run. */
  began = 0;
  answered = false;
  /** A batch with it failed: it runs by itself now. */
  alone: boolean;
  previous: Waiting | undefined = undefined;
  next: Waiting | undefined = undefined;

  constructor(
    feeds: Feeds,
    outputs: readonly string[],
    rows: number,
    key: string,
    arrived: number,
    deadline: number,
    cacheKey: string | undefined,
    done: Done,
    alone: boolean,
  ) {
    this.feeds = feeds;
    this.outputs = outputs;
    this.rows = rows;
    this.key = key;
    this.arrived = arrived;
    this.deadline = deadline;
    this.cacheKey = cacheKey;
    this.done = done;
    this.alone = alone;
  }
}

/** A wait this short is passed by looking again at every turn of the event loop: a timer is only good to a millisecond. */
const longestPolledMs = 2;

/**
 * The requests of one version of one model: checked, queued, joined into batches, run, answered. Requests that arrive in one turn of the
 * event loop run together, and so do those that arrive while the model is busy.
 */
export class Lane {
  readonly #options: LaneOptions;
  #batches: boolean;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #queued = 0;
  #running = 0;
  /** Being run and not yet answered. */
  readonly #inFlight = new Set<readonly Waiting[]>();
  #scheduled: 'no' | 'turn' | 'timer' = 'no';
  #timer: NodeJS.Timeout | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;
  #sweepAt = Number.POSITIVE_INFINITY;
  #whenIdle: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#batches = options.batches;
    options.runner.onFree = () => {
      if (this.#first !== undefined && this.#scheduled !== 'turn') this.#schedule();
    };
  }

  get queued(): number {
    return this.#queued;
  }

  get inFlight(): number {
    let count = 0;
    for (const batch of this.#inFlight) for (const each of batch) if (!each.answered) count++;
    return count;
  }

  /** Takes a request. `done` is called once, and never before this returns. */
  submit(feeds: Feeds, outputs: readonly string[] | undefined, timeoutMs: number | undefined, done: Done): void {
    const { check, cache, now } = this.#options;
    const rows = check.rows(feeds);
    if (rows < 0) {
      this.#refuse(done, { kind: 'invalid-input', message: check.problem(feeds) });
      return;
    }
    if (outputs !== undefined) {
      const problem = check.outputProblem(outputs);
      if (problem !== undefined) {
        this.#refuse(done, { kind: 'invalid-input', message: problem });
        return;
      }
    }
    let cacheKey: string | undefined;
    if (cache !== undefined) {
      cacheKey = cache.keyOf(feeds, outputs);
      const found = cache.get(cacheKey);
      if (found !== undefined) {
        setImmediate(this.#call, done, undefined, found, timing(0, 0, 0, 'hit'));
        return;
      }
    }
    const { maxQueueSize, outputNames } = this.#options;
    if (this.#queued >= maxQueueSize) {
      this.#refuse(done, {
        kind: 'queue-full',
        message: `${maxQueueSize} requests are waiting already; try again`,
      });
      return;
    }
    const arrived = now();
    const own = this.#options.timeoutMs;
    const limit = timeoutMs !== undefined && timeoutMs < own ? Math.max(0, timeoutMs) : own;
    const deadline = arrived + limit;
    const key = this.#batches ? check.key(feeds, outputs) : '';
    const alone = !this.#batches || rows === 0;
    this.#append(new Waiting(feeds, outputs ?? outputNames, rows, key, arrived, deadline, cacheKey, done, alone));
    if (deadline < this.#sweepAt) this.#sweepAgainAt(deadline, arrived);
    if (this.#scheduled === 'no') this.#schedule();
    // A full batch does not wait for the timer.
    else if (this.#scheduled === 'timer' && this.#queued >= this.#options.enoughRows) this.#schedule();
  }

  /** Resolves when every request taken is answered and the model is released. No requests may come after. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    // What waits for company need not any more. And what was refused or found in the cache is told within this turn.
    if (this.#scheduled === 'timer') this.#schedule();
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#queued > 0 || this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle.push(resolve);
      });
    }
    clearTimeout(this.#timer);
    clearTimeout(this.#sweepTimer);
    await this.#options.runner.close();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#scheduled = 'turn';
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = 'no';
    const { runner, now, maxQueueDelayMs } = this.#options;
    // A run that has ended within this loop asked for another turn if there is more: what came in meanwhile joins the next batch.
    while (this.#first !== undefined && runner.free > 0 && this.#scheduled === 'no') {
      const time = now();
      const head = this.#first;
      const left = maxQueueDelayMs - (time - head.arrived);
      if (left > 0 && !head.alone && this.#closing === undefined && !this.#isEnough(head)) {
        this.#wait(left);
        return;
      }
      const batch = this.#take(head, time);
      if (batch.length > 0) this.#start(batch, time);
    }
    this.#tellIfIdle();
  };

  #wait(milliseconds: number): void {
    if (milliseconds <= longestPolledMs) {
      this.#schedule();
      return;
    }
    this.#scheduled = 'timer';
    this.#timer = setTimeout(this.#flush, milliseconds - 1);
  }

  #isEnough(head: Waiting): boolean {
    let rows = 0;
    for (let each: Waiting | undefined = head; each !== undefined; each = each.next) {
      if (each.key === head.key && !each.alone) rows += each.rows;
      if (rows >= this.#options.enoughRows) return true;
    }
    return false;
  }

  /** The next batch, out of the queue: what came first, and what may be joined with it. Empty when they had all waited too long. */
  #take(head: Waiting, time: number): Waiting[] {
    const { maxBatchSize } = this.#options;
    const batch: Waiting[] = [];
    let rows = 0;
    let each: Waiting | undefined = head;
    while (each !== undefined) {
      const next: Waiting | undefined = each.next;
      if (each === head || (!each.alone && each.key === head.key && rows + each.rows <= maxBatchSize)) {
        this.#remove(each);
        if (each.deadline <= time) this.#answerLate(each, time);
        else {
          each.began = time;
          batch.push(each);
          rows += each.rows;
        }
        if (each === head && each.alone) break;
      }
      if (rows >= maxBatchSize) break;
      each = next;
    }
    return batch;
  }

  #start(batch: readonly Waiting[], time: number): void {
    const { check, runner } = this.#options;
    const head = batch[0];
    if (head === undefined) return;
    this.#running++;
    this.#inFlight.add(batch);
    let feeds = head.feeds;
    if (batch.length > 1)
      feeds = joinFeeds(
        check.inputNames,
        batch.map((each) => each.feeds),
      );
    else if (runner.keepsFeeds) feeds = copyTensors(feeds);
    try {
      runner.run(feeds, head.outputs, (failure, outputs, seconds) => this.#ended(batch, failure, outputs, seconds));
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      this.#ended(batch, { message, died: true }, undefined, (this.#options.now() - time) / 1000);
    }
  }

  #ended(
    batch: readonly Waiting[],
    failure: RunFailure | undefined,
    outputs: Outputs | undefined,
    seconds: number,
  ): void {
    this.#running--;
    this.#inFlight.delete(batch);
    if (outputs === undefined) this.#failed(batch, failure ?? { message: 'the run gave nothing', died: true }, seconds);
    else this.#answerAll(batch, outputs, seconds);
    if (this.#first !== undefined) {
      if (this.#scheduled !== 'turn') this.#schedule();
    } else this.#tellIfIdle();
  }

  #answerAll(batch: readonly Waiting[], outputs: Outputs, seconds: number): void {
    const head = batch[0];
    if (head === undefined) return;
    let rows = 0;
    for (const each of batch) rows += each.rows;
    if (batch.length === 1) {
      this.#answer(head, outputs, seconds, rows);
      return;
    }
    if (!hasRows(head.outputs, outputs, rows)) {
      this.#batches = false;
      this.#options.warn('an output has not one row for each row given; requests are no longer joined');
      for (const each of this.#queue()) each.alone = true;
      this.#runAlone(batch);
      return;
    }
    const answers = splitOutputs(
      head.outputs,
      outputs,
      batch.map((each) => each.rows),
    );
    for (let index = 0; index < batch.length; index++) {
      const [each, answer] = [batch[index], answers[index]];
      if (each !== undefined && answer !== undefined) this.#answer(each, answer, seconds, rows);
    }
  }

  #answer(each: Waiting, outputs: Outputs, seconds: number, rows: number): void {
    const { cache } = this.#options;
    if (each.cacheKey !== undefined) cache?.set(each.cacheKey, outputs);
    if (each.answered) return;
    each.answered = true;
    const queued = (each.began - each.arrived) / 1000;
    this.#call(each.done, undefined, outputs, timing(queued, seconds, rows, cache === undefined ? 'off' : 'miss'));
  }

  /** One bad request must not fail those it was joined with: each is run again by itself, unless the run may have ended the thread. */
  #failed(batch: readonly Waiting[], failure: RunFailure, seconds: number): void {
    if (batch.length > 1 && !failure.died) {
      this.#runAlone(batch);
      return;
    }
    for (const each of batch) {
      if (each.answered) continue;
      each.answered = true;
      const queued = (each.began - each.arrived) / 1000;
      const error: InferenceError = { kind: 'model-failed', message: failure.message };
      this.#call(each.done, error, undefined, timing(queued, seconds, batch.length, this.#missed));
    }
  }

  /** Puts them back to where they were: before everything that waits. */
  #runAlone(batch: readonly Waiting[]): void {
    for (const each of batch.toReversed()) {
      if (each.answered) continue;
      each.alone = true;
      each.previous = undefined;
      each.next = this.#first;
      if (this.#first === undefined) this.#last = each;
      else this.#first.previous = each;
      this.#first = each;
      this.#queued++;
    }
  }

  *#queue(): Generator<Waiting> {
    for (let each = this.#first; each !== undefined; each = each.next) yield each;
  }

  #append(each: Waiting): void {
    each.previous = this.#last;
    if (this.#last === undefined) this.#first = each;
    else this.#last.next = each;
    this.#last = each;
    this.#queued++;
  }

  #remove(each: Waiting): void {
    if (each.previous === undefined) this.#first = each.next;
    else each.previous.next = each.next;
    if (each.next === undefined) this.#last = each.previous;
    else each.next.previous = each.previous;
    each.previous = undefined;
    each.next = undefined;
    this.#queued--;
  }

  get #missed(): Timing['cache'] {
    return this.#options.cache === undefined ? 'off' : 'miss';
  }

  #refuse(done: Done, error: InferenceError): void {
    setImmediate(this.#call, done, error, undefined, timing(0, 0, 0, this.#missed));
  }

  #answerLate(each: Waiting, time: number): void {
    if (each.answered) return;
    each.answered = true;
    const waited = Math.round(time - each.arrived);
    const began = each.began > 0;
    const error: InferenceError = {
      kind: 'timeout',
      message: `no answer within ${Math.round(each.deadline - each.arrived)} ms`,
    };
    const queued = (began ? each.began - each.arrived : waited) / 1000;
    const ran = began ? (time - each.began) / 1000 : 0;
    this.#call(each.done, error, undefined, timing(queued, ran, 0, this.#missed));
  }

  #sweepAgainAt(deadline: number, time: number): void {
    clearTimeout(this.#sweepTimer);
    this.#sweepAt = deadline;
    if (deadline === Number.POSITIVE_INFINITY) return;
    // Longer than a timer can wait is looked at again then.
    this.#sweepTimer = setTimeout(this.#sweep, Math.min(2 ** 31 - 1, Math.max(1, Math.ceil(deadline - time)))).unref();
  }

  /** Answers what has waited or run for too long. One timer for all: the earliest deadline. */
  readonly #sweep = (): void => {
    const time = this.#options.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (let each = this.#first; each !== undefined; ) {
      const next: Waiting | undefined = each.next;
      if (each.deadline <= time) {
        this.#remove(each);
        this.#answerLate(each, time);
      } else earliest = Math.min(earliest, each.deadline);
      each = next;
    }
    for (const batch of this.#inFlight) {
      for (const each of batch) {
        if (each.answered) continue;
        if (each.deadline <= time) this.#answerLate(each, time);
        else earliest = Math.min(earliest, each.deadline);
      }
    }
    this.#sweepAgainAt(earliest, time);
    this.#tellIfIdle();
  };

  #tellIfIdle(): void {
    if (this.#whenIdle.length === 0 || this.#queued > 0 || this.#running > 0) return;
    for (const tell of this.#whenIdle.splice(0)) tell();
  }

  /** A callback that throws must not keep the others of its batch from being called. */
  readonly #call = (
    done: Done,
    error: InferenceError | undefined,
    outputs: Outputs | undefined,
    spent: Timing,
  ): void => {
    try {
      done(error, outputs, spent);
    } catch (cause) {
      this.#options.warn(`a request's callback failed: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  };
}

function timing(queueSeconds: number, inferenceSeconds: number, batchRows: number, cache: Timing['cache']): Timing {
  return { queueSeconds, inferenceSeconds, batchRows, cache };
}
