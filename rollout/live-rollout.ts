import { PeerError, SluiceError } from '../core/problem/index.ts';
import { excerpt, printable } from '../core/text/index.ts';
import type { Analysed, Analyst, Look, LookStage, OpenAnalyst } from './analyst.ts';
import type { Clock } from './clock.ts';
import type { MetricsSource, Reading } from './metrics-source.ts';
import { RecordKeeper } from './record-keeper.ts';
import { claim, firstRecord } from './state/claim.ts';
import type { Effect, RolloutEvent } from './state/event.ts';
import { next, type Step } from './state/next.ts';
import { isOver, type RolloutRecord } from './state/record.ts';
import type { RolloutSettings } from './state/settings.ts';
import { planDigest } from './strategy/strategy.ts';
import type { TrafficProvider } from './traffic-provider.ts';

/** One turn of a rollout, for the log, the report and the file of looks. */
export interface Turn {
  readonly at: number;
  readonly record: RolloutRecord;
  readonly before: RolloutRecord;
  readonly messages: readonly { readonly text: string; readonly warn: boolean }[];
  readonly look?: Look;
  readonly analysed?: Analysed;
}

export interface RolloutOptions {
  /** The same for every run that goes on with this rollout. */
  readonly id: string;
  /** Names this one run; unique. */
  readonly holder: string;
  readonly provider: TrafficProvider;
  readonly source: MetricsSource;
  readonly analyst: OpenAnalyst;
  readonly settings: RolloutSettings;
  /** Asked while a rollout waits for an approval. */
  readonly approved?: (startedAt: number) => Promise<boolean>;
  /** Stop at a safe point after so many milliseconds. */
  readonly stopAfter?: number;
  /** Roll back now. */
  readonly signal?: AbortSignal;
  readonly onTurn?: (turn: Turn) => void | Promise<void>;
  readonly warn?: (message: string) => void;
  /** For tests. */
  readonly clock?: Clock;
}

/** Of the baseline from before the rollout; from there on noise is measured, not presumed. */
const historyLooks = 720;
/** Shorter than a look: what has to be waited for without a new look at the metrics. */
const quickTurn = 1000;
/** GitHub kills a cancelled job's process after ten seconds; its `post` goes on. */
const patienceWhenCancelled = 8000;
/** A command a look is a person's; more between two writes are no person's. */
const mostCommandsInARow = 20;
/** Characters; Kubernetes allows 256 KiB for all annotations of an object. */
const roomForAnalysis = 32 * 1024;
/** What else is in a record: ids, times, reasons. */
const roomForTheRest = 2000;

/** This run lost the rollout to another. */
export class TakenOver extends Error {
  readonly record: RolloutRecord;

  constructor(record: RolloutRecord) {
    super('another run has taken the rollout over');
    this.record = record;
  }
}

type Watching = { readonly look?: Look; readonly analysed?: Analysed };

/** A rollout in the hands of one run: claimed, looked at, moved, ended. */
export class LiveRollout {
  readonly #options: RolloutOptions;
  readonly #clock: Clock;
  readonly #keeper: RecordKeeper;
  readonly #startedAt: number;
  #analyst: Analyst | undefined;
  #requests: { readonly at: number; readonly count: number } | undefined;
  /** Milliseconds that this run's own moves took since the last look. */
  #movedFor = 0;
  #sourceWarned = false;
  #learned = false;
  #roomWarned = false;

  constructor(options: RolloutOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#startedAt = clock.now();
    const { lease, readyDeadline } = options.settings;
    this.#keeper = new RecordKeeper({
      provider: options.provider,
      clock,
      patience: () => (options.signal?.aborted === true ? patienceWhenCancelled : lease + readyDeadline),
      onTrouble: (message) => options.warn?.(message),
    });
  }

  /** Leases are held against the provider's clock, where it has one. */
  async agreeOnTime(): Promise<void> {
    const { provider } = this.#options;
    const time = await provider.now?.().catch(() => undefined);
    if (time !== undefined) this.#clock.follow(time);
  }

  async claim(): Promise<{ readonly kind: 'held' | 'over'; readonly record: RolloutRecord }> {
    const { id, holder, settings, provider } = this.#options;
    for (let attempt = 0; attempt < mostCommandsInARow; attempt++) {
      const found = await this.#keeper.read();
      const now = this.#clock.now();
      this.#movedFor = 0;
      const plan = planDigest(settings.strategy);
      const { kind } = claim(found, { id, now });
      if (kind === 'refused' && found !== undefined) throw held(found, provider);
      if (kind === 'over' && found !== undefined) return { kind: 'over', record: found };
      if (kind === 'clear-up' && found !== undefined) {
        this.#options.warn?.(
          `The rollout ${excerpt(found.id)} was left behind by ${excerpt(found.holder)}; it is brought to an end first.`,
        );
        await this.#clearUp(found);
        continue;
      }
      if (kind === 'resume' && found !== undefined) {
        const record = await this.#resume(found, plan);
        await this.#installGuard(record);
        return { kind: 'held', record };
      }
      await this.#refuseForeignTraffic();
      const first = firstRecord({ id, holder, plan, now, lease: settings.lease });
      const written = await this.#keeper.write(first, false);
      // Somebody else was quicker, or the winner of a race is gone again: look anew.
      if (written.kind !== 'written') continue;
      await this.#tell(first, { record: first, move: false, effects: [] }, now, {});
      await this.#installGuard(first);
      return { kind: 'held', record: first };
    }
    throw restless(provider);
  }

  /** Until it is over or holds. */
  async watch(start: RolloutRecord): Promise<RolloutRecord> {
    let record = start;
    try {
      while (!isOver(record) && record.phase !== 'holding') record = await this.#turn(record);
      return record;
    } catch (error) {
      if (error instanceof TakenOver || isOver(record)) throw error;
      // Whatever it was: nobody watches the canary from here on.
      await this.#goBack(record, error);
      throw error;
    }
  }

  async removeGuard(): Promise<void> {
    const { guard } = this.#options.provider;
    try {
      await guard?.remove();
    } catch (error) {
      this.#options.warn?.(
        `The guard ${excerpt(guard?.title ?? '')} could not be removed; it finds the rollout over and does nothing: ${reasonOf(error)}`,
      );
    }
  }

  async #turn(found: RolloutRecord): Promise<RolloutRecord> {
    const record = await this.#withHistory(found);
    const { signal, settings } = this.#options;
    const startedAt = this.#clock.now();
    if (signal?.aborted === true && record.phase !== 'rolling-back' && record.phase !== 'finishing') {
      const why = typeof signal.reason === 'string' ? signal.reason : 'the run was cancelled';
      return this.#apply(record, { kind: 'cancelled', why, now: startedAt });
    }
    const { event, watching } = await this.#observe(record);
    const after = await this.#apply(record, event, watching);
    if (isOver(after) || after.phase === 'holding') return after;
    const passing = after.phase === 'rolling-back' || after.phase === 'promoting' || after.phase === 'finishing';
    const period = passing ? Math.min(quickTurn, settings.lookEvery) : settings.lookEvery;
    const left = startedAt + period - this.#clock.now();
    await this.#clock.sleep(left, passing ? undefined : signal);
    return after;
  }

  async #observe(record: RolloutRecord): Promise<{ readonly event: RolloutEvent; readonly watching: Watching }> {
    const { provider, approved, stopAfter } = this.#options;
    await this.agreeOnTime();
    // A rollout that is finishing only goes forward, whatever its objects say: they may be the next baseline's already.
    const traffic =
      record.phase === 'finishing'
        ? { desired: record.traffic, settled: true }
        : await this.#keeper.insist(() => provider.read());
    const { watching, blind, requestsPerSecond } = await this.#look(record);
    const now = this.#clock.now();
    const movedFor = this.#movedFor;
    this.#movedFor = 0;
    return {
      watching,
      event: {
        kind: 'observed',
        now,
        traffic,
        blind,
        requestsPerSecond,
        movedFor,
        approved: record.phase === 'awaiting-approval' && (await this.#isApproved(approved, record)),
        stop: stopAfter !== undefined && now - this.#startedAt >= stopAfter,
        ...(watching.analysed === undefined ? {} : { analysed: watching.analysed }),
      },
    };
  }

  async #look(record: RolloutRecord): Promise<{
    readonly watching: Watching;
    readonly blind: boolean;
    readonly requestsPerSecond: number;
  }> {
    const { settings, source, analyst } = this.#options;
    const kind = stageKind(record);
    if (kind === undefined) return { watching: {}, blind: false, requestsPerSecond: 0 };
    const reading = await this.#read(source, settings.lookEvery);
    const at = this.#clock.now();
    const look: Look = {
      number: record.looks + 1,
      at,
      stage: { kind, index: record.stage, weight: record.traffic.canaryWeight, since: record.stageAt },
      // What is counted now happened since the look before.
      warmUp: (record.lastLook?.at ?? record.exposedAt ?? at) - (record.exposedAt ?? at) < settings.warmUp,
      ...(reading === undefined ? {} : { reading }),
    };
    this.#analyst ??= analyst(record.analysis);
    const analysed = this.#withinRoom(this.#analyst.look(look));
    const count = analysed.requests.canary + analysed.requests.baseline;
    const last = this.#requests;
    this.#requests = { at, count };
    const requestsPerSecond =
      last === undefined || at <= last.at ? 0 : Math.max(0, (count - last.count) / ((at - last.at) / 1000));
    return { watching: { look, analysed }, blind: reading === undefined, requestsPerSecond };
  }

  /** The record is kept in an annotation or a tag: a state without end must not make it unwritable. */
  #withinRoom(analysed: Analysed): Analysed {
    const { room = Number.POSITIVE_INFINITY } = this.#options.provider;
    const most = Math.min(roomForAnalysis, room - roomForTheRest);
    if (JSON.stringify(analysed.state ?? null).length <= most) return analysed;
    if (!this.#roomWarned) {
      this.#options.warn?.(
        'The state of the analysis is too large to be kept: a run that goes on starts its evidence anew.',
      );
    }
    this.#roomWarned = true;
    return { ...analysed, state: null };
  }

  async #read(source: MetricsSource, lookEvery: number): Promise<Reading | undefined> {
    try {
      const reading = await source.read(AbortSignal.timeout(Math.max(lookEvery, 10_000)));
      this.#sourceWarned = false;
      return reading;
    } catch (error) {
      if (!(error instanceof SluiceError) && !isAbort(error)) throw error;
      if (!this.#sourceWarned) {
        this.#options.warn?.(`${source.title} cannot be asked, so nothing is known for now: ${reasonOf(error)}`);
      }
      this.#sourceWarned = true;
      return undefined;
    }
  }

  /** Before the first look: what the source remembers of the baseline, as looks that teach how restless it is and are evidence of nothing. */
  async #withHistory(record: RolloutRecord): Promise<RolloutRecord> {
    const { source, analyst, settings, warn } = this.#options;
    const first = record.analysis === undefined && record.looks === 0 && stageKind(record) !== undefined;
    if (this.#learned || !first || source.history === undefined) return record;
    this.#learned = true;
    const { lookEvery, lease } = settings;
    try {
      const readings = await source.history(lookEvery, historyLooks, AbortSignal.timeout(Math.min(30_000, lease / 2)));
      const learner = analyst(undefined);
      const now = this.#clock.now();
      const stage: LookStage = { kind: 'step', index: 0, weight: 0, since: now };
      let learned: Analysed | undefined;
      readings.forEach((reading, index) => {
        const at = now - (readings.length - index) * lookEvery;
        learned = learner.look({ number: 0, at, stage, warmUp: true, reading });
      });
      const state = learned === undefined ? undefined : this.#withinRoom(learned).state;
      if (state === undefined || state === null) return record;
      return { ...record, analysis: state as RolloutRecord['analysis'] & {} };
    } catch (error) {
      if (!(error instanceof SluiceError) && !isAbort(error)) throw error;
      warn?.(`What the baseline did before is not known, so evidence grows slowly at first: ${reasonOf(error)}`);
      return record;
    }
  }

  async #isApproved(approved: RolloutOptions['approved'], record: RolloutRecord): Promise<boolean> {
    if (approved === undefined) return false;
    try {
      return await approved(record.startedAt);
    } catch (error) {
      this.#options.warn?.(`The approval could not be asked for: ${reasonOf(error)}`);
      return false;
    }
  }

  /** One event: the next record persisted, then what follows from it. */
  async #apply(
    record: RolloutRecord,
    event: RolloutEvent,
    watching: Watching = {},
    commandsInARow = 0,
  ): Promise<RolloutRecord> {
    const { settings } = this.#options;
    const step = next(record, event, settings);
    const written = await this.#keeper.write(step.record, step.move);
    if (written.kind === 'fenced') throw new TakenOver(written.record);
    if (written.kind !== 'lost') this.#movedFor += written.movedFor;
    const { now } = event;
    if (written.kind === 'lost') {
      const lost = next(record, { kind: 'cancelled', why: 'its record was removed by somebody else', now }, settings);
      const again = await this.#keeper.write(lost.record, true);
      if (again.kind === 'fenced') throw new TakenOver(again.record);
      await this.#tell(record, lost, now, watching);
      return lost.record;
    }
    if (written.kind === 'commanded') {
      if (commandsInARow >= mostCommandsInARow) throw restless(this.#options.provider);
      const { command } = written.record;
      const obeyed =
        command === undefined
          ? written.record
          : await this.#apply(
              written.record,
              { kind: 'ordered', command: command.kind, by: command.by, now },
              {},
              commandsInARow + 1,
            );
      return isOver(obeyed) ? obeyed : this.#apply(obeyed, event, watching, commandsInARow + 1);
    }
    await this.#tell(record, step, now, watching);
    let after = step.record;
    for (const effect of step.effects) {
      if (effect.kind !== 'finish') continue;
      await this.#keeper.insist(() => this.#options.provider.finish(effect.outcome));
      after = await this.#apply(after, { kind: 'finished', now: this.#clock.now() });
    }
    return after;
  }

  /** Another rollout whose run is gone: back to the baseline, or forward where it is too late for that. */
  async #clearUp(found: RolloutRecord): Promise<void> {
    try {
      await this.watch(await this.#resume(found, undefined));
    } catch (error) {
      // Somebody else does the same: look at what is there then.
      if (!(error instanceof TakenOver)) throw error;
    }
  }

  /** This rollout, taken from whoever holds it and brought to an end: back, or forward where it is too late for that. */
  async end(found: RolloutRecord, why: string): Promise<RolloutRecord> {
    const back = await this.#take(found, (at) =>
      this.#apply({ ...at, holder: this.#options.holder }, { kind: 'cancelled', why, now: this.#clock.now() }),
    );
    return this.watch(back);
  }

  /** The first write as its holder. A command that was left for the holder before is no other holder: once more, with it. */
  async #take(
    found: RolloutRecord,
    write: (at: RolloutRecord) => Promise<RolloutRecord>,
    attempt = 1,
  ): Promise<RolloutRecord> {
    try {
      return await write(found);
    } catch (error) {
      if (!(error instanceof TakenOver) || attempt >= mostCommandsInARow) throw error;
      const at = error.record;
      if (at.id !== found.id || at.holder !== found.holder || isOver(at)) throw error;
      return this.#take(at, write, attempt + 1);
    }
  }

  async record(): Promise<RolloutRecord | undefined> {
    return this.#keeper.read();
  }

  async #resume(found: RolloutRecord, plan: string | undefined): Promise<RolloutRecord> {
    const { holder } = this.#options;
    const now = this.#clock.now();
    this.#analyst = undefined;
    this.#requests = undefined;
    const record = await this.#take(found, (at) =>
      this.#apply(at, { kind: 'resumed', holder, now, ...(plan === undefined ? {} : { plan }) }),
    );
    // Left while nobody was there to hear it.
    const { command } = record;
    if (command === undefined || command.kind === 'skip' || isOver(record)) return record;
    return this.#apply(record, { kind: 'ordered', command: command.kind, by: command.by, now });
  }

  async #goBack(record: RolloutRecord, error: unknown): Promise<void> {
    try {
      let at = (await this.#keeper.read()) ?? record;
      if (at.holder !== this.#options.holder || isOver(at)) return;
      at = await this.#apply(at, {
        kind: 'cancelled',
        why: `the run broke: ${reasonOf(error)}`,
        now: this.#clock.now(),
      });
      while (!isOver(at)) at = await this.#turn(at);
      await this.removeGuard();
    } catch (second) {
      const { guard } = this.#options.provider;
      this.#options.warn?.(
        `The rollout could not be rolled back (${reasonOf(second)}). ${guard === undefined ? 'Run it again with the same id, or abort it.' : `${guard.title} restores the baseline when the lease runs out.`}`,
      );
    }
  }

  async #refuseForeignTraffic(): Promise<void> {
    const { provider } = this.#options;
    const { desired } = await this.#keeper.insist(() => provider.read());
    if (desired.canaryWeight === 0) return;
    throw new PeerError({
      code: 'canary-has-traffic',
      message: `the canary already gets ${desired.canaryWeight} % of the requests, and no rollout says why`,
      found: provider.title,
      fix: 'If that is the version to keep, name it as the baseline. Else set its weight to 0 by hand, then run again.',
    });
  }

  async #installGuard(record: RolloutRecord): Promise<void> {
    const { provider, id, warn } = this.#options;
    if (isOver(record)) return;
    if (provider.guard === undefined) {
      warn?.(
        `${provider.name} has no guard of its own: should this run vanish, the canary keeps its traffic until a run with the same id goes on or aborts it.`,
      );
      return;
    }
    const { guard } = provider;
    const lease = { expires: new Date(record.leaseUntil), rolloutId: id };
    try {
      await this.#keeper.insist(() => guard.install(lease));
    } catch (error) {
      await this.#goBack(record, error);
      throw error;
    }
  }

  async #tell(before: RolloutRecord, step: Step, at: number, watching: Watching): Promise<void> {
    const messages = step.effects.flatMap((effect: Effect) =>
      effect.kind === 'tell' ? [{ text: effect.message, warn: effect.warn === true }] : [],
    );
    await this.#options.onTurn?.({ at, before, record: step.record, messages, ...watching });
  }
}

/** What the canary has while it is watched; `undefined`: nothing to look at. */
function stageKind({ phase, pausedFrom }: RolloutRecord): LookStage['kind'] | undefined {
  if (phase === 'shadow' || phase === 'header' || phase === 'step') return phase;
  if (phase === 'awaiting-approval') return 'step';
  if (phase !== 'paused' || pausedFrom === 'starting') return undefined;
  return pausedFrom === 'shadow' || pausedFrom === 'header' ? pausedFrom : 'step';
}

function held(found: RolloutRecord, provider: TrafficProvider): PeerError {
  return new PeerError({
    code: 'rollout-held',
    message: `another rollout is on: ${excerpt(found.id)}, ${found.phase} at ${found.traffic.canaryWeight} %`,
    found: `${provider.title}, held by ${excerpt(found.holder)} until ${new Date(found.leaseUntil).toISOString()}`,
    fix: `Wait for it, go on with it by its id, or abort it: sluice canary abort. After that time it may be taken over.`,
  });
}

function restless({ title }: TrafficProvider): PeerError {
  return new PeerError({
    code: 'restless-record',
    message: `${title} is changed by somebody else faster than a rollout can take it`,
    fix: 'Find out what writes them.',
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}

function reasonOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
