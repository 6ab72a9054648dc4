/**
 * The logarithm of the gamma function for `x > 0`, to 13 digits: Stirling's series (DLMF 5.11.1) from 10 on, below by the recurrence.
 */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`the gamma function is wanted above 0, not at ${x}`);
  let shift = 0;
  let z = x;
  while (z < 10) {
    shift += Math.log(z);
    z += 1;
  }
  const inverse = 1 / (z * z);
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188))))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}
