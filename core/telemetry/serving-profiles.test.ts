import { describe, expect, test } from 'vitest';
import {
  type Distribution,
  hasSignal,
  predictionStatuses,
  type RequestCounter,
  servingMetrics,
  servingProfileNames,
  servingProfiles,
  signals,
} from './index.ts';
import { matchesPattern, outcomeOf, regexOf } from './value-pattern.ts';

const profiles = servingProfileNames.map((name) => ({ ...servingProfiles[name], name }));

describe('what the metrics of model servers mean', () => {
  test.each(profiles)('$name either has a signal or says why not', (profile) => {
    for (const signal of signals)
      expect([signal, hasSignal(profile, signal) ? 'there' : 'absent']).toEqual([
        signal,
        profile.absent[signal] === undefined ? 'there' : 'absent',
      ]);
  });

  test.each(profiles)('$name says where its names were read, and at which version', ({ sources, version, name }) => {
    expect(sources.length).toBeGreaterThan(0);
    if (name !== 'sluice') for (const source of sources) expect(source).toMatch(/^https:\/\/|\(PyPI\)/);
    expect(version).toMatch(/\d/);
  });

  test.each(profiles)('$name has names Prometheus takes, and ascending buckets', (profile) => {
    const counters: readonly RequestCounter[] = [
      ...profile.requests,
      ...(profile.outcomes ?? []),
      ...(profile.serverOutcomes ?? []),
    ];
    const distributions: readonly Distribution[] = [
      ...profile.latency,
      ...(profile.queue === undefined ? [] : [profile.queue]),
      ...(profile.batch === undefined ? [] : [profile.batch]),
    ];
    const names = [
      ...counters.map(({ series }) => series),
      ...distributions.flatMap((each) => (each.kind === 'total' ? [each.sum, each.count] : [each.series])),
    ];
    for (const name of names) expect(name).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
    for (const each of distributions) {
      if (each.kind !== 'histogram') continue;
      expect(each.series).not.toMatch(/_(?:bucket|sum|count)$/);
      const { buckets = [] } = each;
      expect(buckets).toEqual([...new Set(buckets)].toSorted((one, other) => one - other));
    }
  });

  test.each(profiles)('$name counts every request once, however it ended', ({ requests, outcomes }) => {
    expect(requests.length).toBeGreaterThan(0);
    if (outcomes !== undefined)
      expect(outcomes.map(({ series }) => series)).toEqual(requests.map(({ series }) => series));
  });

  test("our own profile knows every status our server has, and its server's names", () => {
    const [counter] = servingProfiles.sluice.outcomes ?? [];
    if (counter === undefined) throw new Error('no counter');
    expect(Object.fromEntries(predictionStatuses.map((status) => [status, outcomeOf(counter, { status })]))).toEqual({
      ok: 'success',
      invalid_input: 'client',
      unknown_model: 'client',
      not_ready: 'server',
      queue_full: 'server',
      timeout: 'server',
      draining: 'server',
      error: 'server',
    });
    expect(servingProfiles.sluice.latency[0]).toMatchObject({
      series: servingMetrics.latency.name,
      buckets: servingMetrics.latency.buckets,
    });
  });

  test('a dot in a pattern stands for one character, everything else for itself', () => {
    expect(matchesPattern('503', ['4..', '5..'])).toBe(true);
    expect(matchesPattern('5xx', ['5..'])).toBe(true);
    expect(matchesPattern('50', ['5..'])).toBe(false);
    expect(matchesPattern('/v2/{x}', ['/v2/{x}'])).toBe(true);
    expect(regexOf(['5..', '/v2/{x}', 'a|b'])).toBe('5..|/v2/\\{x\\}|a\\|b');
  });
});
