import { meanMetric } from './errors.ts';

/** The mean of |error| / |actual|, a share (0.05: 5 %), the divisor at least ε = 2⁻⁵² as in scikit-learn: an actual of 0 makes it huge. */
export const mape = meanMetric(
  { name: 'mape', unit: 'share' },
  (actual, predicted) => Math.abs(predicted - actual) / Math.max(Math.abs(actual), Number.EPSILON),
);
