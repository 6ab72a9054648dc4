import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { HttpAsker } from '../http-question.ts';
import { changeState, closed, isOpen, type ProxyState, readState } from '../proxy/proxy-state.ts';
import {
  type StoredRecord,
  type Traffic,
  type TrafficChange,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from '../traffic-provider.ts';
import { RevisionFolder } from './revision-folder.ts';
import { checkTraffic } from './traffic-bounds.ts';

export interface LocalTrafficOptions {
  /** The folder with the proxy's state. */
  readonly state: string;
  /** What people call that folder: its path as the policy writes it. @default `state` */
  readonly stateName?: string | undefined;
  /** The server to try. @default the one the state names */
  readonly canary?: string | undefined;
}

/**
 * Traffic through Sluice's own proxy (`startProxy`). The proxy is a process of its own and lives on when whoever steers it is killed: it
 * keeps the weights, and its guard gives the baseline everything back when the lease runs out. Record and weights are one file, written
 * in one atomic step.
 */
export function openLocalTraffic(options: LocalTrafficOptions): TrafficProvider {
  return new LocalTraffic(options);
}

class LocalTraffic implements TrafficProvider {
  readonly name = 'local';
  readonly title: string;
  readonly can = { header: true, mirror: true, weights: 'any' } as const;
  readonly guard: NonNullable<TrafficProvider['guard']>;
  readonly #folder: RevisionFolder;
  readonly #canary: string | undefined;
  readonly #asker = new HttpAsker({ timeoutMs: 5000, maxAnswerBytes: 65_536 });

  constructor({ state, stateName, canary }: LocalTrafficOptions) {
    this.#folder = new RevisionFolder(state, stateName);
    this.#canary = canary;
    this.title = `proxy of ${this.#folder.name}`;
    this.guard = {
      title: 'the proxy itself: it gives the baseline everything back when the lease runs out',
      install: async ({ expires, rolloutId }) => {
        await this.#change((found) => ({ ...found, lease: { expires: expires.getTime(), rolloutId } }));
      },
      remove: async () => {
        await this.#change((found) => {
          if (found.lease === undefined) return found;
          const { lease: _gone, ...rest } = found;
          return rest;
        });
      },
    };
  }

  async read(): Promise<TrafficState> {
    const state = await this.#state();
    const { traffic: desired, control, changes } = state;
    const followed = await this.#followed(control);
    const canary = this.#canaryOf(state);
    const notReady =
      canary === undefined
        ? 'no canary is set: give its URL'
        : followed === undefined
          ? 'the proxy does not answer: start it with `sluice proxy`, with the same state'
          : undefined;
    return {
      desired,
      ...(followed === undefined ? {} : { observed: followed.traffic }),
      settled: followed !== undefined && followed.changes >= changes,
      ...(notReady === undefined ? {} : { notReady }),
    };
  }

  async record(): Promise<StoredRecord | undefined> {
    const { record, changes } = await this.#state();
    return record === undefined ? undefined : { text: record, revision: String(changes) };
  }

  async move({ record, traffic, after }: TrafficChange): Promise<string> {
    if (traffic !== undefined) checkTraffic(traffic, this);
    const { changes } = await this.#change((found) => {
      this.#expect(found, after);
      const canary = this.#canaryOf(found);
      if (traffic !== undefined && isOpen(traffic) && canary === undefined) throw noCanary(this.#folder.name);
      // A new rollout begins: what the proxy did in the one before is history.
      const { restored: _history, ...rest } = found;
      return {
        ...(after === undefined ? rest : found),
        ...(canary === undefined ? {} : { canary }),
        traffic: traffic ?? found.traffic,
        record,
        changes: found.changes + 1,
      };
    });
    return String(changes);
  }

  async clear(after: string): Promise<void> {
    await this.#change((found) => {
      this.#expect(found, after);
      const { record: _over, ...rest } = found;
      return { ...rest, changes: found.changes + 1 };
    });
  }

  async finish(outcome: 'promoted' | 'rolled-back'): Promise<void> {
    await this.#change((found) => {
      const { canary, ...rest } = found;
      if (canary === undefined) return found;
      return {
        ...rest,
        ...(outcome === 'promoted' ? { baseline: canary } : {}),
        traffic: closed,
        changes: found.changes + 1,
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asker[Symbol.asyncDispose]();
  }

  async #state(): Promise<ProxyState> {
    const state = await readState(this.#folder);
    if (state === undefined) throw noState(this.#folder.name);
    return state;
  }

  #change(change: (state: ProxyState) => ProxyState): Promise<ProxyState> {
    return changeState(this.#folder, (state) => {
      if (state === undefined) throw noState(this.#folder.name);
      return change(state);
    });
  }

  #expect({ record, changes }: ProxyState, after: string | undefined): void {
    if ((record === undefined ? undefined : String(changes)) !== after) {
      throw new TrafficConflict(`the record in ${this.title} is not the one that was read`);
    }
  }

  /** A promoted canary is the baseline, whatever the options still say. */
  #canaryOf({ canary, baseline, record }: ProxyState): string | undefined {
    if (this.#canary === undefined || new URL(this.#canary).href === new URL(baseline).href) return canary;
    // Within a rollout the canary stays what it is.
    return record === undefined || canary === undefined ? this.#canary : canary;
  }

  /** What the proxy follows now; `undefined` if it does not answer. */
  async #followed(
    control: string | undefined,
  ): Promise<{ readonly changes: number; readonly traffic: Traffic } | undefined> {
    if (control === undefined) return undefined;
    try {
      const { text } = await this.#asker.ask({ url: new URL('/state', control) });
      const { changes, traffic } = followed.parse(JSON.parse(text));
      const { header, ...weights } = traffic;
      return { changes, traffic: header === undefined ? weights : { ...weights, header } };
    } catch {
      return undefined;
    }
  }
}

const followed = z.object({
  changes: z.number(),
  traffic: z.object({
    canaryWeight: z.number(),
    mirrorPercent: z.number(),
    header: z.object({ name: z.string(), value: z.string() }).optional(),
  }),
});

function noState(folder: string): PeerError {
  return new PeerError({
    code: 'no-proxy',
    message: 'no proxy has begun here',
    place: { file: folder },
    fix: 'Start it: `sluice proxy --state FOLDER --baseline URL`, with the same folder.',
  });
}

function noCanary(folder: string): PeerError {
  return new PeerError({
    code: 'no-canary',
    message: 'the proxy has no canary to send requests to',
    place: { file: folder },
    fix: 'Give the URL of the new version (traffic.canary).',
  });
}
