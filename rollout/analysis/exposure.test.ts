import { describe, expect, test } from 'vitest';
import { drawBinomial, randomOf, updateErrorTest } from '../../core/statistics/index.ts';
import { errorShareTest, startErrors } from './error-metric.ts';
import { addExposure, exposureProgress, noExposure, severityAt } from './exposure.ts';
import { analysisSettings } from './settings.ts';

describe('what a stage has to exclude', () => {
  test("is the policy's own size of harm from 50 % on, and coarser the smaller the weight", () => {
    const severities = [100, 50, 25, 10, 5, 1, 0].map(severityAt);
    expect(severities[0]).toBe(1);
    expect(severities[1]).toBe(1);
    expect(severities).toEqual(severities.toSorted((one, other) => one - other));
    expect(severities.at(-1)).toBe(8);
  });
});

describe('the exposure that would have shown harm', () => {
  test('shows it, where there is, with at least the asked power', () => {
    const { errors } = analysisSettings();
    if (errors === undefined) throw new Error('errors are watched by default');
    const start = startErrors(errors);
    const share = errorShareTest(errors, start);
    const prediction = { rate: 0.01, variance: 0 };
    const demand = { threshold: Math.log(100), keptBack: -Math.log(0.8), power: 0.8 };
    const requests = { canary: 50, baseline: 450 };
    let exposure = noExposure;
    let windows = 0;
    while (exposureProgress(exposure, share, 0.01, 1, demand) < 1) {
      exposure = addExposure(exposure, share, requests, prediction);
      windows++;
    }
    // 1 -> 2 %: some 1,800 canary requests on average, so a bit more with a chance of 80 %.
    expect(windows * requests.canary).toBeGreaterThan(1500);
    expect(windows * requests.canary).toBeLessThan(4500);
    const random = randomOf('power');
    let found = 0;
    const rollouts = 300;
    for (let rollout = 0; rollout < rollouts; rollout++) {
      let state = start;
      for (let window = 0; window < windows; window++) {
        const canary = { requests: requests.canary, errors: drawBinomial(random, requests.canary, 0.02) };
        const baseline = { requests: requests.baseline, errors: drawBinomial(random, requests.baseline, 0.01) };
        state = updateErrorTest(state, { canary, baseline }, prediction);
      }
      if (state.highestLogE >= demand.threshold) found++;
    }
    expect(found / rollouts).toBeGreaterThanOrEqual(0.75);
  });

  test('is nothing without requests, and never goes back', () => {
    const { errors } = analysisSettings();
    if (errors === undefined) throw new Error('errors are watched by default');
    const share = errorShareTest(errors, startErrors(errors));
    const demand = { threshold: Math.log(100), keptBack: 0, power: 0.8 };
    const prediction = { rate: 0.01, variance: 0.5 };
    expect(addExposure(noExposure, share, { canary: 0, baseline: 500 }, prediction)).toEqual(noExposure);
    let exposure = noExposure;
    let before = 0;
    for (let window = 0; window < 50; window++) {
      exposure = addExposure(exposure, share, { canary: 25, baseline: 475 }, prediction);
      const progress = exposureProgress(exposure, share, 0.01, 4, demand);
      expect(progress).toBeGreaterThanOrEqual(before);
      before = progress;
    }
    expect(before).toBeGreaterThan(0);
  });
});
