import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';
import { type StoredRecord, TrafficConflict } from '../traffic-provider.ts';
import type { RevisionStore } from './hosts/revision-store.ts';

const keptSchema = z.strictObject({
  version: z.literal(1),
  /** The rollout's. */
  record: z.string().optional(),
  /** Hosts that are to run the canary: what is assumed of one that cannot be asked. */
  wanted: z.int().min(0).optional(),
});

/** What is kept, and which of the texts it is. */
export interface Kept {
  readonly record?: string | undefined;
  readonly wanted?: number | undefined;
  readonly number: number;
}

/** The record of a rollout whose provider cannot keep it next to the traffic: in a folder, by compare-and-set. */
export class KeptRecord {
  readonly #store: RevisionStore;
  readonly #title: string;

  /** @param title of the provider, for people */
  constructor(store: RevisionStore, title: string) {
    this.#store = store;
    this.#title = title;
  }

  /** Throws a PeerError for what cannot be read. */
  async read(): Promise<Kept> {
    const revision = await this.#store.read();
    if (revision === undefined) return { number: 0 };
    const { data } = keptSchema.safeParse(parsedJson(revision.text));
    if (data !== undefined) return { record: data.record, wanted: data.wanted, number: revision.number };
    throw new PeerError({
      code: 'broken-record',
      message: 'what is kept of the rollout cannot be understood',
      place: { file: this.#store.name },
      found: excerpt(revision.text, 120),
      fix: 'Another version of Sluice, or an editor, has written it: remove the newest file of that folder to go back one step.',
    });
  }

  /** The rollout's record as its provider gives it. Throws as `read` does. */
  async stored(): Promise<StoredRecord | undefined> {
    const { record, number } = await this.read();
    return record === undefined ? undefined : { text: record, revision: String(number) };
  }

  /** What is kept, if its record is the one of this revision (`undefined`: if there is none). Throws a TrafficConflict. */
  async expected(after: string | undefined): Promise<Kept> {
    const found = await this.read();
    if ((found.record === undefined ? undefined : String(found.number)) === after) return found;
    throw this.#conflict();
  }

  /** @returns the new number. Throws a TrafficConflict when another came first. */
  async write(
    kept: { readonly record?: string; readonly wanted?: number | undefined },
    after: number,
  ): Promise<number> {
    const number = await this.#store.write(`${JSON.stringify({ version: 1, ...kept })}\n`, after);
    if (number === undefined) throw this.#conflict();
    return number;
  }

  /** Throws a TrafficConflict if something else is kept by now. */
  async fence(number: number): Promise<void> {
    if ((await this.read()).number !== number) throw this.#conflict();
  }

  #conflict(): TrafficConflict {
    return new TrafficConflict(`the record of ${this.#title} is not the one that was read`);
  }
}
