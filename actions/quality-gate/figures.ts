import {
  type CurvePoints,
  calibrationCurve,
  confusionMatrix,
  type LabelSample,
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
  if (candidate.classes.length === 2 && candidate.probabilities !== undefined && new Set(candidate.actual).size === 2) {
    const curves = (of: (sample: LabelSample) => CurvePoints): readonly Curve[] => [
      { name: 'candidate', ...thinned(of(candidate)) },
      ...(other?.probabilities === undefined ? [] : [{ name: 'baseline' as const, ...thinned(of(other)) }]),
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

function thinned({ x, y, summary }: CurvePoints): CurvePoints {
  return { x: evenly(x, mostPoints), y: evenly(y, mostPoints), summary };
}

/** At most `most` values, evenly spaced by position, the first and the last among them. */
export function evenly(values: ArrayLike<number>, most: number): number[] {
  if (values.length <= most) return Array.from(values);
  return Array.from(
    { length: most },
    (_, index) => values[Math.round((index * (values.length - 1)) / (most - 1))] ?? 0,
  );
}
