import { resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt, printable } from '../../core/text/index.ts';
import {
  durationText,
  isOver,
  parseRecord,
  type RolloutRecord,
  type TrafficProvider,
  type TrafficState,
} from '../../rollout/index.ts';
import { type CanaryGate, openCanaryGate } from './canary-gate.ts';
import type { CanaryPlace } from './canary-inputs.ts';
import { openProvider } from './saved-run.ts';

/** How a rollout stands. */
export interface RolloutStanding {
  /** `running`: a run watches it, or its lease lasts and nobody knows better. `none`: there never was one. */
  readonly outcome: 'promoted' | 'rolled-back' | 'holding' | 'running' | 'none';
  /** For people: `VirtualService shop/churn`. */
  readonly title: string;
  readonly traffic: TrafficState;
  /** Milliseconds of the epoch, the provider's where it tells. */
  readonly now: number;
  readonly record?: RolloutRecord;
}

/** Opens what the policy names, and hands it to `work`. */
export async function withProvider<Result>(
  inputs: CanaryPlace,
  work: (provider: TrafficProvider, gate: CanaryGate) => Promise<Result>,
): Promise<Result> {
  const gate = await openCanaryGate(inputs);
  const { canary, directory } = gate;
  await using provider = openProvider({
    directory,
    traffic: canary.traffic,
    ...(canary.guard === undefined ? {} : { guard: canary.guard }),
    ...(inputs.context === undefined ? {} : { context: inputs.context }),
    ...(inputs.kubeconfig === undefined ? {} : { kubeconfig: resolve(inputs.directory, inputs.kubeconfig) }),
  });
  return await work(provider, gate);
}

/** How the policy's rollout stands now; nothing is changed. */
export async function standingOf(inputs: CanaryPlace): Promise<RolloutStanding> {
  return withProvider(inputs, async (provider) => {
    const stored = await provider.record();
    const traffic = await provider.read();
    const now = (await provider.now?.()) ?? Date.now();
    const record = stored === undefined ? undefined : parseRecord(stored.text);
    if (record !== undefined) refuseOther(record, inputs);
    return {
      outcome: outcomeOf(record),
      title: provider.title,
      traffic,
      now,
      ...(record === undefined ? {} : { record }),
    };
  });
}

/**
 * The rollout that a run could go on with: one that holds, or whose run is gone since longer than its lease. `undefined`: there is none, or a
 * run watches it.
 */
export async function ongoingRollout(inputs: CanaryPlace, host: Host): Promise<string | undefined> {
  const standing = await standingOf(inputs);
  const { record, outcome, now } = standing;
  if (record === undefined || isOver(record)) {
    host.notice(
      `Nothing to go on with: ${record === undefined ? 'no rollout was begun' : `the last was ${words(outcome)}`}.`,
    );
  } else if (outcome === 'running' && now <= record.leaseUntil) {
    host.notice(
      `Nothing to go on with: ${excerpt(record.holder, 200)} watches the rollout ${excerpt(record.id, 200)}.`,
    );
  } else return record.id;
  tellStanding(standing, host);
  return undefined;
}

/** Throws an `InputError` where another rollout is on than the one that is meant. */
export function refuseOther({ id }: RolloutRecord, { id: wanted }: Pick<CanaryPlace, 'id'>): void {
  if (wanted === undefined || wanted === id) return;
  throw new InputError({
    code: 'another-rollout',
    message: 'this is not the rollout that is on',
    found: excerpt(id, 200),
    expected: excerpt(wanted, 200),
    fix: 'Give the id of the rollout that is on, or none.',
  });
}

export function outcomeOf(record: RolloutRecord | undefined): RolloutStanding['outcome'] {
  if (record === undefined) return 'none';
  const { phase } = record;
  return phase === 'promoted' || phase === 'rolled-back' || phase === 'holding' ? phase : 'running';
}

/** The step's outputs. */
export function tellStanding({ outcome, record, traffic }: Omit<RolloutStanding, 'title' | 'now'>, host: Host): void {
  host.output('outcome', outcome);
  host.output('weight', String(traffic.desired.canaryWeight));
  host.output('verdict', record?.lastLook?.verdict ?? '');
  host.output('id', record?.id ?? '');
}

/** For people, line by line. Printable. */
export function standingText({ outcome, record, traffic, title, now }: RolloutStanding): string {
  const { desired, settled, notReady } = traffic;
  const weight = `The canary has ${desired.canaryWeight} % of the requests of ${title}`;
  const copies = desired.mirrorPercent === 0 ? '' : ` and copies of ${desired.mirrorPercent} %`;
  const header = desired.header === undefined ? '' : ` and those with the header ${desired.header.name}`;
  const lines = [`${weight}${copies}${header}${settled ? '' : '; the data plane does not follow yet'}.`];
  if (notReady !== undefined) lines.push(`The canary is not ready: ${notReady}.`);
  if (record === undefined) return [...lines, 'No rollout was ever recorded here.'].map(printable).join('\n');
  const since = (time: number) => durationText(Math.max(0, now - time));
  lines.push(
    isOver(record)
      ? `The rollout ${record.id} was ${words(outcome)} ${since(record.endedAt ?? record.stageAt)} ago.`
      : `The rollout ${record.id} is ${phaseWords(record)} since ${since(record.stageAt)}; it began ${since(record.startedAt)} ago.`,
  );
  if (record.lastLook !== undefined) {
    lines.push(`${record.looks} looks, the last ${since(record.lastLook.at)} ago: ${record.lastLook.verdict}.`);
  }
  if (record.reason !== undefined) lines.push(`Reason: ${record.reason}`);
  if (record.approved !== undefined) lines.push(`Approved by ${record.approved.by}.`);
  if (record.command !== undefined)
    lines.push(`Told to ${record.command.kind} by ${record.command.by}, not obeyed yet.`);
  if (!isOver(record)) {
    lines.push(
      now > record.leaseUntil
        ? `Nobody watches it: the lease of ${record.holder} ran out ${since(record.leaseUntil)} ago.`
        : `Held by ${record.holder}, whose lease lasts until ${new Date(record.leaseUntil).toISOString()}.`,
    );
  }
  return lines.map(printable).join('\n');
}

function words(outcome: RolloutStanding['outcome']): string {
  return outcome === 'rolled-back' ? 'rolled back' : outcome;
}

function phaseWords({ phase, traffic }: RolloutRecord): string {
  return phase === 'step'
    ? `at ${traffic.canaryWeight} %`
    : phase === 'holding'
      ? 'holding'
      : `in the phase "${phase}"`;
}
