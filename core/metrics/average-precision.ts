import type { LabelMetric } from './metric.ts';
import { rankedClasses, ranking } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

/**
 * The area under the precision-recall curve as the step sum Σ (R_n − R_{n−1}) P_n, without interpolation. Several classes: each against
 * the rest, macro average. NaN when a class has no rows (scikit-learn warns and gives 0; no judgement should rest on that).
 */
export const averagePrecision: LabelMetric = {
  name: 'average_precision',
  task: 'classification',
  better: 'higher',
  needs: 'probabilities',
  range: [0, 1],
  unit: 'none',
  interval: 'bootstrap',
  on(sample) {
    const rankings = rankedClasses(sample).map((index) => ranking(sample, index));
    return (weights) => {
      let sum = 0;
      for (const { weigh } of rankings) {
        const { positives, negatives } = weigh(weights);
        let found = 0;
        let seen = 0;
        let area = 0;
        for (let step = 0; step < positives.length; step++) {
          const more = positives[step] ?? 0;
          found += more;
          seen += more + (negatives[step] ?? 0);
          if (more > 0) area += (more * found) / seen;
        }
        sum += area / found;
      }
      return sum / rankings.length;
    };
  },
  influence(sample) {
    const classes = rankedClasses(sample);
    const influence = new Float64Array(sample.actual.length);
    for (const index of classes) addInfluence(sample, index, 1 / classes.length, influence);
    return influence;
  },
};

/**
 * The derivative of the step sum by each row's weight, times the rows. A row of the class adds its own precision, and every row changes
 * the precision at each score that is not above its own.
 */
function addInfluence(sample: LabelSample, index: number, share: number, influence: Float64Array): void {
  const { weigh, steps, size } = ranking(sample, index);
  const { positives, negatives } = weigh();
  let found = 0;
  let rows = 0;
  let area = 0;
  for (let step = 0; step < size; step++) {
    const more = positives[step] ?? 0;
    found += more;
    rows += more + (negatives[step] ?? 0);
    area += (more * found) / rows;
  }
  area /= found;
  // From the lowest score up: what a row of the class, and any row, adds to the precisions of the scores not above its own.
  const ofClass = new Float64Array(size);
  const ofAny = new Float64Array(size);
  let [gained, lost] = [0, 0];
  let [foundAbove, seen] = [found, rows];
  for (let step = size - 1; step >= 0; step--) {
    const more = positives[step] ?? 0;
    const weight = more / seen;
    const precision = foundAbove / seen;
    gained += weight;
    lost += weight * precision;
    ofClass[step] = precision - area + gained;
    ofAny[step] = lost;
    foundAbove -= more;
    seen -= more + (negatives[step] ?? 0);
  }
  const scale = (share * influence.length) / found;
  for (let row = 0; row < influence.length; row++) {
    const step = steps[row] ?? 0;
    const own = sample.actual[row] === index ? (ofClass[step] ?? 0) : 0;
    influence[row] = (influence[row] ?? 0) + scale * (own - (ofAny[step] ?? 0));
  }
}
