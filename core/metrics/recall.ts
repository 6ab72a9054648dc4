import { averaged } from './averaged.ts';

/** Of the rows that are of a class, the share predicted to be. */
export const recall = averaged({ name: 'recall' }, ({ hits, actual }) => ({ numerator: hits, denominator: actual }), {
  isProportion: true,
  sharesRows: true,
});
