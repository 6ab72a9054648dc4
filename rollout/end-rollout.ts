import type { Clock } from './clock.ts';
import { LiveRollout, TakenOver, type Turn } from './live-rollout.ts';
import { providerClock } from './provider-clock.ts';
import { isOver, parseRecord, type RolloutRecord } from './state/record.ts';
import type { RolloutSettings } from './state/settings.ts';
import type { TrafficProvider } from './traffic-provider.ts';

export interface EndOptions {
  readonly provider: TrafficProvider;
  /** Names who ends it; unique. */
  readonly holder: string;
  /** Why, for the record: `aborted by octocat`. */
  readonly why: string;
  /** Only if this run still holds it: what a `post` step must not take from another run. */
  readonly onlyOf?: string;
  /** Only a rollout whose lease ran out, or which this holder has begun to end: what a guard does. */
  readonly onlyExpired?: boolean;
  readonly onTurn?: (turn: Turn) => void | Promise<void>;
  readonly warn?: (message: string) => void;
  /** For tests. */
  readonly clock?: Clock;
}

/**
 * Ends whatever rollout is on: back to the baseline, or forward where the canary already is the new baseline. Whoever held it is fenced off
 * first. Returns the record it came to; `undefined` where there is none. May be repeated; a rollout that is over, held by another run
 * (`onlyOf`), holding for the next run (`onlyOf`) or whose lease is good (`onlyExpired`) is left as it is.
 */
export async function endRollout(options: EndOptions): Promise<RolloutRecord | undefined> {
  const { provider, holder, why, onlyOf, onlyExpired, clock = await providerClock(options.provider) } = options;
  const stored = await provider.record();
  const found = stored === undefined ? undefined : parseRecord(stored.text);
  if (found === undefined || isOver(found)) return found;
  const live = new LiveRollout(
    {
      id: found.id,
      holder,
      provider,
      source: nobodyLooks,
      analyst: () => {
        throw new Error('a rollout that ends is not analysed');
      },
      settings: settingsOfEnd,
      ...(options.onTurn === undefined ? {} : { onTurn: options.onTurn }),
      ...(options.warn === undefined ? {} : { warn: options.warn }),
    },
    clock,
  );
  await live.agreeOnTime();
  if (onlyOf !== undefined && (found.holder !== onlyOf || found.phase === 'holding')) return found;
  if (onlyExpired === true && found.holder !== holder && clock.now() <= found.leaseUntil) return found;
  try {
    const record = await live.end((await live.record()) ?? found, why);
    await live.removeGuard();
    return record;
  } catch (error) {
    // Its holder, or another who ends it, was quicker: it is in their hands.
    if (error instanceof TakenOver) return error.record;
    throw error;
  }
}

const nobodyLooks = {
  name: 'none',
  title: 'nothing',
  read: async () => ({ canary: [], baseline: [], remarks: [] }),
  async [Symbol.asyncDispose]() {},
};

const minute = 60_000;
/** What an end needs of the settings; the strategy is never asked. */
const settingsOfEnd: RolloutSettings = {
  strategy: { kind: 'steps', weights: [1] },
  lookEvery: 1000,
  warmUp: 0,
  minStage: 0,
  deadline: Number.MAX_SAFE_INTEGER,
  readyDeadline: 2 * minute,
  lease: 5 * minute,
  resumeWithin: 0,
  approval: false,
};
