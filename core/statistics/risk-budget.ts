export interface RiskBudget {
  /** How many requests the rollout may harm in expectation, in all. Above 0. */
  readonly harmedRequests: number;
}

export interface RiskSituation {
  /** The canary's requests so far. */
  readonly canaryRequests: number;
  /**
   * An upper bound on the extra share of requests that the canary harms (`errorUpperBound` of a difference), in [0, 1]; 1 while nothing
   * is known.
   */
  readonly excessUpper: number;
  /** Of both arms together. */
  readonly requestsPerSecond: number;
  /** How long the next weight will stand before it can be taken back: until the next look, with the delay of scrape and route. */
  readonly secondsExposed: number;
  /** The present share, in [0, 1]. */
  readonly weight: number;
}

export interface WeightLimits {
  readonly lowest: number;
  readonly highest: number;
  /** The next weight is at most so many times the present one (from 0: `lowest`). */
  readonly growth: number;
}

export interface NextWeight {
  readonly weight: number;
  /** Requests that may have been harmed so far, at the upper bound. */
  readonly spent: number;
  /** Requests that the next weight may harm until it can be taken back. */
  readonly atRisk: number;
}

/**
 * The next weight, as large as the risk budget allows: harm so far at its upper bound, plus the weight's requests until the next look times
 * that bound, may not exceed the budget. As evidence lowers the bound, the same budget buys a larger share; without evidence the bound
 * is 1 and every request counts as harmed. The weight is never below `limits.lowest`: to go back to nothing is the e-process' decision,
 * not the budget's. Without any traffic it stays as it is.
 * Throws a `RangeError` for values out of range.
 */
export function nextWeight(budget: RiskBudget, situation: RiskSituation, limits: WeightLimits): NextWeight {
  const { canaryRequests, excessUpper, requestsPerSecond, secondsExposed, weight } = situation;
  const inRange =
    budget.harmedRequests > 0 &&
    canaryRequests >= 0 &&
    excessUpper >= 0 &&
    excessUpper <= 1 &&
    requestsPerSecond >= 0 &&
    secondsExposed > 0 &&
    weight >= 0 &&
    weight <= 1 &&
    limits.lowest > 0 &&
    limits.lowest <= limits.highest &&
    limits.highest <= 1 &&
    limits.growth > 1;
  if (!inRange) throw new RangeError('a weight, bound or rate of the risk budget is out of range');
  const spent = canaryRequests * excessUpper;
  const exposed = requestsPerSecond * secondsExposed * excessUpper;
  const affordable = exposed > 0 ? Math.max(0, budget.harmedRequests - spent) / exposed : 1;
  const grown = weight > 0 ? weight * limits.growth : limits.lowest;
  const next = Math.min(limits.highest, Math.max(limits.lowest, Math.min(grown, affordable)));
  const chosen = requestsPerSecond === 0 ? weight : next;
  return { weight: chosen, spent, atRisk: chosen * exposed };
}
