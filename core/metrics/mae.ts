import { meanMetric } from './errors.ts';

/** The mean absolute error. */
export const mae = meanMetric({ name: 'mae', unit: 'target' }, (actual, predicted) => Math.abs(actual - predicted));
