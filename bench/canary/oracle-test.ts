import type { ArmCounts } from '../../core/statistics/index.ts';

/**
 * The limit for any test: Wald's sequential probability ratio test that is told both error rates and the noise's variance, and so needs
 * no baseline. Errors of a window are Poisson, or with noise negative binomial (a gamma mixture of Poissons).
 * Source: A. Wald, "Sequential tests of statistical hypotheses", 1945.
 */
export function oracleGain(canary: ArmCounts, healthyRate: number, faultyRate: number, variance: number): number {
  const healthy = canary.requests * healthyRate;
  const faulty = canary.requests * faultyRate;
  const byErrors = canary.errors * Math.log(faultyRate / healthyRate);
  if (variance === 0) return byErrors - (faulty - healthy);
  const shape = 1 / variance;
  return byErrors + (canary.errors + shape) * Math.log((shape + healthy) / (shape + faulty));
}
