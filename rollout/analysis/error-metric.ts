import {
  type ErrorBounds,
  type ErrorTest,
  errorLowerBound,
  errorUpperBound,
  startErrorBounds,
  startErrorTest,
  updateErrorBounds,
  updateErrorTest,
} from '../../core/statistics/index.ts';
import { counted } from '../../core/text/index.ts';
import type { MetricEvidence } from '../analysis-verdict.ts';
import { addExposure, type Exposure, exposureProgress, noExposure, type ShareTest } from './exposure.ts';
import { type Demands, type Metric, percentText, shortNumber } from './metric.ts';
import type { ErrorSettings } from './settings.ts';
import {
  compared,
  noComparison,
  noiseOf,
  rareNoise,
  type ShareComparison,
  shareDifference,
  shareOf,
  withNoise,
} from './share-comparison.ts';

export interface ErrorState {
  readonly test: ErrorTest;
  readonly bounds: ErrorBounds;
  readonly exposure: Exposure;
  readonly comparison: ShareComparison;
}

/** Less than even odds for harm: nothing speaks for it. */
const quiet = Math.LN2;

/** How an error rate of so many times the size to detect would look, and what is staked on it. */
export function errorShareTest(settings: ErrorSettings, { tolerance, grid }: ErrorTest): ShareTest {
  const { detectRatio, detectIncrease } = settings;
  return {
    tolerance,
    grid,
    harmedShare: (rate, severity) =>
      Math.max(rate * (1 + (detectRatio - 1) * severity), rate + detectIncrease * severity),
  };
}

export function startErrors({ maxRatio, maxIncrease }: ErrorSettings): ErrorTest {
  return startErrorTest({ tolerance: { ratio: maxRatio, difference: maxIncrease } });
}

/** The canary's error rate against the baseline's. */
export function errorMetric(settings: ErrorSettings): Metric<ErrorState> {
  const { lateShare } = startErrors(settings);
  return {
    name: 'errors',
    share: settings.share,
    start: () => ({
      test: startErrors(settings),
      bounds: startErrorBounds('ratio', boundParameters),
      exposure: noExposure,
      comparison: noComparison,
    }),
    learn: (state, baseline) => ({ ...state, comparison: withNoise(state.comparison, errorsOf(baseline)) }),
    update(state, { canary, baseline }) {
      const window = { canary: errorsOf(canary), baseline: errorsOf(baseline) };
      const prediction = noiseOf(state.comparison);
      const staked = settings.maxIncrease > 0 ? rareNoise(state.comparison.noise) : prediction;
      const requests = { canary: canary.requests, baseline: baseline.requests };
      return {
        test: updateErrorTest(state.test, window, staked),
        bounds: updateErrorBounds(state.bounds, window, prediction),
        exposure: addExposure(state.exposure, errorShareTest(settings, state.test), requests, staked),
        comparison: compared(state.comparison, window),
      };
    },
    evidence: (state, demands) => evidenceOf(state, demands),
  };

  function evidenceOf(state: ErrorState, demands: Demands): MetricEvidence {
    const { test, comparison } = state;
    const { canary, baseline } = comparison;
    const { threshold, power, severity } = demands;
    const common = {
      metric: 'errors',
      logEvidence: test.highestLogE,
      threshold,
      canary: { requests: canary.requests, events: canary.errors },
      baseline: { requests: baseline.requests, events: baseline.errors },
    };
    if (canary.requests === 0) {
      return { ...common, says: 'no-data', message: 'no window had requests of both arms yet' };
    }
    const { rate } = noiseOf(comparison);
    const shareTest = errorShareTest(settings, test);
    const harmed = shareTest.harmedShare(rate, severity);
    const effect = effectOf(state, demands.falsePass, rate);
    const excluded = effect.difference.upper <= harmed - rate;
    const demand = { threshold, keptBack: -Math.log1p(-lateShare), power };
    const progress = exposureProgress(state.exposure, shareTest, rate, severity, demand);
    const rates = `${percentText(shareOf(canary))} of ${counted(canary.requests, 'canary request')} failed, ${percentText(
      shareOf(baseline),
    )} of ${counted(baseline.requests, 'baseline request')}`;
    const shown = { ...common, effect: effect.shown };
    if (test.highestLogE >= threshold) {
      return { ...shown, says: 'harm', message: `${rates}: shown to be ${toleranceText(settings)}` };
    }
    if (excluded) {
      return { ...shown, says: 'harmless', message: `${rates}: shown to be below ${percentText(harmed)}` };
    }
    if (progress >= 1 && test.logE < quiet && shareOf(canary) < harmed) {
      const message = `${rates}: a rate of ${percentText(harmed)} would have been shown with a chance of ${percentText(power)}`;
      return { ...shown, says: 'harmless', message };
    }
    const towards = `${Math.floor(Math.min(0.99, progress) * 100)} % of what it takes to exclude ${percentText(harmed)}`;
    return { ...shown, says: 'unsettled', message: `${rates}: ${towards}` };
  }
}

/** For the bounds that people and the adaptive strategy read. */
const boundParameters: readonly number[] = [0.5, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10];

/** The ratio where it has an upper bound that says more than the difference does; else the difference: no errors have no multiples. */
function effectOf(state: ErrorState, alpha: number, rate: number) {
  const { bounds, comparison } = state;
  const difference = shareDifference(comparison, alpha);
  const [lower, upper] = [errorLowerBound(bounds, alpha / 2), errorUpperBound(bounds, alpha / 2)];
  const { canaryCross, baselineCross } = comparison;
  const byRatio = (upper - 1) * rate;
  const ratio = Number.isFinite(upper) && baselineCross > 0 && byRatio <= difference.upper;
  return {
    difference: ratio ? { ...difference, upper: byRatio } : difference,
    shown: ratio
      ? { kind: 'ratio' as const, estimate: canaryCross / baselineCross, lower, upper }
      : { kind: 'difference' as const, ...difference },
  };
}

function toleranceText({ maxRatio, maxIncrease }: ErrorSettings): string {
  if (maxRatio === 1)
    return `more than the baseline's${maxIncrease === 0 ? '' : ` by over ${percentText(maxIncrease)}`}`;
  const besides = maxIncrease === 0 ? '' : ` and ${percentText(maxIncrease)}`;
  return `more than ${shortNumber(maxRatio)} times the baseline's${besides}`;
}

function errorsOf({ requests, errors }: { readonly requests: number; readonly errors: number }) {
  return { requests, errors };
}
