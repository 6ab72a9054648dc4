import { meanMetric } from './errors.ts';

/** The root of the mean squared error. */
export const rmse = meanMetric({ name: 'rmse', unit: 'target' }, (actual, predicted) => (actual - predicted) ** 2, {
  of: Math.sqrt,
  slope: (mean) => 1 / (2 * Math.sqrt(mean)),
});
