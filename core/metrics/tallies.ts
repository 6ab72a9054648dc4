import type { PairedCounts } from '../statistics/index.ts';
import type { RowWeights } from './metric.ts';
import type { LabelSample } from './sample.ts';

/** What every metric of labels is made from: the confusion matrix's diagonal and margins, per class. */
export interface Tallies {
  readonly hits: Float64Array;
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly total: number;
}

/** By sample, for as long as it lives: each metric of labels asks for the same. */
const tallied = new WeakMap<LabelSample, Tallies>();

/** Not to be written to. */
export function talliesOf(sample: LabelSample, weights?: RowWeights): Tallies {
  if (weights !== undefined) return countedBy(sample, weights);
  const found = tallied.get(sample) ?? countedBy(sample, undefined);
  tallied.set(sample, found);
  return found;
}

function countedBy(sample: LabelSample, weights: RowWeights | undefined): Tallies {
  const size = sample.classes.length;
  const hits = new Float64Array(size);
  const actual = new Float64Array(size);
  const predicted = new Float64Array(size);
  let total = 0;
  for (let row = 0; row < sample.actual.length; row++) {
    const weight = weights === undefined ? 1 : (weights[row] ?? 0);
    const is = sample.actual[row] ?? 0;
    const says = sample.predicted[row] ?? 0;
    actual[is] = (actual[is] ?? 0) + weight;
    predicted[says] = (predicted[says] ?? 0) + weight;
    if (is === says) hits[is] = (hits[is] ?? 0) + weight;
    total += weight;
  }
  return { hits, actual, predicted, total };
}

/** The rows that only one of two models has right, of all rows or of those of one class. */
export function pairedHits(candidate: LabelSample, baseline: LabelSample, ofClass?: number): PairedCounts {
  let [won, lost, rows] = [0, 0, 0];
  for (let row = 0; row < candidate.actual.length; row++) {
    const is = candidate.actual[row];
    if (ofClass !== undefined && is !== ofClass) continue;
    rows++;
    const right = candidate.predicted[row] === is;
    if (right === (baseline.predicted[row] === is)) continue;
    if (right) won++;
    else lost++;
  }
  return { won, lost, rows };
}
