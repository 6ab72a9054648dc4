import { InputError, type Problem } from '../../core/problem/index.ts';

/** Every metric has its part of the chance of a false rollback, in proportion to `share`; 0: it is shown, and decides nothing. */
interface Watched {
  readonly share: number;
}

/**
 * Errors: harm is a rate of the canary beyond `maxRatio` times the baseline's plus `maxIncrease`. Harmless is what was shown to be below, or
 * would have been shown to be above, `detectRatio` times the baseline's (at least `detectIncrease` more: a baseline without any errors has
 * no multiples).
 */
export interface ErrorSettings extends Watched {
  readonly maxRatio: number;
  /** In shares: 0.001 is a tenth of a percentage point. */
  readonly maxIncrease: number;
  readonly detectRatio: number;
  readonly detectIncrease: number;
}

/** Latency: the share of requests above the histogram's edge at or next above `sloMs`, canary less baseline; and of any other edge from a quarter of `sloMs`. */
export interface LatencySettings extends Watched {
  readonly sloMs: number;
  readonly maxShareIncrease: number;
  readonly detectShareIncrease: number;
}

/** Predictions: the largest difference of probability over all sets of classes (total variation distance). */
export interface PredictionSettings extends Watched {
  readonly maxShift: number;
  readonly detectShift: number;
}

/** The mean `agreement` of the canary's series: the share of copied requests that both arms answered alike. */
export interface AgreementSettings extends Watched {
  readonly min: number;
  /** What has to be excluded before the canary goes on; below `min`. */
  readonly detect: number;
}

/** A mean of values between `lowest` and `highest`, by its name in `SeriesCounts.means`. */
export interface RewardSettings extends Watched {
  readonly name: string;
  readonly better: 'higher' | 'lower';
  readonly lowest: number;
  readonly highest: number;
  /** How much worse the canary's mean may be, in the values' unit. */
  readonly maxLoss: number;
  readonly detectLoss: number;
}

/** How an analysis decides. Part of what is decided: replaying with others gives other decisions. */
export interface AnalysisSettings {
  /** The chance that a canary without any harm is ever rolled back, over the whole rollout and all metrics. In (0, 1). */
  readonly falseRollback: number;
  /** The chance that a bound by which something is called harmless is wrong. In (0, 1). */
  readonly falsePass: number;
  /** The chance with which harm of the size to detect would have been shown. In [0.5, 1). */
  readonly power: number;
  /** Of the canary, in each stage, before it may pass. */
  readonly minRequests: number;
  /** Milliseconds: a series that appears later than the first is not counted for so long, nor its latency after a restart. */
  readonly warmUp: number;
  /** Milliseconds after which an unsettled stage is `inconclusive`. Never when not given. */
  readonly stageDeadline?: number;
  readonly errors?: ErrorSettings;
  readonly latency?: LatencySettings;
  readonly predictions?: PredictionSettings;
  readonly agreement?: AgreementSettings;
  readonly rewards: readonly RewardSettings[];
}

type Given<Settings, Needed extends keyof Settings = never> = Partial<Settings> & Pick<Settings, Needed>;

/** What a policy says; the rest has defaults. Without `errors` they are watched by their defaults, with `false` not at all. */
export interface AnalysisPolicy
  extends Partial<Omit<AnalysisSettings, 'errors' | 'latency' | 'predictions' | 'agreement' | 'rewards'>> {
  readonly errors?: Given<ErrorSettings> | false;
  readonly latency?: Given<LatencySettings, 'sloMs'>;
  readonly predictions?: Given<PredictionSettings>;
  readonly agreement?: Given<AgreementSettings>;
  readonly rewards?: readonly Given<RewardSettings, 'name'>[];
}

/**
 * Fills in the defaults. Throws an `InputError` with everything that is out of range.
 * `maxRatio` 1 and `maxIncrease` 0: any more errors than the baseline has are harm, however few, once they are shown to be more.
 */
export function analysisSettings(policy: AnalysisPolicy = {}): AnalysisSettings {
  const { errors = {}, latency, predictions, agreement, rewards = [], stageDeadline } = policy;
  const { maxRatio = 1 } = errors === false ? {} : errors;
  const settings: AnalysisSettings = {
    falseRollback: policy.falseRollback ?? 0.01,
    falsePass: policy.falsePass ?? 0.05,
    power: policy.power ?? 0.8,
    minRequests: policy.minRequests ?? 200,
    warmUp: policy.warmUp ?? 60_000,
    ...(stageDeadline === undefined ? {} : { stageDeadline }),
    ...(errors === false
      ? {}
      : {
          errors: { share: 1, maxRatio, maxIncrease: 0, detectRatio: 2 * maxRatio, detectIncrease: 0.005, ...errors },
        }),
    ...(latency === undefined ? {} : { latency: latencyOf(latency) }),
    ...(predictions === undefined ? {} : { predictions: predictionsOf(predictions) }),
    ...(agreement === undefined ? {} : { agreement: agreementOf(agreement) }),
    rewards: rewards.map(rewardOf),
  };
  const [first, ...others] = problemsOf(settings);
  if (first !== undefined) throw new InputError([first, ...others]);
  return settings;
}

function latencyOf(given: Given<LatencySettings, 'sloMs'>): LatencySettings {
  const { maxShareIncrease = 0.01 } = given;
  return { share: 1, maxShareIncrease, detectShareIncrease: maxShareIncrease + 0.05, ...given };
}

function predictionsOf(given: Given<PredictionSettings>): PredictionSettings {
  const { maxShift = 0.1 } = given;
  return { share: 1, maxShift, detectShift: 2 * maxShift, ...given };
}

function agreementOf(given: Given<AgreementSettings>): AgreementSettings {
  const { min = 0.98 } = given;
  return { share: 1, min, detect: Math.max(0, min - 0.05), ...given };
}

function rewardOf(given: Given<RewardSettings, 'name'>): RewardSettings {
  const { lowest = 0, highest = 1 } = given;
  const { maxLoss = (highest - lowest) * 0.01 } = given;
  return { share: 1, better: 'higher', lowest, highest, maxLoss, detectLoss: 3 * maxLoss, ...given };
}

interface Rule {
  readonly key: string;
  readonly found: number;
  readonly holds: boolean;
  readonly expected: string;
}

function problemsOf(settings: AnalysisSettings): readonly Problem[] {
  const { errors, latency, predictions, agreement, rewards } = settings;
  const open = (value: number): boolean => value > 0 && value < 1;
  const rule = (key: string, found: number, holds: boolean, expected: string): Rule => ({
    key,
    found,
    holds,
    expected,
  });
  const rules: readonly Rule[] = [
    rule('false_rollback', settings.falseRollback, open(settings.falseRollback), 'between 0 and 1'),
    rule('false_pass', settings.falsePass, open(settings.falsePass), 'between 0 and 1'),
    rule('power', settings.power, settings.power >= 0.5 && settings.power < 1, 'at least 0.5 and below 1'),
    rule('min_requests', settings.minRequests, settings.minRequests >= 1, 'at least 1'),
    rule('warm_up', settings.warmUp, settings.warmUp >= 0, 'at least 0'),
    ...(errors === undefined
      ? []
      : [
          rule('errors.max_ratio', errors.maxRatio, errors.maxRatio > 0 && errors.maxRatio <= 1000, 'above 0'),
          rule('errors.max_increase', errors.maxIncrease, errors.maxIncrease >= 0 && errors.maxIncrease < 1, '0 to 1'),
          rule('errors.detect_ratio', errors.detectRatio, errors.detectRatio > errors.maxRatio, 'more than max_ratio'),
          rule(
            'errors.detect_increase',
            errors.detectIncrease,
            errors.detectIncrease > errors.maxIncrease && errors.detectIncrease < 1,
            'more than max_increase, below 1',
          ),
        ]),
    ...(latency === undefined
      ? []
      : [
          rule('latency.slo_ms', latency.sloMs, latency.sloMs > 0, 'above 0'),
          rule(
            'latency.max_share_increase',
            latency.maxShareIncrease,
            latency.maxShareIncrease >= 0 && latency.maxShareIncrease < 1,
            '0 to 1',
          ),
          rule(
            'latency.detect_share_increase',
            latency.detectShareIncrease,
            latency.detectShareIncrease > latency.maxShareIncrease && latency.detectShareIncrease <= 1,
            'more than max_share_increase, at most 1',
          ),
        ]),
    ...(predictions === undefined
      ? []
      : [
          rule('predictions.max_shift', predictions.maxShift, open(predictions.maxShift), 'between 0 and 1'),
          rule(
            'predictions.detect_shift',
            predictions.detectShift,
            predictions.detectShift > predictions.maxShift,
            'more than max_shift',
          ),
        ]),
    ...(agreement === undefined
      ? []
      : [
          rule('agreement.min', agreement.min, open(agreement.min), 'between 0 and 1'),
          rule('agreement.detect', agreement.detect, agreement.detect < agreement.min, 'less than min'),
        ]),
    ...rewards.flatMap(({ name, lowest, highest, maxLoss, detectLoss }) => [
      rule(`rewards.${name}.highest`, highest, highest > lowest && Number.isFinite(highest - lowest), 'above lowest'),
      rule(
        `rewards.${name}.max_loss`,
        maxLoss,
        maxLoss >= 0 && maxLoss < highest - lowest,
        'at least 0, within the range',
      ),
      rule(`rewards.${name}.detect_loss`, detectLoss, detectLoss > maxLoss, 'more than max_loss'),
    ]),
  ];
  const shares = [errors, latency, predictions, agreement, ...rewards].flatMap((each) =>
    each === undefined ? [] : [each.share],
  );
  const decides = shares.some((share) => share > 0) && shares.every((share) => share >= 0 && Number.isFinite(share));
  const broken = rules
    .filter(({ holds }) => !holds)
    .map(({ key, found, expected }) => ({
      code: 'out-of-range',
      message: `"${key}" is out of range`,
      place: { key: `canary.analysis.${key}` },
      found: String(found),
      expected,
      fix: `Write a number that is ${expected}.`,
    }));
  return decides
    ? broken
    : [
        ...broken,
        {
          code: 'nothing-decides',
          message: 'no metric of the analysis may decide anything',
          place: { key: 'canary.analysis' },
          fix: 'Give at least one metric a share above 0, and none one below 0.',
        },
      ];
}
