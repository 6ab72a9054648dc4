import {
  estimateNoise,
  type MeanBounds,
  meanLowerBound,
  meanUpperBound,
  type NoiseRecord,
  noNoiseRecord,
  recordNoise,
  scaleSums,
  startMeanBounds,
  updateMeanBounds,
  type ValueSums,
} from '../../core/statistics/index.ts';
import { counted, excerpt } from '../../core/text/index.ts';
import type { ArmWindow } from './arm-window.ts';
import { type Metric, shortNumber } from './metric.ts';
import type { RewardSettings } from './settings.ts';

export interface RewardState {
  readonly bounds: MeanBounds;
  /** The baseline's sums of values against each other; values in [0, 1] vary at most as ones and noughts of their mean do. */
  readonly noise: NoiseRecord;
  /** Windows with values outside the range. */
  readonly outside: number;
}

/** A mean of values in a known range, canary against baseline. */
export function rewardMetric(settings: RewardSettings): Metric<RewardState> {
  const { name, share, better, lowest, highest, maxLoss, detectLoss } = settings;
  const range = highest - lowest;
  const [tolerated, detected] = [maxLoss / range, detectLoss / range];
  const half = [0.5, 1, 1.5, 2, 3, 4, 6, 8].map((times) => times * tolerated).filter((value) => value < 1);
  const parameters = [...new Set([...half.map((value) => -value), 0, ...half].map((value) => value + 0))].sort(
    (a, b) => a - b,
  );
  /** What is tested is the loss: 1 - y where higher is better. */
  const lossesOf = (window: ArmWindow): ValueSums | 'outside' | undefined => {
    const found = new Map(window.means).get(name);
    if (found === undefined || found.count === 0) return undefined;
    const { count, sum } = found;
    // Without squares the most they can be: at each end of the range.
    const squares = found.squares ?? sum * (lowest + highest) - count * lowest * highest;
    try {
      const scaled = scaleSums({ count, sum, squares }, lowest, highest);
      if (better === 'lower') return scaled;
      return { count, sum: count - scaled.sum, squares: count - 2 * scaled.sum + scaled.squares };
    } catch (error) {
      if (error instanceof RangeError) return 'outside';
      throw error;
    }
  };
  return {
    name: `reward/${name}`,
    share,
    start: () => ({ bounds: startMeanBounds(parameters), noise: noNoiseRecord, outside: 0 }),
    learn(state, baseline) {
      const losses = lossesOf(baseline);
      if (losses === undefined || losses === 'outside') return state;
      const errors = Math.min(losses.count, Math.max(0, losses.sum));
      return { ...state, noise: recordNoise(state.noise, { requests: losses.count, errors }) };
    },
    update(state, window) {
      const [canary, baseline] = [lossesOf(window.canary), lossesOf(window.baseline)];
      if (canary === 'outside' || baseline === 'outside') return { ...state, outside: state.outside + 1 };
      if (canary === undefined || baseline === undefined) return state;
      const inflation = estimateNoise(state.noise).upperInflation;
      return { ...state, bounds: updateMeanBounds(state.bounds, { canary, baseline }, inflation) };
    },
    evidence({ bounds, outside }, { threshold, falsePass, severity }) {
      const { canary, baseline } = bounds;
      const logEvidence = bounds.above.highest[parameters.indexOf(tolerated)] ?? 0;
      const common = {
        metric: `reward/${excerpt(name)}`,
        logEvidence,
        threshold,
        canary: { requests: canary.count, events: 0 },
        baseline: { requests: baseline.count, events: 0 },
      };
      if (canary.count === 0 || baseline.count === 0) {
        const why =
          outside > 0
            ? `values lie outside ${shortNumber(lowest)} to ${shortNumber(highest)}`
            : 'no window had values of both arms yet';
        return { ...common, says: 'no-data', message: why };
      }
      const estimate = canary.sum / canary.count - baseline.sum / baseline.count;
      const [lower, upper] = [meanLowerBound(bounds, falsePass / 2), meanUpperBound(bounds, falsePass / 2)];
      const shown = { ...common, effect: { kind: 'difference' as const, estimate, lower, upper } };
      const inUnit = (loss: number): string => shortNumber(loss * range);
      const meanOf = ({ sum, count }: ValueSums): string =>
        shortNumber(lowest + range * (better === 'lower' ? sum / count : 1 - sum / count));
      const means = `a mean of ${meanOf(canary)} over ${counted(canary.count, 'canary value')}, ${meanOf(baseline)} of the baseline`;
      if (logEvidence >= threshold) {
        return { ...shown, says: 'harm', message: `${means}: shown to be worse by more than ${shortNumber(maxLoss)}` };
      }
      const excluded = tolerated + (detected - tolerated) * severity;
      if (upper <= excluded) {
        return { ...shown, says: 'harmless', message: `${means}: shown to be worse by less than ${inUnit(excluded)}` };
      }
      return { ...shown, says: 'unsettled', message: `${means}; a loss of ${inUnit(excluded)} is not excluded yet` };
    },
  };
}
