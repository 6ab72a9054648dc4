import { createHash } from 'node:crypto';
import { createPatch } from 'rfc6902';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { Backoff } from '../kubernetes/backoff.ts';
import { type KubernetesObject, type ObjectName, titleOf } from '../kubernetes/kubernetes-object.ts';
import type { KubernetesClient, PatchOperation } from '../kubernetes-client.ts';
import {
  type StoredRecord,
  type Traffic,
  type TrafficChange,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from '../traffic-provider.ts';
import { checkTraffic } from './traffic-bounds.ts';

/** Where the rollout's record is kept. */
export const recordAnnotation = 'sluice.dev/rollout';
/** What the rollout changed, as JSON, so that it can be taken back. Goes when the rollout is finished. */
export const beforeAnnotation = 'sluice.dev/rollout-before';

/** How one kind of objects holds the traffic: pure functions of the object. `Before` is what must be known to take a rollout back. */
export interface Routing<Before> {
  /** The provider's name. */
  readonly provider: string;
  readonly can: TrafficProvider['can'];
  readonly object: ObjectName;
  /** What the object says now. Throws a `PeerError` when it cannot be a rollout's. */
  traffic(object: KubernetesObject, before: Before | undefined): Traffic;
  /** What must be known later, from an object that no rollout has changed. */
  before(object: KubernetesObject): Before;
  /** Reads what `before` gave, out of JSON. `undefined`: it is none of ours. */
  parseBefore(json: unknown): Before | undefined;
  /** The object's spec with this traffic, and what must be known from now on. */
  moved(
    object: KubernetesObject,
    traffic: Traffic,
    before: Before,
  ): { readonly spec: unknown; readonly before: Before };
  /** The object's spec once the rollout is over. The same when it is over already. */
  finished(object: KubernetesObject, outcome: 'promoted' | 'rolled-back', before: Before | undefined): unknown;
  /** What the object's status tells of the data plane, and whether other objects say that the canary cannot take traffic. */
  state(
    object: KubernetesObject,
    desired: Traffic,
    before: Before | undefined,
  ): Omit<TrafficState, 'desired'> | Promise<Omit<TrafficState, 'desired'>>;
}

/**
 * A provider that keeps record and traffic in one Kubernetes object, so that each move is one atomic write.
 *
 * A record's revision is a digest of the record, of the traffic and of the object's uid, not its `resourceVersion`: controllers write the
 * status of their objects all the time, which is no conflict. Only another record or other traffic is a `TrafficConflict`.
 */
export class AnnotatedObject<Before> implements TrafficProvider {
  readonly name: string;
  readonly title: string;
  readonly can: TrafficProvider['can'];
  readonly guard?: NonNullable<TrafficProvider['guard']>;
  readonly #routing: Routing<Before>;
  readonly #client: KubernetesClient;

  /** Disposes of the client with itself. */
  constructor(client: KubernetesClient, routing: Routing<Before>, guard?: NonNullable<TrafficProvider['guard']>) {
    this.name = routing.provider;
    this.title = titleOf(routing.object);
    this.can = routing.can;
    this.#routing = routing;
    this.#client = client;
    if (guard !== undefined) this.guard = guard;
  }

  async read(): Promise<TrafficState> {
    const object = await this.#get();
    const before = this.#beforeIn(object);
    const desired = this.#routing.traffic(object, before);
    return { desired, ...(await this.#routing.state(object, desired, before)) };
  }

  async record(): Promise<StoredRecord | undefined> {
    const object = await this.#get();
    const text = recordIn(object);
    return text === undefined ? undefined : { text, revision: this.#revision(object) };
  }

  async move(change: TrafficChange): Promise<string> {
    if (change.traffic !== undefined) {
      checkTraffic(change.traffic, this);
      checkHeader(change.traffic);
    }
    const written = await this.#change((object, maybeWritten) => {
      const current = recordIn(object);
      const before = this.#beforeIn(object);
      if (maybeWritten && current === change.record) {
        const now = this.#routing.traffic(object, before);
        // Our own write, whose answer was lost.
        if (change.traffic === undefined || sameTraffic(now, change.traffic)) return undefined;
      }
      if (change.after === undefined ? current !== undefined : this.#revision(object) !== change.after) {
        throw new TrafficConflict(`${this.title}: record or traffic changed since it was read`);
      }
      // A memory without a record is of a rollout that nobody finished; what it says of the route's first shape is out of date.
      const known = current === undefined && !this.#hasLeftovers(object, before) ? undefined : before;
      // The route is as it was until traffic moves.
      if (change.traffic === undefined) {
        return { spec: object['spec'], annotations: { [recordAnnotation]: change.record } };
      }
      const moved = this.#routing.moved(object, change.traffic, known ?? this.#routing.before(object));
      return {
        spec: moved.spec,
        annotations: { [recordAnnotation]: change.record, [beforeAnnotation]: JSON.stringify(moved.before) },
      };
    });
    if (change.traffic !== undefined) this.#checkTaken(written, change.traffic);
    return this.#revision(written);
  }

  async clear(after: string): Promise<void> {
    await this.#change((object) => {
      if (recordIn(object) === undefined) return undefined;
      if (this.#revision(object) !== after) {
        throw new TrafficConflict(`${this.title}: record or traffic changed since it was read`);
      }
      const memory = this.#hasLeftovers(object, this.#beforeIn(object)) ? {} : { [beforeAnnotation]: undefined };
      return { spec: object['spec'], annotations: { [recordAnnotation]: undefined, ...memory } };
    });
  }

  async finish(outcome: 'promoted' | 'rolled-back'): Promise<void> {
    await this.#change((object) => ({
      spec: this.#routing.finished(object, outcome, this.#beforeIn(object)),
      annotations: { [beforeAnnotation]: undefined },
    }));
  }

  /** By the API server's clock, to the second. */
  async now(): Promise<number> {
    await this.#get();
    return this.#client.serverTime ?? Date.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #get(): Promise<KubernetesObject> {
    const object = await this.#client.get(this.#routing.object);
    if (object !== undefined) return object;
    const { kind, namespace, name } = this.#routing.object;
    throw new PeerError({
      code: 'no-such-object',
      message: `there is no ${kind} ${namespace}/${name}`,
      fix: 'Correct its name or namespace in the policy, or create it first: a rollout changes objects, it does not make them.',
    });
  }

  /**
   * Reads, decides, writes; anew while others write in between. `decide` gives `undefined` when nothing is to be done; `maybeWritten`: a
   * write of ours before may have happened.
   *
   * A write holds if record and spec are as they were read, whatever else changed: guarded by the `resourceVersion` alone, it would starve
   * beside controllers that write status or labels many times a second. A failed guard and an invalid object look alike (422), so after one
   * the next try is guarded by the `resourceVersion`, where only an invalid object does.
   */
  async #change(
    decide: (object: KubernetesObject, maybeWritten: boolean) => Wanted | undefined,
  ): Promise<KubernetesObject> {
    const began = performance.now();
    const backoff = new Backoff();
    let maybeWritten = false;
    let byVersion = false;
    for (;;) {
      const object = await this.#get();
      const wanted = decide(object, maybeWritten);
      const operations = wanted === undefined ? [] : operationsFor(object, wanted);
      if (operations.length === 0) return object;
      const guards = byVersion ? [sameVersion(object)] : sameContent(object);
      const written = await this.#client.patch(this.#routing.object, [...guards, ...operations]);
      if (written.outcome === 'written') return written.object;
      if (written.outcome === 'unknown') maybeWritten = true;
      if (written.outcome === 'refused' && byVersion) throw new PeerError(written.problem);
      byVersion = written.outcome === 'refused';
      if (performance.now() - began > this.#client.patienceMs) throw new PeerError(written.problem);
      if (!byVersion) await backoff.wait();
    }
  }

  #hasLeftovers(object: KubernetesObject, before: Before | undefined): boolean {
    if (before === undefined) return false;
    const { canaryWeight, mirrorPercent, header } = this.#routing.traffic(object, before);
    return canaryWeight > 0 || mirrorPercent > 0 || header !== undefined;
  }

  #beforeIn(object: KubernetesObject): Before | undefined {
    const text = object.metadata.annotations?.[beforeAnnotation];
    if (text === undefined) return undefined;
    try {
      return this.#routing.parseBefore(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  #revision(object: KubernetesObject): string {
    const hash = createHash('sha256');
    hash.update(JSON.stringify([object.metadata.uid, recordIn(object) ?? null, this.#trafficText(object)]));
    return hash.digest('hex');
  }

  /** A route that cannot be read must not keep the record from being read. */
  #trafficText(object: KubernetesObject): unknown {
    try {
      const { canaryWeight, mirrorPercent, header } = this.#routing.traffic(object, this.#beforeIn(object));
      return [canaryWeight, mirrorPercent, header?.name ?? null, header?.value ?? null];
    } catch (error) {
      if (error instanceof PeerError) return error.problems[0].code;
      throw error;
    }
  }

  /** A webhook may have changed what was written: a weight that did not come about must not be taken for one. */
  #checkTaken(object: KubernetesObject, traffic: Traffic): void {
    const now = this.#routing.traffic(object, this.#beforeIn(object));
    if (sameTraffic(now, traffic)) return;
    throw new PeerError({
      code: 'traffic-changed-on-the-way',
      message: `the cluster took the new traffic of ${this.title} and made something else of it`,
      found: describeTraffic(now),
      expected: describeTraffic(traffic),
      fix: 'Find the admission webhook or policy that changes this object, and have it leave the traffic alone.',
    });
  }
}

interface Wanted {
  readonly spec: unknown;
  /** `undefined`: to be removed. */
  readonly annotations: Readonly<Record<string, string | undefined>>;
}

function sameVersion({ metadata }: KubernetesObject): PatchOperation {
  return { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion };
}

/** Fails where the object is another, or where its record or spec is. The API server takes `null` for "is not there". */
function sameContent(object: KubernetesObject): readonly PatchOperation[] {
  const { uid, annotations } = object.metadata;
  const record =
    annotations === undefined
      ? { path: '/metadata/annotations', value: null }
      : { path: `/metadata/annotations/${recordAnnotation.replace('/', '~1')}`, value: recordIn(object) ?? null };
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', ...record },
    { op: 'test', path: '/spec', value: object['spec'] ?? null },
  ];
}

/** The operations that make of the object what is wanted: none that touches anything else. */
function operationsFor(object: KubernetesObject, { spec, annotations }: Wanted): readonly PatchOperation[] {
  const old = object.metadata.annotations;
  const kept = Object.entries({ ...old, ...annotations }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const now = kept.length === 0 && old === undefined ? undefined : Object.fromEntries(kept);
  const before = { metadata: old === undefined ? {} : { annotations: old }, spec: object['spec'] };
  const after = { metadata: now === undefined ? {} : { annotations: now }, spec };
  return createPatch(before, after).map((each) => ({ ...each }) as PatchOperation);
}

function recordIn(object: KubernetesObject): string | undefined {
  return object.metadata.annotations?.[recordAnnotation];
}

/** Whether the two mean the same. */
export function sameTraffic(one: Traffic, other: Traffic): boolean {
  return (
    one.canaryWeight === other.canaryWeight &&
    one.mirrorPercent === other.mirrorPercent &&
    one.header?.name.toLowerCase() === other.header?.name.toLowerCase() &&
    one.header?.value === other.header?.value
  );
}

/** `10 % to the canary, 5 % copied, x-canary: yes`. Printable. */
function describeTraffic({ canaryWeight, mirrorPercent, header }: Traffic): string {
  return [
    `${canaryWeight} % to the canary`,
    ...(mirrorPercent > 0 ? [`${mirrorPercent} % copied`] : []),
    ...(header === undefined ? [] : [`${excerpt(header.name)}: ${excerpt(header.value)}`]),
  ].join(', ');
}

// Tokens of RFC 9110; values without what starts a new line.
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/i;
const headerValue = /^[\x21-\x7e]([\x20-\x7e]{0,4094}[\x21-\x7e])?$/;

/** What would be refused only after the record was written, or would smuggle something into a route. */
function checkHeader({ header }: Traffic): void {
  if (header === undefined || (headerName.test(header.name) && headerValue.test(header.value))) return;
  throw new InputError({
    code: 'bad-header',
    message: 'the header for the canary is no header of HTTP',
    found: excerpt(`${header.name}: ${header.value}`),
    fix: 'Use letters, digits and "-" for its name, and printable ASCII for its value.',
  });
}
