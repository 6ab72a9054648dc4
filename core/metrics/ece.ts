import type { LabelMetric } from './metric.ts';
import { probabilitiesOf } from './probabilities.ts';

/** How many bins of equal width the confidence is cut into. */
export const calibrationBins = 15;

/** The bin of a probability: (0, 1/15], (1/15, 2/15], ...; 0 falls into the first. */
export function binOf(probability: number): number {
  return Math.max(0, Math.min(calibrationBins - 1, Math.ceil(probability * calibrationBins) - 1));
}

/**
 * Expected calibration error: over 15 bins of equal width of the confidence (the largest class probability), the mean of |share right −
 * mean confidence|, weighted by rows. "Right" is whether the class of that largest probability is the row's.
 * Source: C. Guo et al., "On calibration of modern neural networks", ICML 2017. scikit-learn has none.
 */
export const ece: LabelMetric = {
  name: 'ece',
  task: 'classification',
  better: 'lower',
  needs: 'probabilities',
  range: [0, 1],
  unit: 'share',
  interval: 'basic-bootstrap',
  on(sample) {
    const probabilities = probabilitiesOf(sample);
    const width = sample.classes.length;
    const bins = new Uint8Array(sample.actual.length);
    const gaps = Float64Array.from(sample.actual, (actual, row) => {
      let best = 0;
      for (let index = 1; index < width; index++) {
        if ((probabilities[row * width + index] ?? 0) > (probabilities[row * width + best] ?? 0)) best = index;
      }
      const confidence = probabilities[row * width + best] ?? Number.NaN;
      bins[row] = binOf(confidence);
      return (best === actual ? 1 : 0) - confidence;
    });
    return (weights) => {
      const sums = new Float64Array(calibrationBins);
      let total = 0;
      for (let row = 0; row < gaps.length; row++) {
        const weight = weights === undefined ? 1 : (weights[row] ?? 0);
        const bin = bins[row] ?? 0;
        sums[bin] = (sums[bin] ?? 0) + weight * (gaps[row] ?? Number.NaN);
        total += weight;
      }
      return sums.reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
    };
  },
};
