import { InputError, PeerError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import type { Clock } from './clock.ts';
import { providerClock } from './provider-clock.ts';
import { type Command, isOver, parseRecord, type RolloutRecord, recordText } from './state/record.ts';
import { TrafficConflict, type TrafficProvider } from './traffic-provider.ts';

export interface OrderOptions {
  readonly provider: TrafficProvider;
  readonly command: Command;
  /** Who, for the record. */
  readonly by: string;
  /** For tests. */
  readonly clock?: Clock;
}

/** The holder renews its record at every look; an order that keeps meeting one is simply written again. */
const mostAttempts = 20;

/**
 * Leaves a command for whoever holds the rollout, in its record, by compare-and-set. The holder obeys at its next look; a rollout without a
 * living run obeys when it is gone on with. Returns the record with the command.
 *
 * Throws an `InputError` where no rollout is on (`no-rollout`, `rollout-over`), a `PeerError` where it cannot be written.
 */
export async function orderRollout(options: OrderOptions): Promise<RolloutRecord> {
  const { provider, command, by, clock = await providerClock(options.provider) } = options;
  const time = await provider.now?.().catch(() => undefined);
  if (time !== undefined) clock.follow(time);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const stored = await provider.record();
    if (stored === undefined) throw notThere(provider);
    const record = parseRecord(stored.text);
    if (isOver(record)) throw over(record);
    const ordered = { ...record, command: { kind: command, by: excerpt(by, 100), at: clock.now() } };
    try {
      await provider.move({ record: recordText(ordered), after: stored.revision });
      return ordered;
    } catch (error) {
      if (!(error instanceof TrafficConflict)) throw error;
    }
  }
  throw new PeerError({
    code: 'restless-record',
    message: `${provider.title} is changed by somebody else faster than it can be written`,
    fix: 'Try again.',
  });
}

function notThere({ title }: TrafficProvider): InputError {
  return new InputError({
    code: 'no-rollout',
    message: 'no rollout is on',
    found: title,
    fix: 'Check the policy and its "canary.traffic".',
  });
}

function over({ id, phase }: RolloutRecord): InputError {
  return new InputError({
    code: 'rollout-over',
    message: `the rollout ${excerpt(id)} is over: it was ${phase === 'promoted' ? 'promoted' : 'rolled back'}`,
    fix: 'There is nothing left to tell it.',
  });
}
