/** Who gets which requests. Weights are whole percent and the canary's; the baseline has the rest. */
export interface Traffic {
  /** 0 to 100. */
  readonly canaryWeight: number;
  /** Percent of requests that are copied to the canary; nobody sees its answers. */
  readonly mirrorPercent: number;
  /** Requests that carry this header go to the canary, whatever the weight; the others by the weight. */
  readonly header?: { readonly name: string; readonly value: string };
}

/** What the provider says of itself now. */
export interface TrafficState {
  /** As the provider's own object has it. */
  readonly desired: Traffic;
  /** As the data plane reports it follows, where it reports: KServe's status, SageMaker's variants. Absent: it does not tell. */
  readonly observed?: Traffic;
  /** The data plane follows `desired`, as far as can be known. */
  readonly settled: boolean;
  /** Not routable yet, and why: no ready pods, revision not found. Printable. */
  readonly notReady?: string;
  /** The provider gave the baseline its traffic back by itself (an alarm of its own guardrail), and why: the rollout is lost. Printable. */
  readonly takenBack?: string;
}

/** Text the rollout keeps at the provider (an annotation, a tag, a file), and the version it was read at, for compare-and-set. */
export interface StoredRecord {
  readonly text: string;
  readonly revision: string;
}

/** The record or the traffic was changed by somebody else since it was read: nothing was written. */
export class TrafficConflict extends Error {
  override readonly name = 'TrafficConflict';
}

/** What `TrafficProvider.move` writes. */
export interface TrafficChange {
  readonly record: string;
  /** Stays as it is when not given. */
  readonly traffic?: Traffic;
  /** The revision that was read; `undefined`: there must be no record. */
  readonly after: string | undefined;
}

/**
 * Moves traffic between a baseline and a canary, and keeps the rollout's record next to it, so that whoever comes after a crash finds
 * both. Every method may be repeated; a call that was cut off may or may not have happened, and the next `read` tells. Throws a
 * `PeerError` when the provider refuses or does not answer within its patience (retries for 409 by others than compare-and-set, 429 and
 * 5xx are the provider's own matter).
 */
export interface TrafficProvider extends AsyncDisposable {
  /** `istio`, `gateway-api`, ... */
  readonly name: string;
  /** For people: `VirtualService shop/churn`. Printable. */
  readonly title: string;
  /** What cannot be done here: a provider without header routes or mirroring says so before anything moves. */
  readonly can: { readonly header: boolean; readonly mirror: boolean; readonly weights: readonly number[] | 'any' };
  /** Characters a record may have, where it is kept in little room: tags. The evidence kept in it then stays below. @default plenty */
  readonly room?: number;
  read(): Promise<TrafficState>;
  /**
   * The provider's own time in milliseconds of the epoch (the `Date` of its last answer), where it tells. Leases are held against it, so
   * that two runners whose clocks differ still agree on who holds what.
   */
  now?(): Promise<number>;
  /** `undefined`: no rollout was ever recorded, or its record was cleared. */
  record(): Promise<StoredRecord | undefined>;
  /**
   * Writes record and traffic; in one atomic write where the provider can (one Kubernetes object), else the record first. `after` is the
   * revision the caller read (`undefined`: there must be no record). Throws `TrafficConflict` without having written.
   */
  move(change: TrafficChange): Promise<string>;
  /** Removes the record once a rollout is over; traffic stays. */
  clear(after: string): Promise<void>;
  /**
   * Makes the canary the new baseline (weight 100 first, then the objects so that a next rollout starts from it), or removes what the
   * rollout added. May be repeated.
   */
  finish(outcome: 'promoted' | 'rolled-back'): Promise<void>;
  /**
   * A guard that lives where the runner does not: restores the baseline if the lease in the record runs out. `undefined`: this provider has
   * none, which is said before the first move.
   */
  readonly guard?: {
    readonly title: string;
    install(lease: { readonly expires: Date; readonly rolloutId: string }): Promise<void>;
    remove(): Promise<void>;
  };
}
