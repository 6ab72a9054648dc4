import { InputError, PeerError, SluiceError } from '../core/problem/index.ts';
import type { Clock } from './clock.ts';
import { parseRecord, type RolloutRecord, recordText } from './state/record.ts';
import { TrafficConflict, type TrafficProvider } from './traffic-provider.ts';

/**
 * What came of a write. Nothing was written unless it says so. `movedFor`: milliseconds in which the provider moved the traffic; those of a
 * provider that did not answer are not among them.
 */
export type Written =
  | { readonly kind: 'written'; readonly movedFor: number }
  /** A second process left a command in the record, which otherwise is as this run wrote it. */
  | { readonly kind: 'commanded'; readonly record: RolloutRecord; readonly movedFor: number }
  /** Another run holds it, or it is another rollout's. */
  | { readonly kind: 'fenced'; readonly record: RolloutRecord }
  /** The record is gone. */
  | { readonly kind: 'lost' };

export interface RecordKeeperOptions {
  readonly provider: TrafficProvider;
  readonly clock: Clock;
  /** How long a provider that does not answer is asked again, in milliseconds. */
  readonly patience: () => number;
  /** Told when the provider stops answering, once a time. */
  readonly onTrouble: (message: string) => void;
  /** Between two attempts, in milliseconds. */
  readonly pause?: number;
}

const usualPause = 1000;
/** Others may write to the provider's object for their own reasons: its status, its labels. Not for ever. */
const mostRevisions = 50;

/**
 * The record at the provider, written by compare-and-set only: of two runs that believe they hold a rollout, the second write fails. A
 * write that was cut off is repeated; whether it had happened is read off the record.
 */
export class RecordKeeper {
  readonly #options: RecordKeeperOptions;
  #text: string | undefined;
  #revision: string | undefined;

  constructor(options: RecordKeeperOptions) {
    this.#options = options;
  }

  /** What the provider has now; from here on writes are held against it. */
  async read(): Promise<RolloutRecord | undefined> {
    const found = await this.insist(() => this.#options.provider.record());
    this.#text = found?.text;
    this.#revision = found?.revision;
    return found === undefined ? undefined : parseRecord(found.text);
  }

  /** Writes the record, and its traffic with it if `move`. */
  async write(record: RolloutRecord, move: boolean): Promise<Written> {
    const { provider, clock } = this.#options;
    const text = recordText(record);
    let movedFor = 0;
    for (let attempt = 0; attempt < mostRevisions; attempt++) {
      let askedAt = clock.now();
      const answered = () => {
        if (move) movedFor += clock.now() - askedAt;
      };
      try {
        this.#revision = await this.insist(() => {
          askedAt = clock.now();
          return provider.move({ record: text, after: this.#revision, ...(move ? { traffic: record.traffic } : {}) });
        });
        answered();
        this.#text = text;
        return { kind: 'written', movedFor };
      } catch (error) {
        if (!(error instanceof TrafficConflict)) throw error;
        answered();
      }
      const found = await this.insist(() => provider.record());
      const ours = found !== undefined && (found.text === this.#text || found.text === text);
      if (!ours) {
        const conflict = await this.#conflict(found, record, movedFor);
        if (conflict !== undefined) return conflict;
      }
      this.#revision = found?.revision;
    }
    throw new PeerError({
      code: 'restless-record',
      message: `${provider.title} is changed by somebody else faster than it can be written`,
      fix: 'Find out what writes to it (a GitOps controller?), and let it ignore the traffic and the record.',
    });
  }

  async #conflict(
    found: { readonly text: string; readonly revision: string } | undefined,
    record: RolloutRecord,
    movedFor: number,
  ): Promise<Written | undefined> {
    if (found === undefined) {
      // Never there, so nothing was lost: the first write of all met a race that its winner has cleared since.
      if (this.#text === undefined) return undefined;
      this.#text = undefined;
      this.#revision = undefined;
      return { kind: 'lost' };
    }
    this.#text = found.text;
    this.#revision = found.revision;
    const other = parseRecord(found.text);
    const mine = other.id === record.id && other.holder === record.holder;
    return mine ? { kind: 'commanded', record: other, movedFor } : { kind: 'fenced', record: other };
  }

  /**
   * Asks until there is an answer or the patience is over, then throws what the provider threw. A conflict is an answer.
   */
  async insist<Result>(ask: () => Promise<Result>): Promise<Result> {
    const { clock, patience, onTrouble, pause = usualPause } = this.#options;
    const since = clock.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof SluiceError) || lasts(error)) throw error;
        if (clock.now() - since >= patience()) throw error;
        if (attempt === 0) onTrouble(`The provider does not answer, so it is asked again: ${error.message}`);
        await clock.sleep(pause * Math.min(5, attempt + 1));
      }
    }
  }
}

function lasts(error: SluiceError): boolean {
  return error instanceof InputError || error.problems.every(({ code }) => lasting.has(code));
}

/** What asking again does not mend: somebody has to change a policy, a role or an object. */
const lasting: ReadonlySet<string> = new Set([
  'broken-record',
  'newer-record',
  'restless-record',
  'forbidden',
  'unauthorized',
  'not-found',
  // Of a Kubernetes API server and of the objects in it.
  'tls',
  'no-kubernetes',
  'no-such-kind',
  'no-such-object',
  'not-admitted',
  'invalid',
  'unknown-field',
  'traffic-changed-on-the-way',
  'guard-not-running',
  'no-such-route',
  'several-routes',
  'no-http-routes',
  'no-such-rule',
  'several-rules',
  'no-rules',
  'third-target',
  'mirror-taken',
  'no-arms',
  'no-baseline',
  'no-canary',
  'no-predictor',
  'wrong-mode',
  'unfit-object',
  // Of plain hosts: every one that was done has been taken back.
  'host-failed',
]);
