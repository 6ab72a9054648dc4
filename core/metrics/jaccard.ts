import { averaged } from './averaged.ts';

/**
 * Of the rows that are of a class or predicted to be, the share that is both: the intersection over the union. scikit-learn's
 * `jaccard_score`.
 */
export const jaccard = averaged(
  { name: 'jaccard' },
  ({ hits, actual, predicted }) => ({ numerator: hits, denominator: actual + predicted - hits }),
  { isProportion: true, microIsAccuracy: false },
);
