import { endRollout } from '../end-rollout.ts';
import { isOver, parseRecord, type RolloutRecord } from '../state/record.ts';
import { openLocalTraffic } from '../traffic/local.ts';
import type { RevisionFolder } from '../traffic/revision-folder.ts';
import { changeState, closed, isOpen, type ProxyState } from './proxy-state.ts';

/** Milliseconds until an end that failed is tried again. */
const againMs = 1000;

/**
 * Ends a rollout whose lease ran out, from inside the proxy, which lives when nobody else does. The lease is the one in the rollout's
 * record, which whoever holds it renews at every look; where the record is not one of a rollout, the one the guard was put up with.
 */
export class LeaseWatch {
  readonly #folder: RevisionFolder;
  readonly #holder: string;
  readonly #tell: (message: string) => void;
  #ending: Promise<void> | undefined;
  #notBefore = 0;

  constructor(folder: RevisionFolder, holder: string, tell: (message: string) => void) {
    this.#folder = folder;
    this.#holder = holder;
    this.#tell = tell;
  }

  /** Looks at a state that was just read, and sets off what has to happen. One end at a time; nobody waits for it. */
  check(state: ProxyState): void {
    const now = Date.now();
    if (this.#ending !== undefined || now < this.#notBefore || !isExpired(state, now)) return;
    this.#ending = this.#end(state).finally(() => {
      this.#ending = undefined;
      this.#notBefore = Date.now() + againMs;
    });
  }

  /** Resolves when nothing is being ended. */
  async settled(): Promise<void> {
    await this.#ending;
  }

  async #end(state: ProxyState): Promise<void> {
    const id = state.lease?.rolloutId ?? '';
    try {
      if (recordOf(state) === undefined) {
        const now = await changeState(this.#folder, (found) =>
          found === undefined || !isExpired(found, Date.now()) ? (found ?? state) : restored(found),
        );
        if (now.restored?.rolloutId !== id) return;
      } else {
        await using provider = openLocalTraffic({ state: this.#folder.path, stateName: this.#folder.name });
        const why = 'the lease ran out: nobody watched the canary any more';
        const ended = await endRollout({ provider, holder: this.#holder, why, onlyExpired: true });
        if (ended === undefined || !isOver(ended)) return;
        await provider.guard?.remove();
        if (ended.phase === 'promoted') {
          this.#tell(`The lease of ${id} ran out; the canary was the new baseline already.`);
          return;
        }
      }
      this.#tell(`The lease of ${id} ran out: all traffic is back at the baseline.`);
    } catch (cause) {
      this.#tell(`The lease of ${id} ran out: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
}

/** Whether the traffic must not stay open: a lease was taken, and is over. What is on its way to be the baseline stays. */
export function isExpired(state: ProxyState, now: number): boolean {
  if (state.lease === undefined) return false;
  const record = recordOf(state);
  if (record === undefined) return now > state.lease.expires;
  return !isOver(record) && now > record.leaseUntil;
}

/** Whether the canary is so far that only going forward is safe. */
export function isFinishing(state: ProxyState): boolean {
  return recordOf(state)?.phase === 'finishing';
}

/** The record of the rollout that took the lease. */
function recordOf({ record, lease }: ProxyState): RolloutRecord | undefined {
  if (record === undefined) return undefined;
  try {
    const parsed = parseRecord(record);
    return parsed.id === lease?.rolloutId ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function restored(state: ProxyState): ProxyState {
  const { lease, ...rest } = state;
  if (lease === undefined || !isOpen(state.traffic)) return rest;
  const { rolloutId } = lease;
  return { ...rest, traffic: closed, changes: state.changes + 1, restored: { at: Date.now(), rolloutId } };
}
