/**
 * What every traffic provider and every metrics source must do, as suites of tests: each one's own test starts it with a peer (real, or a
 * stand-in) and hands it in. For tests only: it loads vitest, and `index.ts` does not offer it.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import { PeerError, SluiceError } from '../core/problem/index.ts';
import { printable } from '../core/text/index.ts';
import type { HistogramCounts, MetricsSource, Reading, SeriesCounts } from './metrics-source.ts';
import { type Traffic, type TrafficChange, TrafficConflict, type TrafficProvider } from './traffic-provider.ts';

/** How requests were shared out. */
export interface Served {
  readonly baseline: number;
  readonly canary: number;
  /** Copies that the canary got beside its own. */
  readonly mirrored?: number;
}

/** A provider with all it needs: a baseline and a canary that are ready, no rollout yet, all traffic at the baseline. */
export interface TrafficStage extends AsyncDisposable {
  readonly provider: TrafficProvider;
  /** The same traffic, opened once more, as the process does that comes after a crash. Disposed of by the caller. */
  again(): Promise<TrafficProvider>;
  /** Lets a stand-in play the data plane's part after a move: resolves when `settled` can be true. @default nothing to do */
  settle?(): Promise<void>;
  /** Sends so many requests, with these headers each. Absent where there is no data plane that serves. */
  serve?(requests: number, headers?: Readonly<Record<string, string>>): Promise<Served>;
}

const none: Traffic = { canaryWeight: 0, mirrorPercent: 0 };

/** Registers the tests of a traffic provider. `start` makes a new stage each time. */
export function trafficConformance(name: string, start: () => Promise<TrafficStage>): void {
  const move = async ({ provider, settle }: TrafficStage, change: TrafficChange): Promise<string> => {
    const revision = await provider.move(change);
    await settle?.();
    return revision;
  };
  /** The weight nearest to the wanted one that the provider has. */
  const near = ({ provider: { can } }: TrafficStage, wanted: number): number =>
    can.weights === 'any'
      ? wanted
      : can.weights.reduce((best, each) => (Math.abs(each - wanted) < Math.abs(best - wanted) ? each : best), 0);
  const revisionOf = async ({ provider }: TrafficStage): Promise<string> => {
    const stored = await provider.record();
    if (stored === undefined) throw new Error('there is no record');
    return stored.revision;
  };

  describe(`the traffic provider ${name}, as every provider,`, () => {
    test('says what it is, in text that can be printed', async () => {
      await using stage = await start();
      const { provider } = stage;
      expect(provider.name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(provider.title).toMatch(/\S/);
      expect(printable(provider.title)).toBe(provider.title);
      if (provider.guard !== undefined) expect(printable(provider.guard.title)).toBe(provider.guard.title);
    });

    test('begins with all traffic at the baseline and without a record', async () => {
      await using stage = await start();
      expect(await stage.provider.record()).toBeUndefined();
      const state = await stage.provider.read();
      expect(state.desired).toMatchObject(none);
      expect(state.desired.header).toBeUndefined();
      expect(state.notReady).toBeUndefined();
    });

    test('moves the traffic and keeps the record, for whoever comes next', async () => {
      await using stage = await start();
      const weight = near(stage, 25);
      const revision = await move(stage, {
        record: 'first',
        traffic: { canaryWeight: weight, mirrorPercent: 0 },
        after: undefined,
      });
      await using next = await stage.again();
      for (const provider of [stage.provider, next]) {
        expect(await provider.record()).toEqual({ text: 'first', revision });
        const state = await provider.read();
        expect(state.desired.canaryWeight).toBe(weight);
        expect(state.settled).toBe(true);
        if (state.observed !== undefined) expect(state.observed.canaryWeight).toBe(weight);
      }
    });

    test('goes up and down through the weights, all and nothing among them', async () => {
      await using stage = await start();
      let revision: string | undefined;
      for (const wanted of [1, 5, 50, 99, 100, 0]) {
        const canaryWeight = near(stage, wanted);
        revision = await move(stage, {
          record: `weight ${wanted}`,
          traffic: { canaryWeight, mirrorPercent: 0 },
          after: revision,
        });
        expect((await stage.provider.read()).desired.canaryWeight).toBe(canaryWeight);
      }
    });

    test('writes a record alone and leaves the traffic where it is', async () => {
      await using stage = await start();
      const canaryWeight = near(stage, 10);
      const first = await move(stage, { record: 'one', traffic: { canaryWeight, mirrorPercent: 0 }, after: undefined });
      const second = await move(stage, { record: 'two', after: first });
      expect(second).not.toBe(first);
      expect(await stage.provider.record()).toEqual({ text: 'two', revision: second });
      expect((await stage.provider.read()).desired.canaryWeight).toBe(canaryWeight);
    });

    test('keeps a record of any text and some length as it is', async () => {
      await using stage = await start();
      const text = JSON.stringify({ a: 'äß "quoted" \\ \u2028 \n\t 日本 😀', long: 'x'.repeat(20_000) });
      await move(stage, { record: text, after: undefined });
      expect((await stage.provider.record())?.text).toBe(text);
    });

    test('refuses to write over a record that was not read, and writes nothing', async () => {
      await using stage = await start();
      const canaryWeight = near(stage, 5);
      const revision = await move(stage, {
        record: 'mine',
        traffic: { canaryWeight, mirrorPercent: 0 },
        after: undefined,
      });
      await using other = await stage.again();
      const over = { record: 'theirs', traffic: { canaryWeight: near(stage, 50), mirrorPercent: 0 } };
      await expect(other.move({ ...over, after: undefined })).rejects.toBeInstanceOf(TrafficConflict);
      await move(stage, { record: 'mine still', after: revision });
      await expect(other.move({ ...over, after: revision })).rejects.toBeInstanceOf(TrafficConflict);
      await expect(other.clear(revision)).rejects.toBeInstanceOf(TrafficConflict);
      expect((await stage.provider.record())?.text).toBe('mine still');
      expect((await stage.provider.read()).desired.canaryWeight).toBe(canaryWeight);
    });

    test('lets one of several win who write after the same revision', async () => {
      await using stage = await start();
      const after = await move(stage, { record: 'read by all', after: undefined });
      await using second = await stage.again();
      await using third = await stage.again();
      const outcomes = await Promise.allSettled(
        [stage.provider, second, third].map((provider, index) => provider.move({ record: `writer ${index}`, after })),
      );
      const won = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []));
      expect(won).toHaveLength(1);
      expect((await stage.provider.record())?.text).toBe(`writer ${won[0]}`);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(TrafficConflict);
      }
    });

    test('forgets the record when it is cleared, and the traffic stays', async () => {
      await using stage = await start();
      const canaryWeight = near(stage, 20);
      const revision = await move(stage, {
        record: 'over soon',
        traffic: { canaryWeight, mirrorPercent: 0 },
        after: undefined,
      });
      await stage.provider.clear(revision);
      expect(await stage.provider.record()).toBeUndefined();
      expect((await stage.provider.read()).desired.canaryWeight).toBe(canaryWeight);
      await move(stage, { record: 'the next one', traffic: none, after: undefined });
      expect((await stage.provider.record())?.text).toBe('the next one');
    });

    test('gives the baseline everything back, as often as it is told to', async () => {
      await using stage = await start();
      const first = await move(stage, {
        record: 'open',
        traffic: { canaryWeight: near(stage, 50), mirrorPercent: 0 },
        after: undefined,
      });
      await move(stage, { record: 'rolled back', traffic: none, after: first });
      for (let times = 0; times < 2; times++) {
        await stage.provider.finish('rolled-back');
        await stage.settle?.();
      }
      expect((await stage.provider.read()).desired).toMatchObject(none);
      expect((await stage.provider.record())?.text).toBe('rolled back');
      await stage.provider.clear(await revisionOf(stage));
      if (stage.serve !== undefined) expect(await stage.serve(40)).toMatchObject({ baseline: 40, canary: 0 });
    });

    test('makes the canary the baseline, as often as it is told to', async () => {
      await using stage = await start();
      const first = await move(stage, {
        record: 'open',
        traffic: { canaryWeight: near(stage, 50), mirrorPercent: 0 },
        after: undefined,
      });
      await move(stage, {
        record: 'promoted',
        traffic: { canaryWeight: near(stage, 100), mirrorPercent: 0 },
        after: first,
      });
      for (let times = 0; times < 2; times++) {
        await stage.provider.finish('promoted');
        await stage.settle?.();
      }
      expect((await stage.provider.record())?.text).toBe('promoted');
      await stage.provider.clear(await revisionOf(stage));
      await using next = await stage.again();
      expect(await next.record()).toBeUndefined();
      if (stage.serve !== undefined) expect(await stage.serve(40)).toMatchObject({ baseline: 0, canary: 40 });
    });

    test('sends the share of requests to the canary that the weight says', async () => {
      await using stage = await start();
      if (stage.serve === undefined) return;
      let revision: string | undefined;
      for (const wanted of [0, 10, 50, 100]) {
        const canaryWeight = near(stage, wanted);
        const traffic = { canaryWeight, mirrorPercent: 0 };
        revision = await move(stage, { record: `weight ${canaryWeight}`, traffic, after: revision });
        const { baseline, canary } = await stage.serve(400);
        expect(baseline + canary).toBe(400);
        // Chance, where the data plane leaves it to chance: ten standard deviations and more.
        expect(Math.abs(canary - 4 * canaryWeight)).toBeLessThanOrEqual(canaryWeight % 100 === 0 ? 0 : 110);
      }
    });

    test('sends requests with a header to the canary, if it can, beside those of the weight', async () => {
      await using stage = await start();
      if (!stage.provider.can.header) return;
      const header = { name: 'x-canary', value: 'yes' };
      const opened = await move(stage, { record: 'header', traffic: { ...none, header }, after: undefined });
      expect((await stage.provider.read()).desired).toEqual({ ...none, header });
      if (stage.serve !== undefined) {
        expect(await stage.serve(20, { 'x-canary': 'yes' })).toMatchObject({ baseline: 0, canary: 20 });
        expect(await stage.serve(20, { 'x-canary': 'yes!' })).toMatchObject({ baseline: 20, canary: 0 });
        expect(await stage.serve(20)).toMatchObject({ baseline: 20, canary: 0 });
      }
      const weighted = { canaryWeight: near(stage, 50), mirrorPercent: 0, header };
      const wider = await move(stage, { record: 'header and weight', traffic: weighted, after: opened });
      expect((await stage.provider.read()).desired).toEqual(weighted);
      if (stage.serve !== undefined) {
        expect(await stage.serve(20, { 'x-canary': 'yes' })).toMatchObject({ baseline: 0, canary: 20 });
        const { baseline, canary } = await stage.serve(200);
        expect(Math.min(baseline, canary)).toBeGreaterThan(20);
      }
      await move(stage, { record: 'closed', traffic: none, after: wider });
      expect((await stage.provider.read()).desired.header).toBeUndefined();
      if (stage.serve !== undefined) expect((await stage.serve(20, { 'x-canary': 'yes' })).canary).toBe(0);
    });

    test('copies requests to the canary, if it can, and users get the answers of the baseline', async () => {
      await using stage = await start();
      if (!stage.provider.can.mirror) return;
      const opened = await move(stage, {
        record: 'shadow',
        traffic: { canaryWeight: 0, mirrorPercent: 100 },
        after: undefined,
      });
      expect((await stage.provider.read()).desired).toMatchObject({ canaryWeight: 0, mirrorPercent: 100 });
      if (stage.serve !== undefined) {
        expect(await stage.serve(30)).toEqual({ baseline: 30, canary: 0, mirrored: 30 });
      }
      await move(stage, { record: 'closed', traffic: none, after: opened });
      expect((await stage.provider.read()).desired.mirrorPercent).toBe(0);
      if (stage.serve !== undefined) expect((await stage.serve(20)).mirrored ?? 0).toBe(0);
    });

    test('refuses what it says it cannot do, and writes nothing', async () => {
      await using stage = await start();
      const { provider } = stage;
      const refused: readonly Traffic[] = [
        { canaryWeight: 101, mirrorPercent: 0 },
        { canaryWeight: -1, mirrorPercent: 0 },
        { canaryWeight: 12.5, mirrorPercent: 0 },
        { canaryWeight: 0, mirrorPercent: 101 },
        ...(provider.can.mirror ? [] : [{ canaryWeight: 0, mirrorPercent: 50 }]),
        ...(provider.can.header ? [] : [{ ...none, header: { name: 'x-canary', value: 'yes' } }]),
      ];
      for (const traffic of refused) {
        const thrown = await provider.move({ record: 'never', traffic, after: undefined }).catch((error) => error);
        expect(thrown, JSON.stringify(traffic)).toBeInstanceOf(SluiceError);
        for (const problem of (thrown as SluiceError).problems) expect(problem.fix).toMatch(/\S/);
      }
      expect(await provider.record()).toBeUndefined();
      expect((await provider.read()).desired).toMatchObject(none);
    });

    test('has its guard, if it has one, put up and taken down as often as it is told to', async () => {
      await using stage = await start();
      const { guard } = stage.provider;
      if (guard === undefined) return;
      const revision = await move(stage, { record: 'guarded', after: undefined });
      const lease = { expires: new Date(Date.now() + 3_600_000), rolloutId: 'rollout-1' };
      await guard.install(lease);
      await guard.install({ ...lease, expires: new Date(Date.now() + 7_200_000) });
      // A longer lease is no change of the traffic or the record: whoever holds the record's revision goes on.
      const next = await move(stage, { record: 'guarded still', after: revision });
      await guard.remove();
      await guard.remove();
      await stage.provider.clear(next);
    });
  });
}

/** A source with two arms it reads, nothing sent yet. */
export interface MetricsStage extends AsyncDisposable {
  readonly source: MetricsSource;
  /** Sends requests to an arm, some of them failing by the server's fault, and resolves when a read must show them. */
  send(arm: 'canary' | 'baseline', requests: number, failing?: number): Promise<void>;
  /** The arm's process begins again from zero. Absent where nothing can. */
  restart?(arm: 'canary' | 'baseline'): Promise<void>;
  /** No process of the arm is there any more, and the source has noticed. */
  vanish?(arm: 'canary' | 'baseline'): Promise<void>;
  /** Whom the source asks does so from now on. */
  fail?(how: 'is-gone' | 'fails' | 'babbles' | 'hangs'): Promise<void>;
  /** What it cannot fail in. */
  readonly without?: readonly ('is-gone' | 'fails' | 'babbles' | 'hangs')[];
}

/** Registers the tests of a metrics source. `start` makes a new stage each time. */
export function metricsConformance(name: string, start: () => Promise<MetricsStage>): void {
  const grown = (before: readonly SeriesCounts[], after: readonly SeriesCounts[]) => {
    const earlier = new Map(before.map((series) => [series.id, series]));
    const of = (count: (series: SeriesCounts) => number): number =>
      after.reduce((all, series) => {
        const was = earlier.get(series.id);
        return all + count(series) - (was === undefined ? 0 : count(was));
      }, 0);
    return {
      requests: of(({ requests }) => requests),
      errors: of(({ errors }) => errors),
      observed: of(({ latency }) => latency?.cumulative.at(-1) ?? 0),
    };
  };
  const bothArms = ({ canary, baseline }: Reading): readonly SeriesCounts[] => [...canary, ...baseline];

  describe(`the metrics source ${name}, as every source,`, () => {
    test('says what it is, in text that can be printed', async () => {
      await using stage = await start();
      const { source } = stage;
      expect(source.name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(source.title).toMatch(/\S/);
      expect(printable(source.title)).toBe(source.title);
    });

    test('counts every request of each arm, and the failed ones', async () => {
      await using stage = await start();
      await stage.send('canary', 3);
      await stage.send('baseline', 5);
      const before = await stage.source.read();
      await stage.send('canary', 10, 4);
      await stage.send('baseline', 30, 1);
      const after = await stage.source.read();
      expect(grown(before.canary, after.canary)).toMatchObject({ requests: 10, errors: 4 });
      expect(grown(before.baseline, after.baseline)).toMatchObject({ requests: 30, errors: 1 });
    });

    test('counts nothing where nothing came', async () => {
      await using stage = await start();
      await stage.send('canary', 2);
      await stage.send('baseline', 2);
      const before = await stage.source.read();
      await stage.send('baseline', 7);
      const after = await stage.source.read();
      expect(grown(before.canary, after.canary)).toEqual({ requests: 0, errors: 0, observed: 0 });
      expect(grown(before.baseline, after.baseline).requests).toBe(7);
    });

    test('gives the first error its due, in a series that was not there before', async () => {
      await using stage = await start();
      await stage.send('canary', 2);
      await stage.send('baseline', 2);
      const before = await stage.source.read();
      await stage.send('canary', 1, 1);
      expect(grown(before.canary, (await stage.source.read()).canary)).toMatchObject({ requests: 1, errors: 1 });
    });

    test('gives histograms that go up to infinity and never down', async () => {
      await using stage = await start();
      await stage.send('canary', 4);
      await stage.send('baseline', 4);
      const before = await stage.source.read();
      await stage.send('canary', 6);
      const after = await stage.source.read();
      const histograms = [before, after]
        .flatMap(bothArms)
        .flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
      for (const histogram of histograms) expectOrdered(histogram);
      const canary = after.canary.flatMap(({ latency }) => latency ?? []);
      if (canary.length > 0) expect(grown(before.canary, after.canary).observed).toBe(6);
    });

    test('tells the series of an arm apart, by the same names at every read, with the time they were taken', async () => {
      await using stage = await start();
      const from = Date.now();
      await stage.send('canary', 2);
      await stage.send('baseline', 2);
      const [first, second] = [await stage.source.read(), await stage.source.read()];
      for (const arm of ['canary', 'baseline'] as const) {
        const ids = first[arm].map(({ id }) => id);
        expect(ids.length).toBeGreaterThan(0);
        expect(new Set(ids).size).toBe(ids.length);
        expect(second[arm].map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      }
      for (const { id, at } of [first, second].flatMap(bothArms)) {
        expect(printable(id)).toBe(id);
        // The source's clock may differ from ours.
        expect(Math.abs(at - from)).toBeLessThan(600_000);
      }
    });

    test('shows a process that began again as counts that dropped, or as a new series', async () => {
      await using stage = await start();
      if (stage.restart === undefined) return;
      await stage.send('canary', 20);
      await stage.send('baseline', 1);
      const before = await stage.source.read();
      await stage.restart('canary');
      await stage.send('canary', 3);
      const after = await stage.source.read();
      const earlier = new Map(before.canary.map((series) => [series.id, series.requests]));
      const counted = after.canary.reduce((all, { id, requests }) => {
        const was = earlier.get(id) ?? 0;
        return all + (requests < was ? requests : requests - was);
      }, 0);
      expect(counted).toBe(3);
    });

    test('shows no series for an arm that is not there, and says something of it', async () => {
      await using stage = await start();
      if (stage.vanish === undefined) return;
      await stage.send('canary', 2);
      await stage.send('baseline', 2);
      await stage.vanish('canary');
      const reading = await stage.source.read();
      expect(reading.canary).toEqual([]);
      expect(reading.baseline.length).toBeGreaterThan(0);
      for (const remark of reading.remarks) expect(printable(remark)).toBe(remark);
      expect(reading.remarks.join('\n')).toMatch(/canary/);
    });

    test.each(['is-gone', 'fails', 'babbles', 'hangs'] as const)(
      'throws when whom it asks %s, and says what to do',
      async (how) => {
        await using stage = await start();
        if (stage.fail === undefined || stage.without?.includes(how) === true) return;
        await stage.send('canary', 1);
        await stage.send('baseline', 1);
        await stage.fail(how);
        const thrown = await stage.source.read().catch((error: unknown) => error);
        expect(thrown).toBeInstanceOf(PeerError);
        for (const { message, fix } of (thrown as PeerError).problems) {
          expect(message).toMatch(/\S/);
          expect(fix).toMatch(/\S/);
        }
      },
    );

    test('gives up when it is told to', async () => {
      await using stage = await start();
      await stage.send('baseline', 1);
      await expect(stage.source.read(AbortSignal.abort())).rejects.toThrow();
    });
  });
}

function expectOrdered({ edges, cumulative }: HistogramCounts): void {
  expect(edges.at(-1)).toBe(Number.POSITIVE_INFINITY);
  expect(cumulative).toHaveLength(edges.length);
  expect(edges.toSorted((one, other) => one - other)).toEqual(edges);
  expect(new Set(edges).size).toBe(edges.length);
  expect(cumulative.toSorted((one, other) => one - other)).toEqual(cumulative);
}
