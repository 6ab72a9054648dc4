import type { Random } from './random.ts';

/**
 * How many of `trials` independent trials, each with chance `probability`, succeed. Exact: inversion where few successes are
 * expected, else the transformed rejection BTRS (W. Hörmann, "The generation of binomial random variates", 1993).
 */
export function drawBinomial(random: Random, trials: number, probability: number): number {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - drawBinomial(random, trials, 1 - probability);
  return trials * probability < 10 ? invert(random, trials, probability) : reject(random, trials, probability);
}

function invert(random: Random, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  let chance = (1 - probability) ** trials;
  let left = random.unit();
  let successes = 0;
  while (left > chance && successes < trials) {
    left -= chance;
    successes++;
    chance *= (odds * (trials - successes + 1)) / successes;
    // Beyond the last representable chance only rounding is left of `left`.
    if (chance < 1e-300) break;
  }
  return successes;
}

function reject(random: Random, trials: number, probability: number): number {
  const spread = Math.sqrt(trials * probability * (1 - probability));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * probability;
  const centre = trials * probability + 0.5;
  const squeeze = 0.92 - 4.2 / b;
  const odds = probability / (1 - probability);
  const alpha = (2.83 + 5.1 / b) * spread;
  const mode = Math.floor((trials + 1) * probability);
  for (;;) {
    const u = random.unit() - 0.5;
    const v = random.unit();
    const edge = 0.5 - Math.abs(u);
    const successes = Math.floor(((2 * a) / edge + b) * u + centre);
    if (edge >= 0.07 && v <= squeeze) return successes;
    if (!(successes >= 0 && successes <= trials)) continue;
    const height = Math.log((v * alpha) / (a / (edge * edge) + b));
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (trials - mode + 1))) +
      (trials + 1) * Math.log((trials - mode + 1) / (trials - successes + 1)) +
      (successes + 0.5) * Math.log((odds * (trials - successes + 1)) / (successes + 1)) +
      stirlingTail(mode) +
      stirlingTail(trials - mode) -
      stirlingTail(successes) -
      stirlingTail(trials - successes);
    if (height <= bound) return successes;
  }
}

const stirlingTails = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211, 0.0138761288230707,
  0.0118967099458917, 0.010411265261972, 0.0092554621827127, 0.0083305634333628,
];

/** What Stirling's formula leaves of log(k!). */
function stirlingTail(k: number): number {
  const known = stirlingTails[k];
  if (known !== undefined) return known;
  const next = 1 / ((k + 1) * (k + 1));
  return (1 / 12 - (1 / 360 - next / 1260) * next) / (k + 1);
}
