import { normalCdf, type Prediction } from '../../core/statistics/index.ts';
import {
  type AnalysisSettings,
  addExposure,
  type Exposure,
  errorShareTest,
  noExposure,
  openAnalysis,
  powerReached,
  severityAt,
  startErrors,
} from '../analysis/index.ts';
import type { Look } from '../analyst.ts';
import type { SeriesCounts } from '../metrics-source.ts';
import { firstStage, raiseWhileUnsettled, stageAfter } from '../strategy/stages.ts';
import type { Stage, Strategy } from '../strategy/strategy.ts';

/** What a canary is planned for. Times in milliseconds. */
export interface PlanOptions {
  readonly analysis: AnalysisSettings;
  readonly strategy: Strategy;
  readonly lookEvery: number;
  readonly warmUp: number;
  readonly minStage: number;
  readonly maxStage?: number;
  readonly deadline: number;
  /** For how long the baseline is known before the canary's first request. */
  readonly history: number;
  readonly traffic: PlannedTraffic;
}

/** As it is, or is thought to be. */
export interface PlannedTraffic {
  /** Of both arms. */
  readonly requestsPerSecond: number;
  /** The baseline's, as a share. */
  readonly errorRate: number;
  /** Requests over the SLO, as a share. */
  readonly slowShare: number;
  /** Of the noise that multiplies the error rate from look to look, relative to it; 0: errors come independently. */
  readonly noise: number;
}

export interface PlannedStage {
  readonly kind: Stage['kind'];
  /** Percent. */
  readonly weight: number;
  /** Seconds from the canary's first request. */
  readonly startsAt: number;
  /** Seconds; `undefined`: it does not pass in time. */
  readonly lasts?: number;
  /** Of the canary, in this stage; up to the deadline where it does not pass. */
  readonly requests: number;
  /** The error rate that has to be excluded before it passes. */
  readonly excludes: number;
  /** The least of `faultRatios` that is shown by the end of this stage with the policy's power; `undefined`: none. */
  readonly detects?: number;
  /** The chance that a canary that fails `detect_ratio` times as often has been found by the end of this stage. */
  readonly power: number;
}

/** What a canary that fails more often costs until it is rolled back. */
export interface PlannedFault {
  /** Times the baseline's rate. */
  readonly ratio: number;
  readonly rate: number;
  /** Seconds, at which it has been found with a chance of one half; `undefined`: the canary is over before. */
  readonly foundAfter?: number;
  /** Requests of the canary until then, and how many of them are failures that the baseline would not have had. */
  readonly requests: number;
  readonly harmed: number;
}

export interface CanaryPlan {
  readonly stages: readonly PlannedStage[];
  /** Seconds until all passed, for a canary as good as the baseline; `undefined`: not before the deadline. */
  readonly seconds?: number;
  /** All requests of the canary until then. */
  readonly requests: number;
  readonly faults: readonly PlannedFault[];
  /** What was taken for granted, and what the user should know. */
  readonly remarks: readonly string[];
}

const faultRatios: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 20, 50, 100];
const costed: readonly number[] = [1.5, 2, 5, 10];

/**
 * How a canary would go that is exactly as good as the baseline: the strategy and the analysis of a rollout, fed with expected counts. What
 * it can find is worked out from the same bets (`exposure.ts`). Real ones come early or late by chance: `simulate` shows how much.
 */
export function planCanary(options: PlanOptions): CanaryPlan {
  const { analysis, strategy, lookEvery, warmUp, minStage, maxStage = Number.POSITIVE_INFINITY, deadline } = options;
  const { requestsPerSecond, errorRate } = options.traffic;
  const seconds = lookEvery / 1000;
  const arms = { canary: new ExpectedArm(options), baseline: new ExpectedArm(options) };
  const analyst = openAnalysis(analysis)(undefined);
  let number = 0;
  const lookAt = (at: number, stage: Look['stage'], warm: boolean, alone: boolean) =>
    analyst.look({
      number: ++number,
      at,
      stage,
      warmUp: warm,
      reading: {
        canary: alone ? [] : [arms.canary.read('canary', at)],
        baseline: [arms.baseline.read('baseline', at)],
        remarks: [],
      },
    });

  const before = Math.ceil(options.history / lookEvery);
  for (let index = before; index > 0; index--) {
    arms.baseline.serve(requestsPerSecond * seconds, noiseAt(index, options.traffic.noise));
    lookAt(-(index - 1) * lookEvery, { kind: 'step', index: 0, weight: 0, since: 0 }, true, true);
  }
  const power = new PlannedPower(analysis, options.traffic);
  let stage = firstStage(strategy);
  let since = 0;
  let index = 0;
  let passed = 0;
  let requests = 0;
  let inStage = 0;
  const stages: PlannedStage[] = [];
  const finish = (at: number, complete: boolean): void => {
    const { canaryWeight } = stage.traffic;
    const detects = power.detects(analysis.power);
    stages.push({
      kind: stage.kind,
      weight: canaryWeight,
      startsAt: since / 1000,
      ...(complete ? { lasts: (at - since) / 1000 } : {}),
      requests: inStage,
      excludes: power.excludes(canaryWeight),
      ...(detects === undefined ? {} : { detects }),
      power: power.now(),
    });
    inStage = 0;
  };
  const planned = (at?: number): CanaryPlan => ({
    stages,
    ...(at === undefined ? {} : { seconds: at / 1000 }),
    requests,
    faults: power.faults(),
    remarks: remarksOf(options, at === undefined ? stage : undefined),
  });
  lookAt(0, { kind: stage.kind, index, weight: stage.traffic.canaryWeight, since }, true, false);
  for (let at = lookEvery; ; at += lookEvery) {
    if (at > deadline || at - since > maxStage) {
      finish(at, false);
      return planned();
    }
    // Of marked requests nobody knows how many there are; copies are not taken from the baseline.
    const { mirrorPercent, canaryWeight } = stage.traffic;
    const total = requestsPerSecond * seconds;
    const canary = (total * (stage.kind === 'shadow' ? mirrorPercent : canaryWeight)) / 100;
    const baseline = stage.kind === 'shadow' ? total : total - canary;
    const factor = noiseAt(at / lookEvery, options.traffic.noise);
    arms.canary.serve(canary, 1);
    arms.baseline.serve(baseline, factor);
    requests += canary;
    inStage += canary;
    const warm = at - lookEvery < warmUp;
    const analysed = lookAt(at, { kind: stage.kind, index, weight: canaryWeight, since }, warm, false);
    power.add(at, { canary, baseline }, warm);
    const situation = { passed, traffic: stage.traffic, analysed, requestsPerSecond, secondsExposed: 2 * seconds };
    const header = stage.kind === 'header' && at - since >= minStage && canary === 0;
    let after: Stage | undefined;
    if ((analysed.verdict === 'advance' || header) && at - since >= minStage) {
      after = stageAfter(strategy, situation);
      if (after === undefined) {
        finish(at, true);
        return planned(at);
      }
      passed++;
    } else if (at - since >= lookEvery) after = raiseWhileUnsettled(strategy, situation);
    if (after === undefined) continue;
    finish(at, true);
    stage = after;
    since = at;
    index++;
  }

  function noiseAt(turn: number, variance: number): number {
    // Two points of mean 1 and this variance, by turns.
    return 1 + (turn % 2 === 0 ? 1 : -1) * Math.min(0.99, Math.sqrt(variance));
  }

  function remarksOf(
    { analysis: { predictions, agreement, rewards, latency } }: PlanOptions,
    stuck?: Stage,
  ): readonly string[] {
    return [
      ...(stuck === undefined
        ? []
        : [
            `The stage of ${stuck.traffic.canaryWeight} % does not pass before its deadline: give it more traffic, more time, or a larger detect_ratio.`,
          ]),
      ...(strategy.header === undefined
        ? []
        : ['How many requests bear the header is not known: that stage is planned at its least time.']),
      ...(latency === undefined
        ? []
        : [`Planned for ${options.traffic.slowShare * 100} % of the requests over the SLO.`]),
      ...(predictions === undefined ? [] : ['Planned for predictions of ten classes, each as frequent.']),
      ...(agreement === undefined
        ? []
        : ['Planned for answers that agree as often as is half-way from the bound to always.']),
      ...(rewards.length === 0
        ? []
        : ['Planned for rewards in the middle of their range, that spread by a quarter of it.']),
      ...(errorRate === 0
        ? ['No errors at the baseline: what is found is given for one error in a thousand requests.']
        : []),
    ];
  }
}

/** Counters of one arm that grow as is expected. */
class ExpectedArm {
  readonly #options: PlanOptions;
  #requests = 0;
  #errors = 0;

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  serve(requests: number, factor: number): void {
    this.#requests += requests;
    this.#errors += requests * Math.min(1, this.#options.traffic.errorRate * factor);
  }

  read(id: string, at: number): SeriesCounts {
    const requests = this.#requests;
    const { analysis, traffic } = this.#options;
    const { latency, predictions, agreement, rewards } = analysis;
    const agreed = agreement === undefined ? 0 : (1 + agreement.min) / 2;
    const middle = rewards.map(({ name, lowest, highest }) => {
      const [mean, spread] = [(lowest + highest) / 2, (highest - lowest) / 4];
      return [name, { sum: requests * mean, count: requests, squares: requests * (mean ** 2 + spread ** 2) }] as const;
    });
    const means = [
      ...(agreement === undefined ? [] : [['agreement', { sum: requests * agreed, count: requests }] as const]),
      ...middle,
    ];
    return {
      id,
      requests,
      errors: this.#errors,
      ...(latency === undefined
        ? {}
        : {
            latency: {
              edges: [latency.sloMs / 1000, Number.POSITIVE_INFINITY],
              cumulative: [requests * (1 - traffic.slowShare), requests],
            },
          }),
      ...(predictions === undefined
        ? {}
        : {
            predictions: Object.fromEntries(
              Array.from({ length: 10 }, (_, index) => [`class ${index}`, requests / 10]),
            ),
          }),
      ...(means.length === 0 ? {} : { means: Object.fromEntries(means) }),
      at,
    };
  }
}

interface Followed {
  readonly ratio: number;
  exposure: Exposure;
  foundAt?: { readonly at: number; readonly requests: number };
}

/** What faults of some sizes would have added to the evidence on errors so far. */
class PlannedPower {
  readonly #analysis: AnalysisSettings;
  readonly #prediction: Prediction;
  readonly #followed: readonly Followed[];
  readonly #threshold: number;
  #requests = 0;

  constructor(analysis: AnalysisSettings, { errorRate, noise }: PlannedTraffic) {
    this.#analysis = analysis;
    this.#prediction = { rate: errorRate > 0 ? errorRate : 0.001, variance: noise };
    const ratios = new Set([...faultRatios, ...costed, analysis.errors?.detectRatio ?? 2]);
    this.#followed = [...ratios].sort((one, other) => one - other).map((ratio) => ({ ratio, exposure: noExposure }));
    const { errors, latency, predictions, agreement, rewards } = analysis;
    const shares = [errors, latency, predictions, agreement, ...rewards].map((each) => each?.share ?? 0);
    const own = (errors?.share ?? 0) / shares.reduce((sum, share) => sum + share, 0);
    this.#threshold = own > 0 ? -Math.log(analysis.falseRollback * own) : Number.POSITIVE_INFINITY;
  }

  add(at: number, requests: { readonly canary: number; readonly baseline: number }, warm: boolean): void {
    this.#requests += requests.canary;
    if (warm || !(requests.canary > 0 && requests.baseline > 0) || this.#analysis.errors === undefined) return;
    for (const each of this.#followed) {
      each.exposure = addExposure(each.exposure, this.#testOf(each.ratio), requests, this.#prediction);
      if (each.foundAt === undefined && this.#powerOf(each) >= 0.5) each.foundAt = { at, requests: this.#requests };
    }
  }

  excludes(weight: number): number {
    const { errors } = this.#analysis;
    if (errors === undefined) return 1;
    return Math.min(
      1,
      errorShareTest(errors, startErrors(errors)).harmedShare(this.#prediction.rate, severityAt(weight)),
    );
  }

  detects(power: number): number | undefined {
    return this.#followed.find((each) => faultRatios.includes(each.ratio) && this.#powerOf(each) >= power)?.ratio;
  }

  now(): number {
    const wanted = this.#analysis.errors?.detectRatio;
    const found = this.#followed.find(({ ratio }) => ratio === wanted);
    return found === undefined ? 0 : this.#powerOf(found);
  }

  faults(): readonly PlannedFault[] {
    const { rate } = this.#prediction;
    return this.#followed
      .filter(({ ratio }) => costed.includes(ratio) && ratio * rate <= 1)
      .map(({ ratio, foundAt }) => {
        const requests = foundAt?.requests ?? this.#requests;
        return {
          ratio,
          rate: ratio * rate,
          ...(foundAt === undefined ? {} : { foundAfter: foundAt.at / 1000 }),
          requests,
          harmed: requests * (ratio - 1) * rate,
        };
      });
  }

  #testOf(ratio: number) {
    const { errors } = this.#analysis;
    const { tolerance, grid } = startErrors(
      errors ?? { share: 0, maxRatio: 1, maxIncrease: 0, detectRatio: 2, detectIncrease: 0.01 },
    );
    return { tolerance, grid, harmedShare: (rate: number) => rate * ratio };
  }

  #powerOf({ ratio, exposure }: Followed): number {
    const test = this.#testOf(ratio);
    const keptBack = -Math.log1p(-0.2);
    return powerReached(exposure, test, this.#prediction.rate, 1, { threshold: this.#threshold, keptBack }, normalCdf);
  }
}
