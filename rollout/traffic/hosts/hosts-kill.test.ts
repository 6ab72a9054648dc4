import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PeerError } from '../../../core/problem/index.ts';
import { TrafficConflict, type TrafficProvider } from '../../traffic-provider.ts';
import type { Revision } from '../revision-folder.ts';
import type { HostShell } from './host-shell.ts';
import { openHostsTraffic } from './hosts.ts';
import { ReleaseHost } from './release-host.ts';

// The process that changes the hosts dies after each thing it does, in turn. The hosts are in memory here; `testbed/hosts.test.ts` does the
// same with real commands.

interface MemoryHost {
  readonly name: string;
  readonly releases: Set<string>;
  current: string;
  unfinished: boolean;
  /** What the server has loaded. */
  running: string;
  drained: boolean;
  down: boolean;
}

class MemoryHosts {
  readonly hosts: readonly MemoryHost[];
  readonly revisions: Revision[] = [];

  constructor(count: number) {
    this.hosts = Array.from({ length: count }, (_, index) => ({
      name: `web-${index + 1}`,
      releases: new Set(['v1']),
      current: 'v1',
      unfinished: false,
      running: 'v1',
      drained: false,
      down: false,
    }));
  }
}

class Death extends Error {}

class Life {
  did = 0;
  readonly #last: number;

  /** @param last it dies when it has done so many things */
  constructor(last = Number.POSITIVE_INFINITY) {
    this.#last = last;
  }

  async act<Result>(happens: () => Result): Promise<Result> {
    if (this.did >= this.#last) throw new Death();
    this.did++;
    const result = happens();
    if (this.did >= this.#last) throw new Death();
    return result;
  }
}

const all = { canaryWeight: 100, mirrorPercent: 0 };
const none = { canaryWeight: 0, mirrorPercent: 0 };

let directory: string;
let model: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
  model = join(directory, 'model.onnx');
  writeFileSync(model, 'model');
});
afterAll(() => rmSync(directory, { recursive: true }));

function providerOf(world: MemoryHosts, life: Life): TrafficProvider {
  return openHostsTraffic({
    baseline: 'v1',
    canary: 'v2',
    model: { path: model, name: 'model.onnx' },
    probe: { async [Symbol.asyncDispose]() {} },
    store: {
      name: 'memory',
      read: () => life.act(() => world.revisions.at(-1)),
      write: (text, after) =>
        life.act(() => {
          if (world.revisions.length !== after) return undefined;
          world.revisions.push({ number: after + 1, text });
          return after + 1;
        }),
    },
    hosts: world.hosts.map((host) => {
      const up = <Result>(happens: () => Result) =>
        life.act(() => {
          if (host.down) throw new PeerError({ code: 'host-unreachable', message: `${host.name} is down` });
          return happens();
        });
      const shell: HostShell = {
        title: host.name,
        run: ([what]) =>
          up(() => {
            if (what === 'restart') host.running = host.current;
            else host.drained = what === 'drain';
            return { code: 0, output: '', errors: '' };
          }),
      };
      return new ReleaseHost({
        name: host.name,
        url: '',
        directory: '',
        shell,
        commands: {
          restart: { run: ['restart'], withinMs: 1 },
          drain: { run: ['drain'], withinMs: 1 },
          undrain: { run: ['undrain'], withinMs: 1 },
        },
        probe: {
          trouble: async () => undefined,
          untilWell: async () => {
            await up(() => undefined);
          },
          warmUp: async () => {
            await up(() => undefined);
          },
        },
        folder: {
          state: (baseline) =>
            up(() => ({
              current: host.current,
              unfinished: host.unfinished,
              hasBaseline: host.releases.has(baseline),
            })),
          stage: (version) => up(() => void host.releases.add(version)),
          begin: () =>
            up(() => {
              host.unfinished = true;
            }),
          point: (version) =>
            up(() => {
              if (!host.releases.has(version)) throw new Error(`${host.name} has no ${version}`);
              host.current = version;
            }),
          end: () =>
            up(() => {
              host.unfinished = false;
            }),
          discard: (version) =>
            up(() => {
              if (host.current !== version) host.releases.delete(version);
            }),
        },
      });
    }),
  });
}

type Lived = (provider: TrafficProvider) => Promise<void>;

/** Runs it until it dies. Resolves to whether it died. */
async function live(world: MemoryHosts, life: Life, lived: Lived): Promise<boolean> {
  try {
    await lived(providerOf(world, life));
    return false;
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    return true;
  } finally {
    for (const { current, releases } of world.hosts) expect(releases.has(current)).toBe(true);
  }
}

const forward: Lived = async (provider) => {
  await provider.move({ record: 'forward', traffic: all, after: (await provider.record())?.revision });
  await provider.finish('promoted');
};
const back: Lived = async (provider) => {
  await provider.move({ record: 'back', traffic: none, after: (await provider.record())?.revision });
  await provider.finish('rolled-back');
};

async function expectWhole(world: MemoryHosts, version: string): Promise<void> {
  for (const host of world.hosts) {
    expect(host).toMatchObject({ current: version, running: version, unfinished: false, drained: false });
  }
  const { desired, settled } = await providerOf(world, new Life()).read();
  expect({ desired, settled }).toEqual({ desired: version === 'v2' ? all : none, settled: true });
}

async function lengthOf(lived: Lived, before?: Lived): Promise<number> {
  const world = new MemoryHosts(3);
  if (before !== undefined) await live(world, new Life(), before);
  const life = new Life();
  await live(world, life, lived);
  return life.did;
}

describe.each([
  ['goes on', forward, 'v2'],
  ['goes back', back, 'v1'],
] as const)('a release over hosts, killed after anything it does,', (what, next, version) => {
  test(`${what} in the next run, also when that is killed after anything it does, in the one after`, async () => {
    const first = await lengthOf(forward);
    expect(first).toBeGreaterThan(30);
    for (let death = 1; death <= first; death++) {
      for (let again = 1; ; again++) {
        const world = new MemoryHosts(3);
        expect(await live(world, new Life(death), forward)).toBe(true);
        const died = await live(world, new Life(again), next);
        if (died) expect(await live(world, new Life(), next)).toBe(false);
        await expectWhole(world, version);
        if (!died) break;
      }
    }
  });
});

test('going back over hosts, killed after anything it does, goes back in the next run', async () => {
  const length = await lengthOf(back, forward);
  expect(length).toBeGreaterThan(15);
  for (let death = 1; death <= length; death++) {
    const world = new MemoryHosts(3);
    await live(world, new Life(), forward);
    // A death while leftovers are removed is nobody's.
    await live(world, new Life(death), back);
    expect(await live(world, new Life(), back)).toBe(false);
    await expectWhole(world, 'v1');
  }
});

test('a host that goes down at any moment of a release is named, and every other one is as before', async () => {
  const length = await lengthOf(forward);
  for (let moment = 1; moment <= length; moment++) {
    for (const index of [0, 1, 2]) {
      const world = new MemoryHosts(3);
      const provider = providerOf(
        world,
        new (class extends Life {
          override act<Result>(happens: () => Result): Promise<Result> {
            const host = world.hosts[index];
            if (this.did + 1 === moment && host !== undefined) host.down = true;
            return super.act(happens);
          }
        })(),
      );
      const host = world.hosts[index];
      const error = await provider.move({ record: 'r', traffic: all, after: undefined }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // Down after its own release, it is the next look that finds it.
      if (error === undefined) {
        expect(host).toMatchObject({ running: 'v2', unfinished: false });
        continue;
      }
      expect(error).toBeInstanceOf(PeerError);
      const [problem] = (error as PeerError).problems;
      expect(problem.code).toBe('host-failed');
      expect(`${problem.message} ${problem.found}`).toContain(host?.name);
      for (const other of world.hosts) {
        if (other === host) continue;
        expect(other).toMatchObject({ current: 'v1', running: 'v1', unfinished: false, drained: false });
      }
      // It comes back: the same is done for it.
      if (host !== undefined) host.down = false;
      await live(world, new Life(), back);
      await expectWhole(world, 'v1');
    }
  }
});

test('a host that goes down once every host is released takes none of the others back', async () => {
  const world = new MemoryHosts(3);
  const provider = providerOf(world, new Life());
  await provider.move({ record: 'r', traffic: all, after: undefined });
  const [first, second] = world.hosts;
  if (first === undefined || second === undefined) throw new Error('no hosts');
  first.down = true;
  second.unfinished = true;
  await expect(provider.finish('promoted')).rejects.toMatchObject({
    problems: [{ code: 'host-not-finished', message: 'web-1 could not be brought to v2' }],
  });
  expect(world.hosts.map(({ running, unfinished }) => [running, unfinished])).toEqual([
    ['v2', false],
    ['v2', false],
    ['v2', false],
  ]);
  first.down = false;
  await provider.finish('promoted');
  await expectWhole(world, 'v2');
});

test('of two runs that change the same hosts, the one that was fenced off touches no further host', async () => {
  const length = await lengthOf(forward);
  let fenced = 0;
  for (let moment = 1; moment < length; moment++) {
    const fresh = new MemoryHosts(3);
    let fencedAt: number | undefined;
    const life = new (class extends Life {
      override act<Result>(happens: () => Result): Promise<Result> {
        if (this.did + 1 === moment && fresh.revisions.length > 0) {
          const { length: after } = fresh.revisions;
          fresh.revisions.push({ number: after + 1, text: '{"version":1,"record":"mine now","wanted":0}' });
          fencedAt = this.did;
        }
        return super.act(happens);
      }
    })();
    const error = await providerOf(fresh, life)
      .move({ record: 'r', traffic: all, after: undefined })
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    if (fencedAt === undefined || error === undefined) continue;
    fenced++;
    expect(error).toBeInstanceOf(TrafficConflict);
    // At most the host that was on its way came to its end.
    expect(fresh.hosts.every(({ unfinished, drained }) => !unfinished && !drained)).toBe(true);
  }
  expect(fenced).toBeGreaterThan(15);
});
