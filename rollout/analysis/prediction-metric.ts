import {
  type DistributionTest,
  distanceLowerBound,
  distanceUpperBound,
  startDistributionTest,
  totalVariation,
  updateDistributionTest,
} from '../../core/statistics/index.ts';
import { counted } from '../../core/text/index.ts';
import { type ArmWindow, addPredictions } from './arm-window.ts';
import { type Metric, percentText } from './metric.ts';
import type { PredictionSettings } from './settings.ts';
import { calmNoise, compared, noComparison, type ShareComparison, withNoise } from './share-comparison.ts';

export interface PredictionState {
  /** Fixed once both arms have predicted so much; whatever comes later is one more class, the last. */
  readonly classes?: readonly string[];
  readonly test?: DistributionTest;
  /** Until then. */
  readonly waiting: { readonly canary: ArmWindow['predictions']; readonly baseline: ArmWindow['predictions'] };
  /** Of the baseline's most frequent class, for the noise. */
  readonly comparison: ShareComparison;
  readonly most?: string;
}

/** Predictions of each arm before the classes are fixed; they are evidence of nothing. */
const enoughToName = 50;
const mostClasses = 30;
/** Until it is measured: the share of a class varies from look to look by a seventh. */
const presumedNoise = 0.02;

/** How far apart the two arms' predictions are distributed. */
export function predictionMetric({ share, maxShift, detectShift }: PredictionSettings): Metric<PredictionState> {
  const parameters = [0.5, 1, 2, 4].map((times) => times * maxShift).filter((value) => value < 1);
  const atMaximum = parameters.indexOf(maxShift);
  return {
    name: 'predictions',
    share,
    start: () => ({ waiting: { canary: [], baseline: [] }, comparison: noComparison }),
    learn(state, { predictions }) {
      const requests = totalOf(predictions);
      if (requests === 0) return state;
      const most = state.most ?? predictions.reduce((best, each) => (each[1] > best[1] ? each : best))[0];
      const errors = new Map(predictions).get(most) ?? 0;
      return { ...state, most, comparison: withNoise(state.comparison, { requests, errors }) };
    },
    update(state, { canary, baseline }) {
      const { classes, test } = state;
      if (classes === undefined || test === undefined) {
        const waiting = {
          canary: addPredictions(state.waiting.canary, canary.predictions),
          baseline: addPredictions(state.waiting.baseline, baseline.predictions),
        };
        if (Math.min(totalOf(waiting.canary), totalOf(waiting.baseline)) < enoughToName) return { ...state, waiting };
        const all = addPredictions(waiting.canary, waiting.baseline);
        const named = all.toSorted((one, other) => other[1] - one[1]).slice(0, mostClasses);
        return {
          ...state,
          waiting: { canary: [], baseline: [] },
          classes: named.map(([name]) => name),
          test: startDistributionTest(named.length + 1, parameters),
        };
      }
      const counts = { canary: countsOf(classes, canary), baseline: countsOf(classes, baseline) };
      const [canaryTotal, baselineTotal] = [totalOf(canary.predictions), totalOf(baseline.predictions)];
      return {
        ...state,
        test: updateDistributionTest(test, counts, calmNoise(state.comparison.noise, presumedNoise).variance),
        comparison: compared(state.comparison, {
          canary: { requests: canaryTotal, errors: 0 },
          baseline: { requests: baselineTotal, errors: 0 },
        }),
      };
    },
    evidence({ test, comparison }, { threshold, falsePass, severity }) {
      const common = {
        metric: 'predictions',
        logEvidence: test?.evidence.highest[atMaximum] ?? 0,
        threshold,
        canary: { requests: comparison.canary.requests, events: 0 },
        baseline: { requests: comparison.baseline.requests, events: 0 },
      };
      if (test === undefined || comparison.canary.requests === 0) {
        return { ...common, says: 'no-data', message: 'too few predictions of both arms to name the classes' };
      }
      const estimate = totalVariation(test);
      const upper = distanceUpperBound(test, falsePass);
      const shown = {
        ...common,
        effect: { kind: 'share' as const, estimate, lower: distanceLowerBound(test, falsePass), upper },
      };
      const apart = `${percentText(estimate)} of ${counted(common.canary.requests, 'canary prediction')} fall into other classes than the baseline's`;
      if (common.logEvidence >= threshold) {
        return { ...shown, says: 'harm', message: `${apart}: shown to be more than ${percentText(maxShift)}` };
      }
      const excluded = Math.min(0.95, maxShift + (detectShift - maxShift) * severity);
      if (upper <= excluded) {
        return { ...shown, says: 'harmless', message: `${apart}: shown to be below ${percentText(excluded)}` };
      }
      const message = `${apart}; at most ${percentText(upper)}, and ${percentText(excluded)} has to be excluded`;
      return { ...shown, says: 'unsettled', message };
    },
  };
}

function countsOf(classes: readonly string[], { predictions }: ArmWindow): readonly number[] {
  const found = new Map(predictions);
  const named = classes.map((name) => found.get(name) ?? 0);
  const others = totalOf(predictions) - named.reduce((sum, count) => sum + count, 0);
  return [...named, Math.max(0, others)];
}

function totalOf(predictions: ArmWindow['predictions']): number {
  return predictions.reduce((sum, [, count]) => sum + count, 0);
}
