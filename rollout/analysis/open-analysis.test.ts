import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Look } from '../analyst.ts';
import type { Reading, SeriesCounts } from '../metrics-source.ts';
import { SimulatedTraffic, trafficShapes } from '../simulation/index.ts';
import { lookLine, parseLooks, type RecordedLook, runLine } from './look-file.ts';
import { openAnalysis } from './open-analysis.ts';
import { replay } from './replay.ts';
import { type AnalysisPolicy, analysisSettings } from './settings.ts';

const begin = 1_700_000_000_000;
const lookEvery = 5000;

function shapeOf(name: string) {
  const found = trafficShapes.find((shape) => shape.name === name);
  if (found === undefined) throw new Error(`there is no shape ${name}`);
  return found;
}

/** Looks at traffic of a shape with a fixed weight; the baseline is known for `history` looks. */
function looksAt(name: string, count: number, { weight = 10, history = 200, seed = 'test' } = {}): readonly Look[] {
  const traffic = new SimulatedTraffic(shapeOf(name), seed);
  const looks: Look[] = [];
  for (let index = -history; index <= count; index++) {
    if (index !== 0) traffic.advance(lookEvery / 1000, ((index - 1) * lookEvery) / 1000, index < 0 ? 0 : weight);
    const at = begin + index * lookEvery;
    const reading = traffic.read(at);
    looks.push({
      number: index + history + 1,
      at,
      stage: { kind: 'step', index: 0, weight: index < 0 ? 0 : weight, since: begin },
      warmUp: index <= 0,
      reading: index < 0 ? { ...reading, canary: [] } : reading,
    });
  }
  return looks;
}

function judged(looks: readonly Look[], policy: AnalysisPolicy = {}) {
  const analyst = openAnalysis(analysisSettings(policy))(undefined);
  return looks.map((look) => analyst.look(look));
}

/** Readings of one series an arm, made by hand. */
function looksOf(
  readings: readonly { readonly canary?: Partial<SeriesCounts>; readonly baseline?: Partial<SeriesCounts> }[],
): readonly Look[] {
  const series = (id: string, at: number, counts: Partial<SeriesCounts> | undefined): readonly SeriesCounts[] =>
    counts === undefined ? [] : [{ id, at, requests: 0, errors: 0, ...counts }];
  return readings.map(({ canary, baseline }, index) => {
    const at = begin + index * lookEvery;
    return {
      number: index + 1,
      at,
      stage: { kind: 'step', index: 0, weight: 10, since: begin },
      warmUp: false,
      reading: { canary: series('c', at, canary), baseline: series('b', at, baseline), remarks: [] },
    };
  });
}

describe('the verdict', () => {
  test.each([0, 1, 3])('is soon to go back where three in ten are slow and of the baseline %i', (slowOfBaseline) => {
    const histogram = (requests: number, slow: number) => ({
      edges: [0.1, 0.25, Number.POSITIVE_INFINITY],
      cumulative: [requests - slow, requests - slow, requests],
    });
    const looks = looksOf(
      Array.from({ length: 30 }, (_, index) => {
        const [canary, baseline] = [25 * index, 100 * index];
        return {
          canary: { requests: canary, latency: histogram(canary, Math.round(0.3 * canary)) },
          baseline: { requests: baseline, latency: histogram(baseline, Math.min(slowOfBaseline, index)) },
        };
      }),
    );
    const policy = { errors: false, latency: { sloMs: 250, maxShareIncrease: 0.03 } } as const;
    expect(judged(looks, policy).slice(0, 10).at(-1)?.verdict).toBe('rollback');
  });

  test.each([
    { edge: 0.1, verdict: 'rollback' },
    { edge: 0.0005, verdict: 'advance' },
  ])('of a canary that is slower below the SLO, over $edge s, is to $verdict', ({ edge, verdict }) => {
    const histogram = (requests: number, over: number) => ({
      edges: [edge, 0.25, Number.POSITIVE_INFINITY],
      cumulative: [requests - over, requests, requests],
    });
    const looks = looksOf(
      Array.from({ length: 120 }, (_, index) => {
        const [canary, baseline] = [25 * index, 100 * index];
        return {
          canary: { requests: canary, latency: histogram(canary, Math.round(0.98 * canary)) },
          baseline: { requests: baseline, latency: histogram(baseline, Math.round(0.02 * baseline)) },
        };
      }),
    );
    const policy = { errors: false, latency: { sloMs: 250, maxShareIncrease: 0.03 } } as const;
    expect(judged(looks, policy).at(-1)?.verdict).toBe(verdict);
  });

  test('is to go back as soon as errors are shown to be more, and stays so', () => {
    const analysed = judged(looksAt('errors-5', 200));
    const first = analysed.findIndex(({ verdict }) => verdict === 'rollback');
    expect(first).toBeGreaterThan(0);
    expect(analysed.slice(0, first).every(({ verdict }) => verdict === 'hold')).toBe(true);
    expect(analysed.slice(first).every(({ verdict }) => verdict === 'rollback')).toBe(true);
    const [errors] = analysed[first]?.metrics ?? [];
    expect(errors).toMatchObject({ metric: 'errors', says: 'harm' });
    expect(errors?.logEvidence).toBeGreaterThanOrEqual(Math.log(100));
    expect(errors?.message).toMatch(
      /^[\d.]+ % of [\d,]+ canary requests failed, [\d.]+ % of [\d,]+ baseline requests: shown to be more than the baseline's$/,
    );
  });

  test.each([0, 720])('is soon to go back for errors beyond what is allowed, after %i looks without any', (history) => {
    const looks = looksOf(
      Array.from({ length: history + 60 }, (_, index) => {
        const canary = 25 * Math.max(0, index - history);
        return {
          canary: { requests: canary, errors: Math.round(0.2 * canary) },
          baseline: { requests: 100 * index, errors: 0 },
        };
      }),
    );
    const verdicts = judged(looks, { errors: { maxIncrease: 0.01, detectIncrease: 0.04 } }).map(
      ({ verdict }) => verdict,
    );
    expect(verdicts.indexOf('rollback')).toBeLessThan(history + 50);
    expect(verdicts).toContain('rollback');
  });

  test('is to go on once a healthy canary has had what would have shown harm', () => {
    const analysed = judged(looksAt('healthy', 400));
    const first = analysed.findIndex(({ verdict }) => verdict === 'advance');
    expect(first).toBeGreaterThan(200);
    expect(analysed.some(({ verdict }) => verdict === 'rollback')).toBe(false);
    expect(analysed[first]?.metrics[0]).toMatchObject({ says: 'harmless' });
  });

  test('is to go back for slower answers, with the bucket where they are', () => {
    const policy: AnalysisPolicy = { errors: false, latency: { sloMs: 100 } };
    const last = judged(looksAt('latency-20', 200), policy).at(-1);
    expect(last).toMatchObject({ verdict: 'rollback', metrics: [{ metric: 'latency', says: 'harm' }] });
    expect(last?.metrics[0]?.message).toMatch(/took more than 100 ms/);
    const healthy = judged(looksAt('latency-healthy', 300), policy);
    expect(healthy.some(({ verdict }) => verdict === 'rollback')).toBe(false);
    expect(healthy.at(-1)?.verdict).toBe('advance');
  });

  test('says which edge it took for an SLO that is none', () => {
    const last = judged(looksAt('latency-healthy', 50), { errors: false, latency: { sloMs: 90 } }).at(-1);
    expect(last?.metrics[0]?.message).toMatch(
      /the SLO of 90 ms is no edge of the histogram; this is the next edge above/,
    );
    expect(last?.metrics[0]?.message).toMatch(/took more than 100 ms/);
  });

  test('is to hold as long as the canary warms up, whatever it does', () => {
    const looks = looksAt('errors-5', 200).map((look) => ({ ...look, warmUp: true }));
    const analysed = judged(looks);
    expect(new Set(analysed.map(({ verdict }) => verdict))).toEqual(new Set(['hold']));
    expect(analysed.at(-1)?.requests).toEqual({ canary: 0, baseline: 0 });
  });

  test('waits for the requests that each stage has to have', () => {
    const looks = looksAt('healthy', 400);
    const stages = looks.map((look) =>
      look.number > 550 ? { ...look, stage: { ...look.stage, index: 1, since: look.at } } : look,
    );
    const analysed = judged(stages, { minRequests: 1000 });
    expect(analysed[548]?.verdict).toBe('advance');
    // 50 requests a look: 19 looks are 950.
    expect(analysed.slice(550, 568).every(({ verdict }) => verdict === 'hold')).toBe(true);
    expect(analysed[575]?.verdict).toBe('advance');
  });

  test('is never to go on at a look that saw nothing, nor long after the last request', () => {
    const looks = looksAt('healthy', 400);
    const last = looks.at(-1);
    if (last === undefined) throw new Error('no looks');
    const { reading, ...blind } = last;
    const then = (look: Look) => judged([...looks, look]).at(-1)?.verdict;
    const next = { number: last.number + 1, at: last.at + lookEvery };
    expect(then({ ...blind, ...next })).toBe('hold');
    expect(then({ ...last, ...next, reading: { ...(reading as Reading), canary: [] } })).toBe('hold');
    // The same counts again, minutes later.
    expect(then({ ...last, number: last.number + 1, at: last.at + 200_000 })).toBe('hold');
  });

  test('is inconclusive when a stage has lasted too long', () => {
    const analysed = judged(looksAt('healthy', 60), { stageDeadline: 200_000, minRequests: 10_000 });
    expect(analysed.at(-25)?.verdict).toBe('hold');
    expect(analysed.at(-1)?.verdict).toBe('inconclusive');
  });

  test('goes back for predictions that shifted, and not for those that did not', () => {
    const grown = (share: number) =>
      looksOf(
        Array.from({ length: 120 }, (_, look) => {
          const counts = (requests: number, yes: number) => ({
            requests,
            predictions: { yes: Math.round(requests * yes), no: requests - Math.round(requests * yes) },
          });
          return { canary: counts(100 * (look + 1), share), baseline: counts(400 * (look + 1), 0.3) };
        }),
      );
    const policy: AnalysisPolicy = { errors: false, predictions: { maxShift: 0.1 } };
    expect(judged(grown(0.6), policy).at(-1)).toMatchObject({
      verdict: 'rollback',
      metrics: [{ metric: 'predictions', says: 'harm' }],
    });
    expect(judged(grown(0.32), policy).at(-1)).toMatchObject({
      verdict: 'advance',
      metrics: [{ metric: 'predictions', says: 'harmless' }],
    });
  });

  test('goes back when too few copied answers agree', () => {
    const agreeing = (share: number) =>
      looksOf(
        Array.from({ length: 300 }, (_, look) => {
          const count = 50 * (look + 1);
          return {
            canary: { requests: count, means: { agreement: { sum: Math.round(share * count), count } } },
            baseline: { requests: count },
          };
        }),
      );
    const policy: AnalysisPolicy = { errors: false, agreement: { min: 0.98 } };
    expect(judged(agreeing(0.9), policy).at(-1)).toMatchObject({ verdict: 'rollback' });
    expect(judged(agreeing(0.995), policy).at(-1)).toMatchObject({ verdict: 'advance' });
  });

  test('goes back for a lower reward where higher is better, and for a higher one where lower is', () => {
    const rewards = (canary: number, baseline: number) =>
      looksOf(
        Array.from({ length: 400 }, (_, look) => {
          const sums = (count: number, mean: number) => ({
            requests: count,
            means: { value: { sum: count * mean, count, squares: count * (mean * mean + 4) } },
          });
          return { canary: sums(100 * (look + 1), canary), baseline: sums(400 * (look + 1), baseline) };
        }),
      );
    const reward = { name: 'value', lowest: 0, highest: 20, maxLoss: 0.2 } as const;
    const says = (canary: number, baseline: number, better: 'higher' | 'lower') =>
      judged(rewards(canary, baseline), { errors: false, rewards: [{ ...reward, better }] }).at(-1)?.verdict;
    expect(says(8, 10, 'higher')).toBe('rollback');
    expect(says(12, 10, 'higher')).toBe('advance');
    expect(says(12, 10, 'lower')).toBe('rollback');
    expect(says(10, 10, 'higher')).toBe('advance');
  });

  test('is not changed by a metric without a share, which is shown', () => {
    const policy: AnalysisPolicy = { errors: { share: 0 }, latency: { sloMs: 100 } };
    const last = judged(looksAt('errors-5', 200), policy).at(-1);
    expect(last?.verdict).toBe('hold');
    expect(last?.metrics[0]?.says).toBe('unsettled');
    expect(last?.metrics[0]?.message).toMatch(/watched only/);
    expect(last?.metrics[1]?.says).toBe('no-data');
  });
});

describe('without requests of an arm', () => {
  test('nothing is ever passed nor rolled back', () => {
    const counts = fc.record({ requests: fc.nat(1000), errors: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(counts, { maxLength: 60 }), fc.boolean(), fc.boolean(), (steps, silent, absent) => {
        const still = absent ? undefined : { requests: 5, errors: 5 };
        const total = { requests: 0, errors: 0 };
        const readings = steps.map(({ requests, errors }) => {
          total.requests += requests;
          total.errors += Math.min(errors, requests);
          const busy = { ...total };
          const arms = silent ? { canary: busy, baseline: still } : { canary: still, baseline: busy };
          return Object.fromEntries(Object.entries(arms).filter(([, value]) => value !== undefined));
        });
        for (const { verdict, metrics } of judged(looksOf(readings), { minRequests: 1 })) {
          expect(verdict).toBe('hold');
          expect(metrics.every(({ says }) => says === 'no-data')).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the state', () => {
  const policy: AnalysisPolicy = {
    latency: { sloMs: 100 },
    predictions: {},
    agreement: {},
    rewards: [{ name: 'value' }],
  };

  test('lets another process go on as if it were the same one', () => {
    const looks = looksAt('latency-20', 60, { history: 20 });
    const settings = analysisSettings(policy);
    const through = judged(looks, policy);
    for (const cut of [1, 10, 25, 60]) {
      const first = openAnalysis(settings)(undefined);
      const left = looks
        .slice(0, cut)
        .map((look) => first.look(look))
        .at(-1)?.state;
      const second = openAnalysis(settings)(JSON.parse(JSON.stringify(left)));
      const rest = looks.slice(cut).map((look) => second.look(look));
      expect(rest.map(({ verdict, metrics }) => ({ verdict, metrics }))).toEqual(
        through.slice(cut).map(({ verdict, metrics }) => ({ verdict, metrics })),
      );
      expect(rest.at(-1)?.state).toEqual(through.at(-1)?.state);
    }
  });

  test('is small enough to be kept beside the traffic', () => {
    const last = judged(looksAt('latency-healthy', 720, { history: 720 }), { latency: { sloMs: 100 } }).at(-1);
    expect(JSON.stringify(last?.state).length).toBeLessThan(8000);
  });

  test('is refused when it is broken, or from another analysis', () => {
    const settings = analysisSettings();
    const state = judged(looksAt('healthy', 3)).at(-1)?.state;
    expect(() => openAnalysis(settings)({ v: 1 })).toThrow(/cannot be read/);
    expect(() => openAnalysis(settings)({ ...(state as object), gzip: 'H4sIAAAAAAAAA' })).toThrow(/cannot be read/);
    expect(() => openAnalysis(analysisSettings({ falseRollback: 0.05 }))(state)).toThrow(/not the one/);
  });
});

describe('recorded looks', () => {
  const policy: AnalysisPolicy = { latency: { sloMs: 100 } };

  function recorded(name: string): string {
    const looks = looksAt(name, 80, { history: 40 });
    const analysed = judged(looks, policy);
    const lines = looks.map((look, index) => {
      const made = analysed[index];
      if (made === undefined) throw new Error('a look was not judged');
      return lookLine(look, made);
    });
    return [runLine(analysisSettings(policy)), ...lines, ''].join('\n');
  }

  test.each(['latency-20', 'latency-healthy', 'missing-series', 'counter-reset', 'no-traffic'])(
    'of %s are decided again as they were',
    (name) => {
      const replayed = replay(parseLooks(recorded(name), 'looks.jsonl'));
      expect(replayed).toHaveLength(121);
      expect(replayed.flatMap(({ differences }) => differences)).toEqual([]);
    },
  );

  test('show where a decision is another one', () => {
    const entries = parseLooks(recorded('latency-20'), 'looks.jsonl');
    const rolledBack = entries.findIndex((entry) => entry.kind === 'look' && entry.verdict === 'rollback');
    const changed = entries.map((entry, index) =>
      index === rolledBack ? ({ ...(entry as RecordedLook), verdict: 'hold' } as const) : entry,
    );
    expect(replay(changed).flatMap(({ differences }) => differences)).toEqual([
      'the verdict was hold, and is rollback',
    ]);
    const [run, ...looks] = entries;
    if (run?.kind !== 'run') throw new Error('the first line is the run');
    const strict = { ...run, settings: analysisSettings({ ...policy, falseRollback: 1e-9 }) };
    expect(replay([strict, ...looks]).some(({ differences }) => differences.length > 0)).toBe(true);
  });

  test('of a run that went on start from what the first one left', () => {
    const looks = looksAt('errors-2', 60, { history: 40 });
    const settings = analysisSettings();
    const first = openAnalysis(settings)(undefined);
    const left = looks
      .slice(0, 60)
      .map((look) => first.look(look))
      .at(-1)?.state;
    const second = openAnalysis(settings)(left);
    const lines = looks.slice(60).map((look) => lookLine(look, second.look(look)));
    const replayed = replay(parseLooks([runLine(settings, left), ...lines].join('\n'), 'looks.jsonl'));
    expect(replayed).toHaveLength(lines.length);
    expect(replayed.flatMap(({ differences }) => differences)).toEqual([]);
  });

  test('name the line that is none', () => {
    const lines = recorded('healthy').split('\n');
    const broken = [...lines.slice(0, 5), '{"look": 1}', ...lines.slice(5)].join('\n');
    expect(() => parseLooks(broken, 'looks.jsonl')).toThrow(/looks\.jsonl:6/);
    expect(() => parseLooks(lines.slice(1).join('\n'), 'looks.jsonl')).toThrow(/does not say how was decided/);
    expect(() => parseLooks('', 'looks.jsonl')).toThrow(/no looks/);
  });
});

describe('the settings', () => {
  test('are refused with everything that is out of range', () => {
    const policy: AnalysisPolicy = {
      falseRollback: 2,
      errors: { maxRatio: 3, detectRatio: 2 },
      latency: { sloMs: -1 },
    };
    expect(() => analysisSettings(policy)).toThrow(/false_rollback[\s\S]*detect_ratio[\s\S]*slo_ms/);
    expect(() => analysisSettings({ errors: false })).toThrow(/no metric/);
  });

  test('ask for twice the tolerated errors to be excluded, unless said otherwise', () => {
    expect(analysisSettings().errors).toMatchObject({ maxRatio: 1, detectRatio: 2 });
    expect(analysisSettings({ errors: { maxRatio: 1.25 } }).errors).toMatchObject({ maxRatio: 1.25, detectRatio: 2.5 });
  });
});
