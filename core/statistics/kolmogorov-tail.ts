import { logGamma } from './log-gamma.ts';

/**
 * The chance that the one-sample Kolmogorov-Smirnov statistic of `n` values reaches `distance`, two-sided. As SciPy's `kstwo`: each method
 * where it is exact to 10 digits or so.
 * Source: R. Simard, P. L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution", J. Stat. Softw. 39 (2011).
 */
export function kolmogorovTail(n: number, distance: number): number {
  if (!(Number.isInteger(n) && n >= 1)) throw new RangeError(`${n} is no number of values`);
  if (distance >= 1) return 0;
  const t = n * distance;
  if (t <= 0.5) return 1;
  if (t <= 1) return 1 - Math.exp(logGamma(n + 1) - n * Math.log(n) + n * Math.log(2 * t - 1));
  if (t >= n - 1) return 2 * (1 - distance) ** n;
  const square = t * distance;
  // Both sides at once cannot be that far off, or hardly ever. Of very many values the sum's terms lose too many digits.
  const far = n <= 140 ? 4 : n <= 1_000_000 ? 2.2 : 18;
  if (distance >= 0.5 || square >= far) return Math.min(1, 2 * oneSided(n, distance));
  if (n <= 140 || (n <= 100_000 && n * distance ** 1.5 <= 1.4)) return clip(1 - durbin(n, distance));
  return clip(1 - pelzGood(n, distance));
}

function clip(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}

/** One side alone. Source: Z. Birnbaum, F. Tingey, Ann. Math. Statist. 22 (1951). */
function oneSided(n: number, d: number): number {
  let sum = 0;
  const last = Math.floor(n * (1 - d));
  const logN = logGamma(n + 1);
  for (let j = 0; j <= last; j++) {
    const [up, down] = [d + j / n, 1 - d - j / n];
    if (down < 0 || (down === 0 && n > j)) continue;
    const log = logN - logGamma(j + 1) - logGamma(n - j + 1) + (j - 1) * Math.log(up) + (n - j) * Math.log(down);
    sum += Math.exp(log);
  }
  return d * sum;
}

const scale = 2 ** 128;

/**
 * The chance to stay below `d`, by a power of Durbin's matrix. Source: G. Marsaglia, W. Tsang, J. Wang, "Evaluating Kolmogorov's
 * distribution", J. Stat. Softw. 8 (2003).
 */
function durbin(n: number, d: number): number {
  const k = Math.ceil(n * d);
  const h = k - n * d;
  const size = 2 * k - 1;
  let matrix = new Float64Array(size * size);
  const factorials = new Float64Array(size + 1);
  factorials[0] = 1;
  for (let index = 1; index <= size; index++) factorials[index] = (factorials[index - 1] ?? 0) / index;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= Math.min(row + 1, size - 1); column++) {
      matrix[row * size + column] = factorials[row - column + 1] ?? 0;
    }
  }
  for (let row = 0; row < size; row++) {
    const edge = (1 - h ** (row + 1)) * (factorials[row + 1] ?? 0);
    matrix[row * size] = edge;
    matrix[(size - 1) * size + size - 1 - row] = edge;
  }
  matrix[(size - 1) * size] = (1 - 2 * h ** size + Math.max(2 * h - 1, 0) ** size) * (factorials[size] ?? 0);

  const middle = (k - 1) * size + k - 1;
  let power: Float64Array | undefined;
  let [logPower, logMatrix] = [0, 0];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      power = power === undefined ? matrix : product(power, matrix, size);
      logPower += logMatrix;
    }
    if (left === 1) break;
    matrix = product(matrix, matrix, size);
    logMatrix *= 2;
    if ((matrix[middle] ?? 0) > scale) {
      matrix = matrix.map((value) => value / scale);
      logMatrix += Math.log(scale);
    }
  }
  return Math.exp(Math.log(power?.[middle] ?? 0) + logPower + logGamma(n + 1) - n * Math.log(n));
}

function product(one: Float64Array, other: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let inner = 0; inner < size; inner++) {
      const factor = one[row * size + inner] ?? 0;
      if (factor === 0) continue;
      for (let column = 0; column < size; column++) {
        const at = row * size + column;
        result[at] = (result[at] ?? 0) + factor * (other[inner * size + column] ?? 0);
      }
    }
  }
  return result;
}

/**
 * The chance to stay below `d` among many values: Kolmogorov's limit and three further terms.
 * Source: W. Pelz, I. Good, J. R. Statist. Soc. B 38 (1976).
 */
function pelzGood(n: number, d: number): number {
  const z = Math.sqrt(n) * d;
  const [z2, z3, z4, z6] = [z ** 2, z ** 3, z ** 4, z ** 6];
  const pi2 = Math.PI ** 2;
  if (-pi2 / 8 / z2 < -708) return 0;
  const q = Math.exp(-pi2 / 8 / z2);
  const last = Math.ceil((16 * z) / Math.PI);
  const sums: [number, number, number, number] = [0, 0, 0, 0];
  for (let k = last; k > 0; k--) {
    const odd2 = (2 * k - 1) ** 2;
    const [odd4, odd6] = [odd2 ** 2, odd2 ** 3];
    const terms = [
      1,
      -z2 + (pi2 / 4) * odd2,
      6 * z6 + 2 * z4 + (((2 * z4 - 5 * z2) * pi2) / 4) * odd2 + ((pi2 ** 2 * (1 - 2 * z2)) / 16) * odd4,
      -30 * z6 -
        90 * z ** 8 +
        ((pi2 * (135 * z4 - 96 * z6)) / 4) * odd2 +
        ((pi2 ** 2 * (-60 * z2 + 212 * z4)) / 16) * odd4 +
        ((pi2 ** 3 * (5 - 30 * z2)) / 64) * odd6,
    ];
    for (const index of [0, 1, 2, 3] as const) sums[index] = sums[index] * q ** (8 * k) + (terms[index] ?? 0);
  }
  const root = q * Math.sqrt(2 * Math.PI);
  const [first, second, third, fourth] = sums.map((sum) => sum * root);
  const wide = Math.exp(-pi2 / 2 / z2);
  let [extra3, extra4] = [0, 0];
  for (let k = last; k > 0; k--) {
    const weight = k ** 2 * wide ** (k ** 2);
    extra3 += weight;
    extra4 += (3 * z2 - pi2 * k ** 2) * weight;
  }
  const unit = pi2 * Math.sqrt(2 * Math.PI);
  return (
    (first ?? 0) / z +
    (second ?? 0) / (6 * z4) / Math.sqrt(n) +
    ((third ?? 0) / (72 * z ** 7) - (extra3 * unit) / (36 * z3)) / n +
    ((fourth ?? 0) / (6480 * z ** 10) + (extra4 * unit) / (216 * z6)) / n ** 1.5
  );
}
