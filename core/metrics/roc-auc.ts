import { delongOfSteps } from '../statistics/index.ts';
import type { LabelMetric, MetricOptions } from './metric.ts';
import { isClass, type Ranking, rankedClasses, ranking, type WeighedSteps } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

/**
 * The area under the ROC curve: the chance that a row of the class scores above a row that is not, ties counting half. Several classes
 * (scikit-learn's `multi_class` and `average`): each against the rest (`ovr`), or every two against each other by the scores of either
 * (`ovo`: D. Hand, R. Till, Machine Learning 45, 2001); their plain mean (`macro`), or `weighted` by rows. NaN when a class has no rows.
 */
export const rocAuc: LabelMetric = {
  name: 'roc_auc',
  task: 'classification',
  better: 'higher',
  needs: 'probabilities',
  range: [0, 1],
  unit: 'none',
  interval: 'delong',
  on(sample, options) {
    const comparisons = comparisonsOf(sample, options);
    const byRows = isByRows(sample, options);
    return (weights) => {
      let sum = 0;
      let total = 0;
      for (const comparison of comparisons) {
        const { area, positives, negatives } = areaOf(comparison.weigh(weights));
        const weight = byRows ? positives + (comparison.isPair ? negatives : 0) : 1;
        sum += weight * area;
        total += weight;
      }
      return sum / total;
    };
  },
  /** Of the averages that DeLong's errors are not those of. */
  influence(sample, options) {
    const comparisons = comparisonsOf(sample, options);
    const byRows = isByRows(sample, options);
    const measured = comparisons.map((comparison) => {
      const of = areaOf(comparison.weigh());
      return { ...of, weight: byRows ? of.positives + (comparison.isPair ? of.negatives : 0) : 1 };
    });
    const total = measured.reduce((sum, { weight }) => sum + weight, 0);
    const value = measured.reduce((sum, { weight, area }) => sum + weight * area, 0) / total;
    const influence = new Float64Array(sample.actual.length);
    for (const [index, comparison] of comparisons.entries()) {
      const { weight = 0, area = Number.NaN } = measured[index] ?? {};
      const ofArea = influenceOnArea(sample, comparison, measured[index] ?? areaOf(comparison.weigh()));
      for (let row = 0; row < influence.length; row++) {
        const weighs = byRows && (comparison.isPair ? comparison.isIn(row) : sample.actual[row] === comparison.index);
        const moved = weight * (ofArea[row] ?? 0) + (weighs ? influence.length * (area - value) : 0);
        influence[row] = (influence[row] ?? 0) + moved / total;
      }
    }
    return influence;
  },
  curve(sample, options) {
    if (isByRows(sample, options) || isOfPairs(sample, options)) return undefined;
    const curves = rankedClasses(sample).map((index) => {
      const { steps, weigh } = ranking(sample, index);
      return delongOfSteps(isClass(sample, index), { steps, ...weigh() });
    });
    const [only, ...others] = curves;
    if (only !== undefined && others.length === 0) return only;
    // Each row has a part in every class's area: the mean of its influences is its influence on the macro average.
    const influence = new Float64Array(sample.actual.length);
    for (const curve of curves) {
      for (let row = 0; row < influence.length; row++) {
        influence[row] = (influence[row] ?? 0) + (curve.influence[row] ?? 0) / curves.length;
      }
    }
    return {
      area: curves.reduce((sum, { area }) => sum + area, 0) / curves.length,
      influence,
      rarer: Math.min(...curves.map(({ rarer }) => rarer)),
    };
  },
};

/** One class's rows against the others', or against those of one other class. */
interface Comparison extends Ranking {
  readonly index: number;
  readonly isPair: boolean;
  /** Whether the row is of either side. */
  isIn(row: number): boolean;
}

function comparisonsOf(sample: LabelSample, options: MetricOptions | undefined): readonly Comparison[] {
  const classes = rankedClasses(sample);
  if (!isOfPairs(sample, options)) {
    return classes.map((index) => ({ ...ranking(sample, index), index, isPair: false, isIn: () => true }));
  }
  return classes.flatMap((index) =>
    classes
      .filter((other) => other !== index)
      .map((other) => ({
        ...ranking(sample, index, other),
        index,
        isPair: true,
        isIn: (row: number) => sample.actual[row] === index || sample.actual[row] === other,
      })),
  );
}

/** Of two classes there is one curve, and nothing to average. */
function isOfPairs({ classes }: LabelSample, options: MetricOptions | undefined): boolean {
  return classes.length > 2 && options?.multiClass === 'ovo';
}

function isByRows({ classes }: LabelSample, options: MetricOptions | undefined): boolean {
  return classes.length > 2 && options?.average === 'weighted';
}

interface Area {
  readonly area: number;
  /** How much the rows on either side weigh. */
  readonly positives: number;
  readonly negatives: number;
}

function areaOf({ positives, negatives }: WeighedSteps): Area {
  let wins = 0;
  let above = 0;
  let others = 0;
  for (let step = 0; step < positives.length; step++) {
    const more = positives[step] ?? 0;
    wins += (negatives[step] ?? 0) * (above + more / 2);
    above += more;
    others += negatives[step] ?? 0;
  }
  return { area: wins / (above * others), positives: above, negatives: others };
}

/** By how much the area moves with a row: its share of rows of the other side that are on the right side of it, less the area. */
function influenceOnArea(
  sample: LabelSample,
  comparison: Comparison,
  { area, positives, negatives }: Area,
): Float64Array {
  const { size } = comparison;
  const steps = comparison.weigh();
  const ofPositive = new Float64Array(size);
  const ofNegative = new Float64Array(size);
  let [above, others] = [0, 0];
  for (let step = 0; step < size; step++) {
    const [more, less] = [steps.positives[step] ?? 0, steps.negatives[step] ?? 0];
    ofPositive[step] = (negatives - others - less / 2) / negatives;
    ofNegative[step] = (above + more / 2) / positives;
    above += more;
    others += less;
  }
  const rows = sample.actual.length;
  return Float64Array.from({ length: rows }, (_, row) => {
    const step = comparison.steps[row] ?? -1;
    if (step < 0) return 0;
    const isPositive = sample.actual[row] === comparison.index;
    const place = (isPositive ? ofPositive : ofNegative)[step] ?? Number.NaN;
    return (rows * (place - area)) / (isPositive ? positives : negatives);
  });
}
