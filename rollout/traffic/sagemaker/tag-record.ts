import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import * as z from 'zod';
import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { AwsApi } from '../../aws/aws-api.ts';
import { type StoredRecord, TrafficConflict } from '../../traffic-provider.ts';

/** Before every tag of a rollout. */
export const tagPrefix = 'sluice:rollout';
/** A resource has so many tags at most, those of its owner among them; `aws:` tags do not count. */
const mostTags = 50;
/** A tag's value has 256 characters at most, of letters, digits and `_.:/=+-@`: base64 fits. */
const charactersOfAPiece = 256;
/** Of a record, so that some ten tags remain for the owner and for bids. */
const mostPieces = 38;
/** Characters of a record that surely fit: six bits of a tag's character for eight of the packed record's. */
export const roomInTags = 9_000;

/** What is kept beside the record, by name: short words of letters, digits and `-`. */
export type TagMemo = Readonly<Record<string, string>>;

export interface TaggedRecord {
  readonly text: string;
  readonly revision: string;
  readonly memo: TagMemo;
}

export interface TagRecordOptions {
  readonly api: AwsApi;
  readonly arn: () => Promise<string>;
  readonly title: string;
  /** Milliseconds after which another's bid is a dead process's. @default 45000 */
  readonly deadBidMs?: number;
  /** Milliseconds a bid of ours is good for. @default 10000 */
  readonly bidMs?: number;
}

const tags = z.looseObject({
  Tags: z.array(z.looseObject({ Key: z.string(), Value: z.string() })).nullish(),
  NextToken: z.string().nullish(),
});
const done = z.looseObject({});
const head = z
  .string()
  .regex(/^v1:\d+:[0-9a-f]{12}:\d+:[0-9a-f]{16}$/)
  .transform((value) => {
    const [, counter = '', nonce = '', pieces = '', digest = ''] = value.split(':');
    return { revision: `${counter}.${nonce}`, counter: Number(counter), pieces: Number(pieces), digest };
  });

type Tags = ReadonlyMap<string, string>;

/**
 * A record in the tags of a SageMaker resource: packed, cut into pieces of 256 characters, with a head that tells how many there are and
 * their digest. All are written by one call.
 *
 * SageMaker has no write on condition. Who wants to write therefore bids first, by a tag of its own, and writes only if the tags it reads
 * after that hold the revision it expects and no other bid; two that bid at once both see it, and all but one stand back. So of several
 * writers one wins, provided that a tag which was added is in every list read later. SageMaker promises that nowhere in writing; a
 * bid that outlives its process is removed after `deadBidMs`, which adds a bound on how long a write may take.
 */
export class TagRecord {
  readonly #options: TagRecordOptions;

  constructor(options: TagRecordOptions) {
    this.#options = options;
  }

  async read(): Promise<TaggedRecord | undefined> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.#list();
      if (found.get(tagPrefix) === undefined) return undefined;
      const record = unpacked(found);
      if (record !== undefined) return record;
      // A list read while somebody writes.
      if (attempt >= 4) throw brokenTags(this.#options.title, found.get(tagPrefix) ?? '');
      await sleep(150);
    }
  }

  /** The record alone, as a provider gives it. */
  async stored(): Promise<StoredRecord | undefined> {
    const found = await this.read();
    return found === undefined ? undefined : { text: found.text, revision: found.revision };
  }

  /** Writes record and memo. Throws a TrafficConflict if the record is not at the revision `after`; what it bid is then taken back. */
  async write(text: string, after: string | undefined, memo: TagMemo): Promise<string> {
    return this.#won(after, async (found, bid) => {
      const counter = (head.safeParse(found.get(tagPrefix)).data?.counter ?? 0) + 1;
      const packed = pack(text, counter);
      const written = [...packed.tags, ...Object.entries(memo).map(([name, value]) => [memoKey(name), value] as const)];
      const kept = new Set(written.map(([key]) => key));
      const ours = (key: string) => key === tagPrefix || key.startsWith(`${tagPrefix}:`);
      const foreign = [...found.keys()].filter((key) => !ours(key) || isBid(key)).length;
      this.#checkRoom(kept.size, foreign, packed.pieces);
      await this.#call('AddTags', { Tags: written.map(([Key, Value]) => ({ Key, Value })) });
      await this.#delete([...found.keys()].filter((key) => ours(key) && !kept.has(key) && !isBid(key)).concat(bid));
      return packed.revision;
    });
  }

  /** Adds to the memo what only grows and is no decision: without a bid. Gone with the next write that does not repeat it. */
  async note(name: string, value: string): Promise<void> {
    await this.#call('AddTags', { Tags: [{ Key: memoKey(name), Value: value }] });
  }

  /** Removes all that a rollout keeps here. Nothing where there is no record. */
  async clear(after: string): Promise<void> {
    if ((await this.read()) === undefined) return;
    await this.#won(after, async (found, bid) => {
      // The head first to go: without it there is no record. Bids of others are theirs.
      const gone = [...found.keys()].filter((key) => key === tagPrefix || key.startsWith(`${tagPrefix}:`));
      await this.#delete([...gone.filter((key) => !isBid(key)), bid]);
    });
  }

  /** Does it as the one writer after that revision. */
  async #won<Result>(after: string | undefined, write: (found: Tags, bid: string) => Promise<Result>): Promise<Result> {
    const { bidMs = 10_000, deadBidMs = 45_000 } = this.#options;
    const wanted = after ?? 'none';
    const others = new Map<string, number>();
    for (;;) {
      const bid = `${tagPrefix}:bid:${randomBytes(6).toString('hex')}`;
      const began = performance.now();
      await this.#call('AddTags', { Tags: [{ Key: bid, Value: wanted }] });
      try {
        for (;;) {
          const found = await this.#list();
          if ((revisionIn(found) ?? 'none') !== wanted) throw this.#conflict();
          const rivals = [...found].flatMap(([key, value]) =>
            isBid(key) && key !== bid && value === wanted ? key : [],
          );
          const late = performance.now() - began > bidMs;
          if (rivals.length === 0 && found.has(bid) && !late) return await write(found, bid);
          for (const key of rivals) others.set(key, others.get(key) ?? performance.now());
          const dead = rivals.filter((key) => performance.now() - (others.get(key) ?? 0) > deadBidMs);
          if (dead.length > 0) await this.#delete(dead);
          // The least of the bids stays, the others stand back: one of them can go on.
          if (late || rivals.some((key) => key < bid)) break;
          await sleep(50 + 100 * Math.random());
        }
      } catch (error) {
        await this.#takeBack(bid);
        throw error;
      }
      await this.#takeBack(bid);
      await sleep(100 + 300 * Math.random());
    }
  }

  /** Where it fails the bid is void as soon as the record changes, and dead after a while. */
  async #takeBack(bid: string): Promise<void> {
    await this.#delete([bid]).catch(() => {});
  }

  async #list(): Promise<Tags> {
    const found = new Map<string, string>();
    let next: string | undefined;
    do {
      const page = await this.#options.api.call(
        'ListTags',
        { ResourceArn: await this.#options.arn(), ...(next === undefined ? {} : { NextToken: next }) },
        tags,
        this.#options,
      );
      for (const { Key, Value } of page.Tags ?? []) found.set(Key, Value);
      next = page.NextToken ?? undefined;
    } while (next !== undefined);
    return found;
  }

  async #delete(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#call('DeleteTags', { TagKeys: keys });
  }

  async #call(operation: 'AddTags' | 'DeleteTags', input: Readonly<Record<string, unknown>>): Promise<void> {
    const { api, arn } = this.#options;
    await api.call(operation, { ResourceArn: await arn(), ...input }, done, this.#options);
  }

  #conflict(): TrafficConflict {
    return new TrafficConflict(`the record in the tags of ${this.#options.title} is not the one that was read`);
  }

  #checkRoom(own: number, foreign: number, pieces: number): void {
    if (pieces <= mostPieces && own + foreign <= mostTags) return;
    throw new PeerError({
      code: 'no-room-in-tags',
      message: `the record of the rollout needs ${own} tags of ${this.#options.title}, and others have ${foreign}`,
      expected: `${mostTags} tags together, ${mostPieces} of them for the record`,
      fix: 'Remove tags of the endpoint, or judge fewer metrics (canary.analysis): their evidence is what the record holds.',
    });
  }
}

function isBid(key: string): boolean {
  return key.startsWith(`${tagPrefix}:bid:`);
}

function memoKey(name: string): string {
  return `${tagPrefix}:memo:${name}`;
}

function pieceKey(index: number): string {
  return `${tagPrefix}:${String(index).padStart(2, '0')}`;
}

function revisionIn(found: Tags): string | undefined {
  return head.safeParse(found.get(tagPrefix)).data?.revision;
}

function pack(
  text: string,
  counter: number,
): { readonly tags: readonly (readonly [string, string])[]; readonly revision: string; readonly pieces: number } {
  const packed = brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
  }).toString('base64');
  const pieces: (readonly [string, string])[] = [];
  for (let at = 0; at < packed.length; at += charactersOfAPiece) {
    pieces.push([pieceKey(pieces.length), packed.slice(at, at + charactersOfAPiece)]);
  }
  const nonce = randomBytes(6).toString('hex');
  return {
    tags: [[tagPrefix, `v1:${counter}:${nonce}:${pieces.length}:${digestOf(packed)}`], ...pieces],
    revision: `${counter}.${nonce}`,
    pieces: pieces.length,
  };
}

/** `undefined`: head and pieces are not of one write. */
function unpacked(found: Tags): TaggedRecord | undefined {
  const { data } = head.safeParse(found.get(tagPrefix));
  if (data === undefined) return undefined;
  const packed = Array.from({ length: data.pieces }, (_, index) => found.get(pieceKey(index)) ?? '').join('');
  if (digestOf(packed) !== data.digest) return undefined;
  const memo = [...found].flatMap(([key, value]): readonly (readonly [string, string])[] =>
    key.startsWith(memoKey('')) ? [[key.slice(memoKey('').length), value]] : [],
  );
  const text = brotliDecompressSync(Buffer.from(packed, 'base64'), { maxOutputLength: 1 << 20 }).toString('utf8');
  return { text, revision: data.revision, memo: Object.fromEntries(memo) };
}

function digestOf(packed: string): string {
  return createHash('sha256').update(packed).digest('hex').slice(0, 16);
}

function brokenTags(title: string, found: string): PeerError {
  return new PeerError({
    code: 'broken-record',
    message: `the tags of ${title} that hold the rollout's record do not belong together`,
    found: excerpt(found, 80),
    fix: `Set the traffic by hand to what it should be, then remove the tags that begin with ${tagPrefix}.`,
  });
}
