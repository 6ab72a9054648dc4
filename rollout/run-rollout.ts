import { PeerError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import { LiveRollout, type RolloutOptions, TakenOver } from './live-rollout.ts';
import { providerClock } from './provider-clock.ts';
import { isOver, type RolloutRecord } from './state/record.ts';
import { refuseImpossible } from './strategy/check-strategy.ts';

export interface RolloutResult {
  readonly outcome: 'promoted' | 'rolled-back' | 'holding';
  readonly record: RolloutRecord;
  /** Nothing was done: an earlier run of this rollout had come to this end. */
  readonly before: boolean;
}

/**
 * Runs a rollout from wherever its record says it stands to its end, or to a safe point. Every step is persisted before anything follows
 * from it, so that it may die anywhere: the same call with the same id goes on.
 *
 * Throws a `PeerError`: `rollout-held` when another rollout is on, `rollout-taken-over` when another run of this one has taken it,
 * `canary-has-traffic` when nobody's rollout gave the canary its traffic, and whatever the provider threw beyond its patience. An error
 * nobody expected rolls back first, then is thrown on.
 */
export async function runRollout(options: RolloutOptions): Promise<RolloutResult> {
  refuseImpossible(options.settings.strategy, options.provider);
  const live = new LiveRollout(options, options.clock ?? (await providerClock(options.provider)));
  await live.agreeOnTime();
  try {
    const claimed = await live.claim();
    if (claimed.kind === 'over') return { outcome: endOf(claimed.record), record: claimed.record, before: true };
    const record = await live.watch(claimed.record);
    if (isOver(record)) await live.removeGuard();
    return { outcome: isOver(record) ? endOf(record) : 'holding', record, before: false };
  } catch (error) {
    if (!(error instanceof TakenOver)) throw error;
    const { record } = error;
    if (record.id === options.id && (isOver(record) || record.phase === 'rolling-back')) {
      // Aborted by somebody else: this run had its part in it.
      return { outcome: endOf(record), record, before: false };
    }
    throw new PeerError({
      code: 'rollout-taken-over',
      message: 'another run has taken this rollout over, so this one stopped without touching anything',
      found: excerpt(record.holder),
      fix: 'Follow that run. Let only one workflow run a rollout: give it a concurrency group.',
    });
  }
}

function endOf({ phase }: RolloutRecord): 'promoted' | 'rolled-back' {
  return phase === 'promoted' ? 'promoted' : 'rolled-back';
}
