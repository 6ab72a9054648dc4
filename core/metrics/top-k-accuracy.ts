import { hitShare } from './hit-share.ts';
import type { LabelMetric, MetricOptions } from './metric.ts';
import { probabilitiesOf } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

/** As in scikit-learn. */
const defaultK = 2;

/**
 * The share of rows whose class is among the `k` (2) of the highest scores. Of equal scores those of later classes count as higher, and of two
 * classes with `k: 1` the second must be over 0.5: what scikit-learn's `top_k_accuracy_score` does.
 */
export const topKAccuracy: LabelMetric = {
  name: 'top_k_accuracy',
  task: 'classification',
  better: 'higher',
  needs: 'probabilities',
  range: [0, 1],
  unit: 'share',
  interval: 'wilson',
  ...hitShare(hitsOf),
};

/** 1 for each row whose class is among the first. */
function hitsOf(sample: LabelSample, options?: MetricOptions): Float64Array {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  const k = options?.k ?? defaultK;
  const hits = new Float64Array(sample.actual.length);
  for (let row = 0; row < hits.length; row++) {
    const actual = sample.actual[row] ?? 0;
    if (width === 2 && k === 1) {
      const second = (probabilities[row * 2 + 1] ?? Number.NaN) > 0.5;
      hits[row] = second === (actual === 1) ? 1 : 0;
      continue;
    }
    const own = probabilities[row * width + actual] ?? Number.NaN;
    let above = 0;
    for (let index = 0; index < width; index++) {
      const score = probabilities[row * width + index] ?? Number.NaN;
      if (score > own || (score === own && index > actual)) above++;
    }
    hits[row] = above < k ? 1 : 0;
  }
  return hits;
}
