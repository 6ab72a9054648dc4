import { SluiceError } from '../../core/problem/index.ts';
import { printable } from '../../core/text/index.ts';
import { type Clock, steadyClock } from '../clock.ts';
import { endRollout } from '../end-rollout.ts';
import { isOver, parseRecord } from '../state/record.ts';
import type { TrafficProvider } from '../traffic-provider.ts';

export interface GuardWork {
  readonly provider: TrafficProvider;
  /** The only rollout it may end. */
  readonly rolloutId: string;
  /** Names this guard in the record. */
  readonly holder: string;
  /** Milliseconds to wait for the rollout's record to appear. */
  readonly patienceMs: number;
  /** Milliseconds between two looks at the record. @default 5 s */
  readonly everyMs?: number;
  readonly say?: (message: string) => void;
  /** For tests. @default one that starts at the provider's time */
  readonly clock?: Clock;
}

/**
 * What the guard found in the end. `restored`: the lease ran out, so it ended the rollout: back to the baseline, or forward where the canary
 * already was the new baseline. `over`: the rollout ended by itself. `none`: there never was one, or it is another's.
 */
export type Guarded = 'restored' | 'over' | 'none';

/**
 * Watches a rollout's lease until the rollout is over, and ends it when the lease runs out. Time is the provider's own, so a wrong clock of
 * the machine can neither end a rollout nor let it run on. Nothing the provider does ends the watch: it asks again until it answers.
 */
export async function guardRollout(work: GuardWork): Promise<Guarded> {
  const { provider, rolloutId, holder, patienceMs, everyMs = 5_000, say } = work;
  const clock = work.clock ?? steadyClock(await startTime(provider, everyMs));
  const began = clock.now();
  let seen = false;
  let trouble: string | undefined;
  for (;;) {
    try {
      const time = await provider.now?.();
      if (time !== undefined) clock.follow(time);
      const stored = await provider.record();
      if (trouble !== undefined) say?.(`${provider.title} answers again.`);
      trouble = undefined;
      const record = stored === undefined ? undefined : parseRecord(stored.text);
      const ours = record?.id === rolloutId ? record : undefined;
      if (ours === undefined) {
        if (seen) return 'over';
        // It is started before the first record is written.
        if (clock.now() - began > patienceMs) return 'none';
      } else {
        if (isOver(ours)) return ours.holder === holder ? 'restored' : seen ? 'over' : 'none';
        seen = true;
        // What it has begun it does not leave for a lease of its own to run out.
        const begun = ours.holder === holder;
        if (begun || clock.now() > ours.leaseUntil) {
          if (!begun) {
            say?.(`The lease of ${printable(ours.holder)} ran out; ${provider.title} goes back to a safe state.`);
          }
          const ended = await endRollout({
            provider,
            holder,
            why: 'the lease ran out: nobody watched the canary any more',
            onlyExpired: true,
            clock,
          });
          if (ended === undefined || isOver(ended)) return 'restored';
        }
      }
    } catch (error) {
      const now = printable(error instanceof Error ? error.message : String(error));
      if (now !== trouble) say?.(now);
      trouble = now;
      // A mistake of ours would only be made again; the Job starts it anew.
      if (!(error instanceof SluiceError)) throw error;
    }
    await clock.sleep(everyMs);
  }
}

/** The provider's time, asked for until it answers: the machine's may be wrong. */
async function startTime(provider: TrafficProvider, everyMs: number): Promise<number> {
  for (;;) {
    try {
      return (await provider.now?.()) ?? Date.now();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      await steadyClock().sleep(everyMs);
    }
  }
}
