import { averaged } from './averaged.ts';

/** Of the rows predicted to be of a class, the share that is. */
export const precision = averaged(
  { name: 'precision' },
  ({ hits, predicted }) => ({ numerator: hits, denominator: predicted }),
  { isProportion: true },
);
