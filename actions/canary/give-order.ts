import type { Host } from '../../core/host/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  endRollout,
  orderRollout,
  parseRecord,
  type RolloutRecord,
  type TrafficProvider,
} from '../../rollout/index.ts';
import type { CanaryGate } from './canary-gate.ts';
import type { CanaryPlace } from './canary-inputs.ts';
import { holderOf, whoOf } from './rollout-id.ts';
import { type NewsInputs, RolloutNews } from './rollout-news.ts';
import { outcomeOf, refuseOther, tellStanding, withProvider } from './standing.ts';

export const canaryOrders = ['pause', 'resume', 'approve', 'skip', 'abort'] as const;
export type CanaryOrder = (typeof canaryOrders)[number];

/**
 * An order to a rollout from elsewhere: another workflow, a person at a terminal. `abort` takes the rollout from whoever holds it and brings
 * it back to the baseline itself, so it needs no run that listens; the others are left in the record, and obeyed at the next look.
 *
 * Throws an `InputError`: no rollout is on (`no-rollout`), it is another (`another-rollout`), it is over (`rollout-over`). Aborting what was
 * rolled back already is no mistake.
 */
export async function giveOrder(
  command: CanaryOrder,
  inputs: CanaryPlace & NewsInputs,
  host: Host,
): Promise<RolloutRecord> {
  return withProvider(inputs, async (provider, gate) => {
    const found = await recordOf(provider);
    if (found !== undefined) refuseOther(found, inputs);
    const by = whoOf(gate);
    const record =
      command === 'abort'
        ? await abort(found, provider, gate, inputs, host)
        : await orderRollout({ provider, command, by });
    if (command !== 'abort') host.info(obeyed(command, record));
    tellStanding({ outcome: outcomeOf(record), record, traffic: await provider.read() }, host);
    return record;
  });
}

async function abort(
  found: RolloutRecord | undefined,
  provider: TrafficProvider,
  gate: CanaryGate,
  inputs: NewsInputs,
  host: Host,
): Promise<RolloutRecord> {
  if (found?.phase === 'rolled-back') {
    host.info(`The rollout ${found.id} was rolled back already.`);
    return found;
  }
  if (found === undefined) {
    throw new InputError({
      code: 'no-rollout',
      message: 'no rollout is on',
      found: provider.title,
      fix: 'Check the policy and its "canary.traffic".',
    });
  }
  const news = RolloutNews.open(inputs, gate, { id: found.id, title: provider.title, host });
  const ended = await endRollout({
    provider,
    holder: holderOf(gate),
    why: `aborted by ${whoOf(gate)}`,
    warn: (message) => host.warning(message),
    onTurn: (turn) => {
      for (const { text } of turn.messages) host.info(text);
      news.tell(turn);
    },
  });
  await news.close(10_000);
  // Removed meanwhile: whoever did that has it in hand.
  const record = ended ?? found;
  if (record.phase === 'promoted') {
    throw new InputError({
      code: 'rollout-over',
      message: `it is too late to abort the rollout ${excerpt(record.id, 200)}: it was promoted`,
      fix: 'Roll out the version before it.',
    });
  }
  return record;
}

async function recordOf(provider: TrafficProvider): Promise<RolloutRecord | undefined> {
  const stored = await provider.record();
  return stored === undefined ? undefined : parseRecord(stored.text);
}

function obeyed(command: Exclude<CanaryOrder, 'abort'>, { id, phase }: RolloutRecord): string {
  const when = phase === 'holding' ? 'when a run goes on with it' : 'at its next look';
  return `The rollout ${id} is told to ${command}; it obeys ${when}.`;
}
