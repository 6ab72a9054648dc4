import {
  type CurvePoints,
  calibrationCurve,
  confusionMatrix,
  type LabelSample,
  positionsOf,
  precisionRecallCurve,
  rocCurve,
  type ValueSample,
} from '../../core/metrics/index.ts';
import type { Curve, Figure } from '../../core/report/index.ts';
import type { Subject } from './subject.ts';

/** Points a curve, and rows a scatter plot, are thinned to. */
const mostPoints = 300;
const mostRows = 500;
/** More classes than this are no matrix that anyone reads. */
const mostClasses = 20;

/** The plots of the candidate beside the baseline that the task and the outputs allow. */
export function figuresOf(subject: Subject): readonly Figure[] {
  if (subject.broken !== undefined) return [];
  const { candidate, baseline } = subject.pair;
  if (candidate.task === 'regression') {
    return [residuals(candidate, baseline?.task === 'regression' ? baseline : undefined)];
  }
  if (candidate.task === 'multilabel' || candidate.task === 'ranking') return [];
  const other = baseline?.task === 'classification' ? baseline : undefined;
  const figures: Figure[] = [];
  if (candidate.classes.length === 2 && candidate.probabilities !== undefined && haveTwo(candidate.actual)) {
    const curves = (of: (sample: LabelSample, most: number) => CurvePoints): readonly Curve[] => [
      { name: 'candidate', ...of(candidate, mostPoints) },
      ...(other?.probabilities === undefined ? [] : [{ name: 'baseline' as const, ...of(other, mostPoints) }]),
    ];
    figures.push(
      { kind: 'roc', id: 'roc', title: 'ROC', curves: curves(rocCurve) },
      {
        kind: 'precision_recall',
        id: 'precision-recall',
        title: 'Precision and recall',
        curves: curves(precisionRecallCurve),
      },
    );
    if (subject.notProbabilities === undefined) {
      figures.push({ kind: 'calibration', id: 'calibration', title: 'Calibration', curves: curves(calibrationCurve) });
    }
  }
  if (candidate.classes.length <= mostClasses) {
    figures.push({
      kind: 'confusion',
      id: 'confusion',
      title: 'Confusion matrix',
      labels: candidate.classes,
      counts: confusionMatrix(candidate),
    });
  }
  return figures;
}

function residuals(candidate: ValueSample, baseline: ValueSample | undefined): Figure {
  const series = (name: Curve['name'], { actual, predicted }: ValueSample) => ({
    name,
    actual: evenly(actual, mostRows),
    predicted: evenly(predicted, mostRows),
  });
  return {
    kind: 'residuals',
    id: 'residuals',
    title: 'Actual and predicted',
    series: [series('candidate', candidate), ...(baseline === undefined ? [] : [series('baseline', baseline)])],
  };
}

/** Whether both of two classes are there. */
function haveTwo(actual: Int32Array): boolean {
  return actual.some((label) => label !== actual[0]);
}

/** At most `most` values, evenly spaced by position, the first and the last among them. */
export function evenly(values: ArrayLike<number>, most: number): number[] {
  return positionsOf(values.length, most).map((position) => values[position] ?? 0);
}
