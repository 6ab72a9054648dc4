import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { InputError, PeerError, type Problem, SluiceError } from '../../../core/problem/index.ts';
import { excerpt, printable } from '../../../core/text/index.ts';
import {
  type StoredRecord,
  type Traffic,
  type TrafficChange,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from '../../traffic-provider.ts';
import { fileTrouble } from '../file-trouble.ts';
import { KeptRecord } from '../kept-record.ts';
import { checkTraffic } from '../traffic-bounds.ts';
import type { HostState, ModelFile } from './host-folder.ts';
import type { ReleaseHost } from './release-host.ts';
import type { RevisionStore } from './revision-store.ts';

/** A file on this machine, and what people call it: its path as the policy writes it. */
export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

export interface HostsTrafficOptions {
  /** In the order in which they are released; 1 to 100. */
  readonly hosts: readonly ReleaseHost[];
  /** The releases: what runs, and what is tried. */
  readonly baseline: string;
  readonly canary: string;
  /** The canary's file, here. */
  readonly model: NamedFile;
  /** What else has to be here for a release: bodies of warm-up requests. */
  readonly files?: readonly NamedFile[];
  /** Where the record is kept. */
  readonly store: RevisionStore;
  /** The clock of the machine that keeps it, in milliseconds of the epoch. */
  readonly now?: () => Promise<number>;
  /** Disposed of with the provider. */
  readonly probe: AsyncDisposable;
}

/**
 * Plain servers behind a load balancer that shares requests out evenly: a weight is the share of hosts that run the new version. Hosts are
 * released one by one, in order; the first step that fails on any of them takes every host back, in reverse, and is thrown as a PeerError
 * `host-failed` that says which. The hosts are what counts: what runs where is read off them each time.
 *
 * The record is one text kept by compare-and-set, written before the first host is touched. Before each host it is held against what was
 * written: who was fenced off by another run, or has a command waiting, touches no further host.
 */
export function openHostsTraffic(options: HostsTrafficOptions): TrafficProvider {
  return new HostsTraffic(options);
}

/** What is known of a host: its state, or why there is none. */
type Seen = { readonly host: ReleaseHost } & (
  | { readonly state: HostState; readonly trouble?: undefined }
  | { readonly state?: undefined; readonly trouble: string }
);

interface Failure {
  readonly host: ReleaseHost;
  readonly error: SluiceError;
}

function isDone({ state }: Seen, canary: string): boolean {
  return state?.unfinished === false && state.current === canary;
}

class HostsTraffic implements TrafficProvider {
  readonly name = 'hosts';
  readonly title: string;
  readonly can: TrafficProvider['can'];
  readonly now?: () => Promise<number>;
  readonly #options: HostsTrafficOptions;
  readonly #kept: KeptRecord;
  #digest: string | undefined;

  constructor(options: HostsTrafficOptions) {
    this.#options = options;
    const { hosts } = options;
    this.title = printable(
      hosts.length <= 3
        ? `hosts ${hosts.map(({ name }) => name).join(', ')}`
        : `${hosts.length} hosts, from ${hosts[0]?.name} on`,
    );
    this.#kept = new KeptRecord(options.store, this.title);
    this.can = { header: false, mirror: false, weights: hostWeights(hosts.length) };
    if (options.now !== undefined) this.now = options.now;
  }

  async read(): Promise<TrafficState> {
    const { hosts, canary } = this.#options;
    const [seen, { wanted = 0 }] = await Promise.all([this.#look(), this.#kept.read()]);
    const runs = seen.map(({ state: found }, index) =>
      found === undefined ? index < wanted : found.current === canary,
    );
    const count = runs.filter(Boolean).length;
    const traffic: Traffic = { canaryWeight: weightOf(count, hosts.length), mirrorPercent: 0 };
    const notReady = await this.#notReady(seen, count);
    return {
      desired: traffic,
      observed: traffic,
      settled: seen.every(({ state: found }) => found?.unfinished === false),
      ...(notReady === undefined ? {} : { notReady: printable(notReady) }),
    };
  }

  record(): Promise<StoredRecord | undefined> {
    return this.#kept.stored();
  }

  async move({ record, traffic, after }: TrafficChange): Promise<string> {
    if (traffic !== undefined) checkTraffic(traffic, this);
    const { wanted: before, number } = await this.#kept.expected(after);
    const wanted = traffic === undefined ? before : this.#weights().indexOf(traffic.canaryWeight);
    const revision = await this.#kept.write({ record, wanted }, number);
    if (traffic !== undefined && wanted !== undefined) await this.#towards(wanted, revision);
    return String(revision);
  }

  async clear(after: string): Promise<void> {
    const { wanted, number } = await this.#kept.expected(after);
    await this.#kept.write({ wanted }, number);
  }

  async finish(outcome: 'promoted' | 'rolled-back'): Promise<void> {
    const { hosts, canary } = this.#options;
    const { number } = await this.#kept.read();
    if (outcome === 'promoted') {
      await this.#finishForward(number);
      return;
    }
    await this.#towards(0, number);
    // What stays behind of a release takes room, and does no harm.
    await Promise.allSettled(hosts.map((host) => host.discard(canary)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.probe[Symbol.asyncDispose]();
  }

  /** The first `wanted` hosts run the canary, the others do not. */
  async #towards(wanted: number, revision: number): Promise<void> {
    const { canary } = this.#options;
    const seen = await this.#look();
    // What cannot be asked may run the canary. A version that is neither is somebody else's.
    const mayHave = ({ state }: Seen): boolean => state === undefined || state.unfinished || state.current === canary;
    const ahead = seen.slice(0, wanted).filter((one) => !isDone(one, canary));
    if (ahead.length > 0) await this.#releaseAll(ahead, revision, seen);
    const behind = seen.slice(wanted).filter(mayHave);
    const failures = await this.#restoreAll(
      behind.map(({ host }) => host),
      revision,
    );
    if (failures.length > 0)
      throw notDone(failures, 'host-not-restored', 'could not be taken back to the version before');
  }

  /** Every host runs the canary, which is the baseline from here on: one that is not well now does not take the others back. */
  async #finishForward(revision: number): Promise<void> {
    const { canary } = this.#options;
    const left = (await this.#look()).filter((one) => !isDone(one, canary));
    if (left.length === 0) return;
    const model = await this.#model();
    const failures: Failure[] = [];
    for (const { host } of left) {
      await this.#kept.fence(revision);
      await host.release(canary, model).catch((error: unknown) => {
        if (!(error instanceof SluiceError)) throw error;
        failures.push({ host, error });
      });
    }
    if (failures.length > 0) throw notDone(failures, 'host-not-finished', `could not be brought to ${canary}`);
  }

  async #releaseAll(ahead: readonly Seen[], revision: number, seen: readonly Seen[]): Promise<void> {
    const { baseline, canary } = this.#options;
    const touched: ReleaseHost[] = seen.flatMap(({ host, state }) => (state?.current === canary ? [host] : []));
    let failed: ReleaseHost | undefined;
    try {
      for (const { host, state, trouble } of seen) {
        failed = host;
        if (state === undefined) throw unreachable(host, trouble);
        if (!state.hasBaseline) throw noWayBack(host, baseline);
        if (state.current !== baseline && state.current !== canary) throw foreignVersion(host, state, this.#options);
      }
      failed = undefined;
      const model = await this.#model();
      for (const { host } of ahead) {
        await this.#kept.fence(revision);
        failed = host;
        if (!touched.includes(host)) touched.push(host);
        await host.release(canary, model);
        failed = undefined;
      }
    } catch (error) {
      if (error instanceof TrafficConflict) throw error;
      // In the order in which they were released: those of earlier steps first.
      const failures = await this.#restoreAll(touched, revision);
      if (failed === undefined || !(error instanceof SluiceError)) throw error;
      throw hostFailed(failed, error, touched, failures);
    }
  }

  /** In reverse. One that fails does not keep the others from going back. */
  async #restoreAll(hosts: readonly ReleaseHost[], revision: number): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    for (const host of hosts.toReversed()) {
      await this.#kept.fence(revision);
      try {
        await host.restore(this.#options.baseline);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        failures.push({ host, error });
      }
    }
    return failures;
  }

  async #look(): Promise<readonly Seen[]> {
    const { hosts, baseline } = this.#options;
    return Promise.all(
      hosts.map(async (host): Promise<Seen> => {
        try {
          return { host, state: await host.state(baseline) };
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          return { host, trouble: reasonOf(error) };
        }
      }),
    );
  }

  async #notReady(seen: readonly Seen[], count: number): Promise<string | undefined> {
    const { baseline, canary, hosts } = this.#options;
    for (const { host, state, trouble } of seen) {
      if (state === undefined) return `${host.name}: ${trouble}`;
      if (state.current !== baseline && state.current !== canary) {
        return `${host.name} runs ${excerpt(state.current)}, which is neither ${baseline} nor ${canary}`;
      }
      if (!state.hasBaseline) return `${host.name} has no releases/${baseline} to go back to`;
    }
    if (count < hosts.length) {
      try {
        await this.#model();
      } catch (error) {
        return reasonOf(error);
      }
    }
    const troubles = await Promise.all(
      seen.map(async ({ host, state }) => {
        const trouble = state?.current === canary ? await host.trouble(canary) : undefined;
        return trouble === undefined ? [] : [`${host.name}: ${trouble}`];
      }),
    );
    return troubles.flat()[0];
  }

  #weights(): readonly number[] {
    const { weights } = this.can;
    return weights === 'any' ? [] : weights;
  }

  /** With its digest, taken once. Throws an InputError for what is not here. */
  async #model(): Promise<ModelFile> {
    const { model, files = [] } = this.#options;
    for (const file of files) {
      await access(file.path, constants.R_OK).catch(rethrowAs(file, 'a warm-up request'));
    }
    this.#digest ??= await digestOf(model.path).catch(rethrowAs(model, 'the model to release'));
    return { path: model.path, digest: this.#digest };
  }
}

/** The weights of so many hosts, in whole percent: all different for up to a hundred. */
export function hostWeights(hosts: number): readonly number[] {
  return Array.from({ length: hosts + 1 }, (_, count) => weightOf(count, hosts));
}

function weightOf(count: number, hosts: number): number {
  return Math.round((100 * count) / hosts);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

function rethrowAs({ name }: NamedFile, what: string): (cause: unknown) => never {
  return (cause) => {
    throw new InputError(
      {
        code: 'no-release-file',
        message: `${what} cannot be read`,
        place: { file: name },
        found: fileTrouble(cause),
        fix: 'Give its path (canary.traffic.model, canary.traffic.warm_up), relative to the policy.',
      },
      { cause },
    );
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof SluiceError)) return error instanceof Error ? error.message : String(error);
  const [{ message, found }] = error.problems;
  return found === undefined ? message : `${message} (${found})`;
}

function unreachable({ name }: ReleaseHost, trouble: string): PeerError {
  return new PeerError({
    code: 'host-unreachable',
    message: `nothing is known of ${name}`,
    found: trouble,
    fix: 'Bring it back, or take it out of canary.traffic.hosts.',
  });
}

function noWayBack({ name }: ReleaseHost, baseline: string): PeerError {
  return new PeerError({
    code: 'no-baseline-release',
    message: `${name} has no releases/${baseline} to go back to`,
    fix: 'Name the version that runs as the baseline (canary.traffic.baseline), or bring its folder back.',
  });
}

function foreignVersion(
  { name }: ReleaseHost,
  { current }: HostState,
  { baseline, canary }: HostsTrafficOptions,
): PeerError {
  return new PeerError({
    code: 'foreign-version',
    message: `${name} runs ${excerpt(current)}, which is neither ${baseline} nor ${canary}`,
    fix: 'Name the version that runs as the baseline (canary.traffic.baseline); all hosts have to run the same.',
  });
}

/** One problem, so that nobody takes it for an outage that asking again mends. */
function hostFailed(
  failed: ReleaseHost,
  error: SluiceError,
  touched: readonly ReleaseHost[],
  failures: readonly Failure[],
): PeerError {
  const lost = new Set(failures.map(({ host }) => host));
  const back = touched.toReversed().filter((host) => !lost.has(host));
  const named = (hosts: readonly ReleaseHost[]) => hosts.map(({ name }) => name).join(', ');
  const [{ fix }] = error.problems;
  const message = [
    `${failed.name} could not be released`,
    back.length === 0 ? 'no host had to be rolled back' : `rolled back: ${named(back)}`,
    ...(failures.length === 0 ? [] : [`NOT rolled back: ${named([...lost])}`]),
  ].join('; ');
  const found = [reasonOf(error), ...failures.map(({ host, error: why }) => `${host.name}: ${reasonOf(why)}`)].join(
    '; ',
  );
  return new PeerError(
    { code: 'host-failed', message, found: excerpt(found, 600), ...(fix === undefined ? {} : { fix }) },
    { cause: error },
  );
}

/** Asking again may mend it. */
function notDone(failures: readonly Failure[], code: string, words: string): PeerError {
  const problems = failures.map(
    ({ host, error }): Problem => ({
      code,
      message: `${host.name} ${words}`,
      found: excerpt(reasonOf(error), 300),
      fix: 'Bring that host back and run this again, or take it out of the load balancer.',
    }),
  );
  const [first, ...rest] = problems;
  if (first === undefined) throw new RangeError('no failure');
  return new PeerError([first, ...rest]);
}
