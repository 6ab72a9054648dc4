import { meanMetric } from './errors.ts';

/** The mean squared error. */
export const mse = meanMetric({ name: 'mse', unit: 'none' }, (actual, predicted) => (actual - predicted) ** 2);
