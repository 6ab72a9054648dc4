import { logGamma } from './log-gamma.ts';

const most = 100_000;

/**
 * The chance that a chi-square variable of `degrees` exceeds `value`: the upper incomplete gamma function, below the mean by its series,
 * above by Lentz's continued fraction (DLMF 8.11.4, 8.9.2), to 11 digits.
 */
export function chiSquareTail(degrees: number, value: number): number {
  if (!(degrees > 0)) throw new RangeError(`a chi-square variable cannot have ${degrees} degrees of freedom`);
  if (!(value > 0)) return 1;
  const [a, x] = [degrees / 2, value / 2];
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (front === 0) return x > a ? 0 : 1;
  return x < a + 1 ? 1 - front * series(a, x) : front * fraction(a, x);
}

function series(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < most && term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function fraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let result = d;
  for (let n = 1; n < most; n++) {
    const step = -n * (n - a);
    b += 2;
    d = 1 / (step * d + b);
    c = b + step / c;
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return result;
}
