/**
 * One window's bet against "the suspect arm is within its tolerance of the reference arm". Everything that compares two arms at every
 * look multiplies such bets.
 *
 * The lemma. Let arm s have n_s requests with outcomes y in {0, 1} (or in [0, 1]) of mean q_s, arm r likewise, and let the null be
 * q_s <= ratio * q_r + difference. For any centre mu_r, mu_s = ratio * mu_r + difference, and any stakes with
 * ratio * n_s * lambda_s = n_r * lambda_r,
 *
 *     S = prod_s (1 + lambda_s (y - mu_s)) * prod_r (1 - lambda_r (y - mu_r))
 *
 * has E[S] <= exp(n_s lambda_s (q_s - mu_s) - n_r lambda_r (q_r - mu_r)) <= exp((q_r - mu_r)(ratio n_s lambda_s - n_r lambda_r)) = 1,
 * from 1 + x <= exp(x). So it is an e-variable for Bernoulli requests at every rate, whatever the true base rate is, also when
 * requests have different chances (q is then their mean), and centre and stakes may be chosen from all earlier windows.
 * - With the centre at 0 it is the likelihood ratio of errors given their total, Binomial(E, pi): the Poisson conditioning of
 *   Lindon, Sanden and Shirikian ("Rapid regression detection in software deployments through sequential testing", KDD 2022). The lemma
 *   shows that it stays valid for Bernoulli requests; it only wastes the share q of its power, so it is used below `sparseRate`.
 * - With ratio 1, difference 0 and the pooled centre it is the e-variable of Turner, Ly and Gruenwald ("Generic E-variables for exact
 *   sequential k-sample tests that allow for optional stopping", JSPI 230, 2024), growth-optimal for Bernoulli arms.
 * - The betting form for bounded means is that of Waudby-Smith and Ramdas ("Estimating means of bounded random variables by betting",
 *   JRSS-B 86, 2024).
 *
 * Over-dispersion. Let each arm's rate in a window be multiplied by a gamma variable of mean 1 and variance v, the two independent (or
 * positively associated, or one and the same). The mean of exp(t * gamma) is (1 - v t)^(-1/v), so with x = the mean errors times the
 * stake, S stays an e-variable exactly if (1 - v x_s)(1 + v x_r) >= 1, that is 1/x_s - 1/x_r >= v. The reference's stake is raised
 * until that holds; the fee is paid in the reference's errors, so it needs no bound on the rate itself. With v = 0 nothing changes.
 * An exponent 1/phi (tempering) is valid only to second order, and charges the small arm at the big arm's phi (1 + v * mean errors).
 */

/** The null: rate(suspect) <= ratio * rate(reference) + difference. */
export interface Tolerance {
  /** At least 0. 1 is "not worse"; 0 holds the suspect to `difference` alone. */
  readonly ratio: number;
  /** In shares: 0.005 is half a percentage point. */
  readonly difference: number;
}

/** What was known before the window came. Wrong values cost power, except too small a `variance`, which costs validity. */
export interface Prediction {
  /** The baseline's share of errors; 0 when nothing is known. */
  readonly rate: number;
  /** Of the noise that multiplies an arm's rate in one window, relative to the rate: 0 for independent requests. */
  readonly variance: number;
}

/** The alternative a stake is chosen for. */
export interface Alternative {
  /** How many times the odds of the boundary, above 1. */
  readonly multiplier: number;
  readonly suspectRate: number;
  readonly referenceRate: number;
}

/** What the logarithm of S gains by each outcome, and whatever they are (`fee`). */
export interface Bet {
  readonly suspectError: number;
  readonly suspectOther: number;
  readonly referenceError: number;
  readonly referenceOther: number;
  readonly fee: number;
}

/** At rates below it the centre is 0: at most this share of the power is lost, and no guess of the rate is needed. */
const sparseRate = 0.05;

/**
 * The bet on `alternative` for a window of these sizes, or `undefined` where none is worth making (no traffic in an arm, a boundary
 * at 1). `nullReferenceRate` is the reference's rate where the null just holds; it scales the noise.
 */
export function betAgainst(
  tolerance: Tolerance,
  suspectRequests: number,
  referenceRequests: number,
  alternative: Alternative,
  noise: { readonly variance: number; readonly nullReferenceRate: number },
): Bet | undefined {
  if (!(suspectRequests > 0 && referenceRequests > 0 && Number.isFinite(noise.variance))) return undefined;
  const rate = Math.min(alternative.suspectRate, alternative.referenceRate);
  return tolerance.difference === 0 && rate < sparseRate
    ? sparseBet(
        (tolerance.ratio * suspectRequests) / referenceRequests,
        alternative.multiplier,
        noise.variance * noise.nullReferenceRate * referenceRequests,
      )
    : centredBet(tolerance, suspectRequests, referenceRequests, alternative, noise);
}

/** What a bet gained in a window. */
export function gainOf(
  bet: Bet,
  suspectRequests: number,
  suspectErrors: number,
  referenceRequests: number,
  referenceErrors: number,
): number {
  return (
    suspectErrors * bet.suspectError +
    (suspectRequests - suspectErrors) * bet.suspectOther +
    referenceErrors * bet.referenceError +
    (referenceRequests - referenceErrors) * bet.referenceOther -
    bet.fee
  );
}

/**
 * Centre 0. `share` is ratio * n_s / n_r, `noise` the variance times the reference's expected errors. With the fee in the reference's
 * stake, share * lambda / (1 - noise * share * lambda), the growth at the alternative is greatest where a quadratic vanishes; its
 * smaller root, in the form that does not cancel. Without noise it is lambda = (theta - 1) / (theta * share + 1), the conditional
 * likelihood ratio.
 */
function sparseBet(share: number, theta: number, noise: number): Bet | undefined {
  if (!(share > 0 && theta > 1)) return undefined;
  const linear = theta * share * (2 * noise + 1) + 1;
  const square = theta * noise * (noise + 1) * share * share;
  const stake = (2 * (theta - 1)) / (linear + Math.sqrt(linear * linear - 4 * square * (theta - 1)));
  const against = (share * stake) / (1 - noise * share * stake);
  return {
    suspectError: Math.log1p(stake),
    suspectOther: 0,
    referenceError: Math.log1p(-against),
    referenceOther: 0,
    fee: 0,
  };
}

/** The growth is flat at its top: a hundredth of the range is near enough. */
const goldenSteps = 16;
const golden = (Math.sqrt(5) - 1) / 2;

/** Centre between the arms, where the alternative's errors would be pooled; the stake by golden section of the expected growth. */
function centredBet(
  { ratio, difference }: Tolerance,
  suspectRequests: number,
  referenceRequests: number,
  { suspectRate, referenceRate }: Alternative,
  { variance, nullReferenceRate }: { readonly variance: number; readonly nullReferenceRate: number },
): Bet | undefined {
  const pooled =
    (suspectRequests * (suspectRate - difference) + referenceRequests * referenceRate) /
    (ratio * suspectRequests + referenceRequests);
  const lowest = ratio > 0 ? Math.max(0, -difference / ratio) : 0;
  const centre = Math.min(1, Math.max(lowest, pooled));
  const suspectCentre = ratio * centre + difference;
  if (!(suspectCentre >= 0 && suspectCentre < 1 && suspectRate > suspectCentre)) return undefined;

  const betAt = (stake: number): Bet | undefined => {
    const referenceStake = (ratio * suspectRequests * stake) / referenceRequests;
    // The noise of the part of the suspect's rate that has no counterpart in the reference is paid as a fee.
    const alone = variance * suspectRequests * stake * difference;
    if (!(alone < 1 && stake * suspectCentre < 1 && referenceStake * (1 - centre) < 1)) return undefined;
    const fee = variance > 0 ? -Math.log1p(-alone) / variance - suspectRequests * stake * difference : 0;
    let surcharge = 0;
    if (variance > 0 && ratio > 0) {
      const room = (1 - alone) / (ratio * suspectRequests * stake) - variance * nullReferenceRate;
      const needed = 1 / (referenceRequests * room);
      surcharge = (needed - referenceStake) / (1 - referenceStake * (1 - centre));
      if (!(room > 0 && surcharge < 1)) return undefined;
    }
    return {
      suspectError: Math.log1p(stake * (1 - suspectCentre)),
      suspectOther: Math.log1p(-stake * suspectCentre),
      referenceError: Math.log1p(-referenceStake * (1 - centre)) + Math.log1p(-Math.max(0, surcharge)),
      referenceOther: Math.log1p(referenceStake * centre),
      fee,
    };
  };
  const growthAt = (stake: number): number => {
    const bet = betAt(stake);
    if (bet === undefined) return Number.NEGATIVE_INFINITY;
    return gainOf(
      bet,
      suspectRequests,
      suspectRequests * suspectRate,
      referenceRequests,
      referenceRequests * referenceRate,
    );
  };
  let low = 0;
  let high = Math.min(
    suspectCentre > 0 ? 1 / suspectCentre : Number.POSITIVE_INFINITY,
    ratio > 0 && centre < 1 ? referenceRequests / (ratio * suspectRequests * (1 - centre)) : Number.POSITIVE_INFINITY,
  );
  // Without noise and for a ratio of 1 the best stake is known; it is not far from it else.
  if (suspectCentre > 0) {
    high = Math.min(high, (1.5 * (suspectRate - suspectCentre)) / (suspectCentre * (1 - suspectCentre)));
  }
  if (!Number.isFinite(high)) return undefined;
  let left = high - golden * (high - low);
  let right = low + golden * (high - low);
  let leftGrowth = growthAt(left);
  let rightGrowth = growthAt(right);
  for (let step = 0; step < goldenSteps; step++) {
    // Beyond the feasible stakes growth is minus infinity on both sides of the comparison: go left.
    if (leftGrowth >= rightGrowth) {
      high = right;
      right = left;
      rightGrowth = leftGrowth;
      left = high - golden * (high - low);
      leftGrowth = growthAt(left);
    } else {
      low = left;
      left = right;
      leftGrowth = rightGrowth;
      right = low + golden * (high - low);
      rightGrowth = growthAt(right);
    }
  }
  return Math.max(leftGrowth, rightGrowth) > 0 ? betAt(leftGrowth >= rightGrowth ? left : right) : undefined;
}

/** The share whose odds are `times` those of `share`. */
export function timesOdds(share: number, times: number): number {
  return (share * times) / (1 - share + share * times);
}
