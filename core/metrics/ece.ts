import type { Condensed, LabelMetric } from './metric.ts';
import { probabilitiesOf } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

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
    let held: Confidences | undefined;
    return (weights) => {
      const sums = new Float64Array(calibrationBins);
      if (weights === undefined) {
        // Asked once, possibly of very many rows: nothing is held of them.
        eachConfidence(sample, (_, best, confidence, own) => {
          const bin = binOf(confidence);
          sums[bin] = (sums[bin] ?? 0) + ((best === own ? 1 : 0) - confidence);
        });
        return sums.reduce((sum, gap) => sum + Math.abs(gap), 0) / sample.actual.length;
      }
      held ??= confidencesOf(sample);
      const { bins, gaps } = held;
      let total = 0;
      for (let row = 0; row < gaps.length; row++) {
        const weight = weights[row] ?? 0;
        const bin = bins[row] ?? 0;
        sums[bin] = (sums[bin] ?? 0) + weight * (gaps[row] ?? Number.NaN);
        total += weight;
      }
      return sums.reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
    };
  },
  condensed: condensedConfidences,
};

interface Confidences {
  /** The class of the largest probability. */
  readonly best: Int32Array;
  readonly confidence: Float64Array;
  readonly bins: Uint8Array;
  /** 1 where the best class is the row's, less the confidence. */
  readonly gaps: Float64Array;
}

function confidencesOf(sample: LabelSample): Confidences {
  const rows = sample.actual.length;
  const of = {
    best: new Int32Array(rows),
    confidence: new Float64Array(rows),
    bins: new Uint8Array(rows),
    gaps: new Float64Array(rows),
  };
  eachConfidence(sample, (row, best, confidence, own) => {
    of.best[row] = best;
    of.confidence[row] = confidence;
    of.bins[row] = binOf(confidence);
    of.gaps[row] = (best === own ? 1 : 0) - confidence;
  });
  return of;
}

/** For each row the class of the largest probability, that probability, and the row's own class. */
function eachConfidence(
  sample: LabelSample,
  take: (row: number, best: number, confidence: number, own: number) => void,
): void {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  for (let row = 0; row < sample.actual.length; row++) {
    let best = 0;
    for (let index = 1; index < width; index++) {
      if ((probabilities[row * width + index] ?? 0) > (probabilities[row * width + best] ?? 0)) best = index;
    }
    take(row, best, probabilities[row * width + best] ?? Number.NaN, sample.actual[row] ?? 0);
  }
}

/** Each bin is cut into this many: what confidences differ by inside of a part is nothing beside being right or wrong. */
const partsOfBin = 4;

/**
 * Rows alike in being right and nearly alike in confidence, in every sample, as one row of their mean confidence. The value stays what it
 * is; a resample loses what the confidences vary by inside of 1/60: less than a thousandth of the variance.
 */
function condensedConfidences(samples: readonly LabelSample[]): Condensed<LabelSample> {
  const confidences = samples.map(confidencesOf);
  const rows = samples[0]?.actual.length ?? 0;
  const cells = new Map<number, { row: number; rows: number; sums: number[] }>();
  for (let row = 0; row < rows; row++) {
    let key = 0;
    for (const { confidence, bins, gaps } of confidences) {
      const bin = bins[row] ?? 0;
      const part = Math.floor(((confidence[row] ?? 0) * calibrationBins - bin) * partsOfBin);
      const right = (gaps[row] ?? 0) + (confidence[row] ?? 0) > 0.5 ? 1 : 0;
      key = (key * calibrationBins + bin) * partsOfBin + Math.max(0, Math.min(partsOfBin - 1, part));
      key = key * 2 + right;
    }
    const cell = cells.get(key) ?? { row, rows: 0, sums: confidences.map(() => 0) };
    if (cell.rows === 0) cells.set(key, cell);
    cell.rows++;
    for (let of = 0; of < confidences.length; of++) {
      cell.sums[of] = (cell.sums[of] ?? 0) + (confidences[of]?.confidence[row] ?? Number.NaN);
    }
  }
  const list = [...cells.values()];
  return {
    samples: samples.map((sample, of) => {
      const width = sample.classes.length;
      const probabilities = new Float64Array(list.length * width);
      for (const [at, { row, rows: count, sums }] of list.entries()) {
        const mean = (sums[of] ?? Number.NaN) / count;
        // Rounding must not move a mean of equal numbers into the next bin.
        const own = confidences[of]?.confidence[row] ?? Number.NaN;
        const kept = binOf(mean) === confidences[of]?.bins[row] ? mean : own;
        probabilities[at * width + (confidences[of]?.best[row] ?? 0)] = kept;
      }
      const at = (values: Int32Array) => Int32Array.from(list, ({ row }) => values[row] ?? 0);
      return { ...sample, actual: at(sample.actual), predicted: at(sample.predicted), probabilities };
    }),
    weights: Float64Array.from(list, ({ rows: count }) => count),
  };
}
