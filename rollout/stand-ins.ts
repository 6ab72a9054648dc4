import { PeerError } from '../core/problem/index.ts';
import type { Analysed, Analyst, Look } from './analyst.ts';
import type { Clock } from './clock.ts';
import type { MetricsSource } from './metrics-source.ts';
import { parseRecord, type RolloutRecord } from './state/record.ts';
import { type StoredRecord, type Traffic, TrafficConflict, type TrafficProvider } from './traffic-provider.ts';

// For unit tests: a provider that outlives the runs that use it, runs that die at a chosen call, scripted evidence, a clock that is told.

/** What is at the provider, whoever is alive. */
export class World {
  traffic: Traffic = { canaryWeight: 0, mirrorPercent: 0 };
  stored: StoredRecord | undefined;
  finished: 'promoted' | 'rolled-back' | undefined;
  guarded = false;
  notReady: string | undefined;
  settled = true;
  time = 1_700_000_000_000;
  /** Every record that was ever persisted, with the traffic that was in force when it was. */
  readonly history: { readonly record: RolloutRecord; readonly traffic: Traffic }[] = [];
  /** Every traffic that was ever written, with the record that stood then. */
  readonly moves: { readonly traffic: Traffic; readonly record: RolloutRecord | undefined }[] = [];
  #revision = 0;

  get record(): RolloutRecord | undefined {
    return this.stored === undefined ? undefined : parseRecord(this.stored.text);
  }

  store(text: string): string {
    this.stored = { text, revision: String(++this.#revision) };
    this.history.push({ record: parseRecord(text), traffic: this.traffic });
    return this.stored.revision;
  }

  route(traffic: Traffic): void {
    this.traffic = traffic;
    this.moves.push({ traffic, record: this.record });
  }

  /** Others write to the object, too. */
  touch(): void {
    if (this.stored !== undefined) this.stored = { text: this.stored.text, revision: String(++this.#revision) };
  }
}

/** The process is gone: nothing of it is caught, nothing more is done. */
export class Death extends Error {}

/** A process that talks to the world, until it dies. */
export class Life {
  dead = false;
  calls = 0;
  /** Dies at the call of this number (from 1), before or after it has its effect, or between record and traffic. */
  readonly fate: { readonly call: number; readonly when: 'before' | 'between' | 'after' } | undefined;
  /** Runs at each call: others act, the provider fails. */
  readonly meanwhile: ((call: number) => void) | undefined;

  constructor(fate?: Life['fate'], meanwhile?: (call: number) => void) {
    this.fate = fate;
    this.meanwhile = meanwhile;
  }

  /** One call that changes something: `first` happens, then `second`. */
  change<Result>(first: () => Result, second?: () => void): Result {
    if (this.dead) throw new Death('dead');
    const call = ++this.calls;
    this.meanwhile?.(call);
    const dies = (when: string) => this.fate?.call === call && this.fate.when === when;
    if (dies('before')) this.#die();
    const result = first();
    if (dies('between')) this.#die();
    second?.();
    if (dies('after')) this.#die();
    return result;
  }

  ask<Result>(answer: () => Result): Result {
    if (this.dead) throw new Death('dead');
    return answer();
  }

  #die(): never {
    this.dead = true;
    throw new Death('killed');
  }
}

export interface ItsWays {
  readonly guard?: boolean;
  /** Its moves take their time, as those over plain hosts do: runs between record and traffic. Who was fenced off by then moves nothing. */
  readonly moving?: (traffic: Traffic) => void | Promise<void>;
}

export function providerStandIn(world: World, life: Life, its: ItsWays = {}): TrafficProvider {
  const { moving } = its;
  return {
    name: 'stand-in',
    title: 'stand-in of a provider',
    can: { header: true, mirror: true, weights: 'any' },
    read: async () =>
      life.ask(() => ({
        desired: world.traffic,
        settled: world.settled,
        ...(world.notReady === undefined ? {} : { notReady: world.notReady }),
      })),
    record: async () => life.ask(() => world.stored),
    now: async () => life.ask(() => world.time),
    // Record first, traffic second: the weakest a provider may be.
    move: async ({ record, traffic, after }) => {
      const write = () => {
        if (world.stored?.revision !== after) throw new TrafficConflict('changed by somebody else');
        return world.store(record);
      };
      if (moving === undefined || traffic === undefined) {
        return life.change(write, () => {
          if (traffic !== undefined) world.route(traffic);
        });
      }
      const revision = life.change(write);
      await moving(traffic);
      return life.change(() => {
        if (world.stored?.revision !== revision) throw new TrafficConflict('changed by somebody else on the way');
        world.route(traffic);
        return revision;
      });
    },
    clear: async () =>
      life.change(() => {
        world.stored = undefined;
      }),
    finish: async (outcome) =>
      life.change(() => {
        world.finished = outcome;
      }),
    ...(its.guard === false
      ? {}
      : {
          guard: {
            title: 'stand-in of a guard',
            install: async () =>
              life.change(() => {
                world.guarded = true;
              }),
            remove: async () =>
              life.change(() => {
                world.guarded = false;
              }),
          },
        }),
    async [Symbol.asyncDispose]() {},
  };
}

/** Time passes only in sleeps, in the world and for all who live in it. */
export function worldClock(world: World): Clock {
  return {
    now: () => world.time,
    follow: () => {},
    sleep: async (milliseconds, signal) => {
      if (signal?.aborted !== true) world.time += Math.max(1, milliseconds);
    },
  };
}

export const emptySource: MetricsSource = {
  name: 'stand-in',
  title: 'stand-in of a source',
  read: async () => ({ canary: [], baseline: [], remarks: [] }),
  async [Symbol.asyncDispose]() {},
};

export function deafSource(): MetricsSource {
  return {
    ...emptySource,
    read: async () => {
      throw new PeerError({ code: 'no-answer', message: 'nobody answers' });
    },
  };
}

/** An analyst that says what the script says; it counts a thousand requests a look. */
export function scripted(says: (look: Look) => Analysed['verdict']): () => Analyst {
  return () => ({
    look(look) {
      const verdict = look.reading === undefined || look.warmUp ? 'hold' : says(look);
      const requests = look.number * 1000;
      return {
        verdict,
        metrics: [
          {
            metric: 'errors',
            says: verdict === 'rollback' ? 'harm' : verdict === 'advance' ? 'harmless' : 'unsettled',
            logEvidence: verdict === 'rollback' ? 6 : 0,
            threshold: 5,
            effect: { kind: 'difference', estimate: 0, lower: -0.01, upper: 0.01 },
            canary: { requests, events: 0 },
            baseline: { requests, events: 0 },
            message: 'scripted',
          },
        ],
        requests: { canary: requests, baseline: requests },
        state: { looks: look.number },
        remarks: [],
      };
    },
  });
}
