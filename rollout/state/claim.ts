import { isOver, noCanary, type RolloutRecord } from './record.ts';

/** Who wants to run which rollout. */
export interface Claimant {
  readonly id: string;
  /** Names this one run, for people and for fencing: never two runs of one name. */
  readonly holder: string;
  readonly plan: string;
  readonly now: number;
  /** Milliseconds. */
  readonly lease: number;
}

/**
 * What a run may do with what it finds.
 *
 * - `start`: nothing is on. `resume`: this rollout is; whoever held it is fenced off by the next write. `over`: it ended; nothing is done twice.
 * - `clear-up`: another rollout's lease ran out, so it is brought to an end first. `refused`: another rollout is on.
 */
export type Claim = { readonly kind: 'start' | 'resume' | 'over' | 'clear-up' | 'refused' };

export function claim(found: RolloutRecord | undefined, { id, now }: Pick<Claimant, 'id' | 'now'>): Claim {
  if (found === undefined) return { kind: 'start' };
  if (found.id === id) return { kind: isOver(found) ? 'over' : 'resume' };
  if (isOver(found)) return { kind: 'start' };
  return { kind: now > found.leaseUntil ? 'clear-up' : 'refused' };
}

/** The first record of a rollout. */
export function firstRecord({ id, holder, plan, now, lease }: Claimant): RolloutRecord {
  return {
    v: 1,
    id,
    holder,
    leaseUntil: now + lease,
    phase: 'starting',
    traffic: noCanary,
    stage: 0,
    passed: 0,
    startedAt: now,
    stageAt: now,
    plan,
    looks: 0,
    drifts: 0,
  };
}
