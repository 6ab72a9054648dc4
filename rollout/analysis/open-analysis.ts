import { splitErrorBudget } from '../../core/statistics/index.ts';
import type { AnalysisVerdict, MetricEvidence } from '../analysis-verdict.ts';
import type { Analysed, Analyst, Look, LookStage, OpenAnalyst } from '../analyst.ts';
import { settingsDigest } from '../settings-digest.ts';
import { agreementMetric } from './agreement-metric.ts';
import { type ArmMemory, armDifference, noMemory } from './arm-memory.ts';
import { errorMetric } from './error-metric.ts';
import { severityAt } from './exposure.ts';
import { latencyMetric } from './latency-metric.ts';
import type { Demands, Metric } from './metric.ts';
import { type PairedWindow, type Pending, paired } from './paired-window.ts';
import { predictionMetric } from './prediction-metric.ts';
import { rewardMetric } from './reward-metric.ts';
import { saved, unpacked } from './saved-state.ts';
import type { AnalysisSettings } from './settings.ts';

/** All that is known between two looks. Plain JSON. */
interface Known {
  readonly canary: ArmMemory;
  readonly baseline: ArmMemory;
  readonly waiting?: Pending;
  readonly metrics: readonly unknown[];
  /** Counted as evidence since the rollout began, and at the beginning of the stage that is on. */
  readonly requests: { readonly canary: number; readonly baseline: number };
  readonly stage?: { readonly index: number; readonly canary: number };
  /** When each arm last had a new request, by the look's clock. */
  readonly heardAt: { readonly canary?: number; readonly baseline?: number };
}

/** Milliseconds: an arm that has had no request for longer is not heard of, and nothing passes. */
const silence = 120_000;

/**
 * The analysis of a policy, look after look. A look that is `warmUp` counts nothing as evidence, but teaches how noisy the baseline is by
 * itself; so do readings of the baseline from before the rollout, given as such looks (`canary: []`, weight 0). Without them noise is presumed
 * for some minutes, and evidence grows slowly.
 *
 * The verdict, by `Analysed.metrics`: `rollback` as soon as one metric shows harm, at whatever look. `advance` when every metric that may
 * decide is harmless, the stage has had its requests, both arms were heard of, and the look is not blind. Else `hold`; `inconclusive` if the
 * stage has lasted longer than its deadline.
 *
 * The `state` of a look is worked out when it is asked for. Throws a `PeerError` for a state that is not from this analysis.
 */
export function openAnalysis(settings: AnalysisSettings): OpenAnalyst {
  return (state) => new Analysis(settings, state);
}

class Analysis implements Analyst {
  readonly #settings: AnalysisSettings;
  readonly #digest: string;
  readonly #metrics: readonly Metric<unknown>[];
  readonly #alphas: Readonly<Record<string, number>>;
  #known: Known;

  constructor(settings: AnalysisSettings, state: unknown) {
    this.#settings = settings;
    // What analyses must have in common for one to go on with the other's state.
    this.#digest = settingsDigest(settings);
    this.#metrics = metricsOf(settings);
    const shares = Object.fromEntries(this.#metrics.map(({ name, share }) => [name, share]));
    this.#alphas = splitErrorBudget(settings.falseRollback, shares);
    this.#known =
      state === undefined || state === null
        ? {
            canary: noMemory,
            baseline: noMemory,
            metrics: this.#metrics.map((metric) => metric.start()),
            requests: { canary: 0, baseline: 0 },
            heardAt: {},
          }
        : // The checksum and the digest of the settings say that it is what this class saved.
          (unpacked(state, this.#digest) as Known);
  }

  look(look: Look): Analysed {
    const remarks = this.#take(look);
    const evidence = this.#evidence(look.stage);
    const verdict = this.#verdict(look, evidence);
    const known = this.#known;
    const digest = this.#digest;
    let state: unknown;
    return {
      verdict,
      metrics: evidence,
      requests: known.requests,
      get state() {
        state ??= saved(known, digest);
        return state;
      },
      remarks,
    };
  }

  #take({ reading, at, warmUp, stage }: Look): readonly string[] {
    const before = this.#known;
    const stageKnown =
      before.stage?.index === stage.index ? before.stage : { index: stage.index, canary: before.requests.canary };
    if (reading === undefined) {
      this.#known = { ...before, stage: stageKnown };
      return ['the metrics could not be asked'];
    }
    const about = { now: at, warmUp: this.#settings.warmUp };
    const canary = armDifference(before.canary, reading.canary, { arm: 'canary', ...about });
    const baseline = armDifference(before.baseline, reading.baseline, { arm: 'baseline', ...about });
    const window: PairedWindow = { canary: canary.window, baseline: baseline.window };
    const pair = warmUp ? {} : paired(before.waiting, window, at);
    const { complete, waiting } = pair;
    const metrics = this.#metrics.map((metric, index) => {
      const updated = complete === undefined ? before.metrics[index] : metric.update(before.metrics[index], complete);
      // After the bets of this look: they may not know how it went.
      return baseline.window.requests > 0 ? metric.learn(updated, baseline.window, warmUp) : updated;
    });
    this.#known = {
      canary: canary.memory,
      baseline: baseline.memory,
      ...(waiting === undefined ? {} : { waiting }),
      metrics,
      requests: {
        canary: before.requests.canary + (complete?.canary.requests ?? 0),
        baseline: before.requests.baseline + (complete?.baseline.requests ?? 0),
      },
      stage: stageKnown,
      heardAt: {
        ...before.heardAt,
        ...(window.canary.requests > 0 ? { canary: at } : {}),
        ...(window.baseline.requests > 0 ? { baseline: at } : {}),
      },
    };
    const missing = (['canary', 'baseline'] as const).filter((arm) => reading[arm].length === 0 && stage.weight > 0);
    return [
      ...reading.remarks,
      ...missing.map((arm) => `no series of the ${arm}`),
      ...canary.remarks,
      ...baseline.remarks,
    ];
  }

  #evidence(stage: LookStage): readonly MetricEvidence[] {
    const { falseRollback, falsePass, power } = this.#settings;
    return this.#metrics.map((metric, index) => {
      const alpha = this.#alphas[metric.name] ?? 0;
      const demands: Demands = {
        threshold: -Math.log(alpha > 0 ? alpha : falseRollback),
        falsePass,
        power,
        severity: severityAt(stage.weight),
      };
      const evidence = metric.evidence(this.#known.metrics[index], demands);
      return metric.share === 0 && evidence.says === 'harm'
        ? { ...evidence, says: 'unsettled', message: `${evidence.message}; watched only, it decides nothing` }
        : evidence;
    });
  }

  #verdict({ stage, at, warmUp, reading }: Look, evidence: readonly MetricEvidence[]): AnalysisVerdict {
    if (evidence.some(({ says }) => says === 'harm')) return 'rollback';
    const { minRequests, stageDeadline } = this.#settings;
    const { heardAt, requests, stage: begun } = this.#known;
    const heard = (when: number | undefined): boolean => when !== undefined && at - when <= silence;
    const seen =
      reading !== undefined &&
      reading.canary.length > 0 &&
      reading.baseline.length > 0 &&
      heard(heardAt.canary) &&
      heard(heardAt.baseline);
    const harmless = evidence.every(({ says }, index) => says === 'harmless' || this.#metrics[index]?.share === 0);
    if (!warmUp && seen && harmless && requests.canary - (begun?.canary ?? 0) >= minRequests) return 'advance';
    return stageDeadline !== undefined && at - stage.since > stageDeadline ? 'inconclusive' : 'hold';
  }
}

function metricsOf(settings: AnalysisSettings): readonly Metric<unknown>[] {
  const { errors, latency, predictions, agreement, rewards } = settings;
  return [
    ...(errors === undefined ? [] : [untyped(errorMetric(errors))]),
    ...(latency === undefined ? [] : [untyped(latencyMetric(latency))]),
    ...(predictions === undefined ? [] : [untyped(predictionMetric(predictions))]),
    ...(agreement === undefined ? [] : [untyped(agreementMetric(agreement))]),
    ...rewards.map((reward) => untyped(rewardMetric(reward))),
  ];
}

/** Each metric only ever gets what it gave. */
function untyped<State>(metric: Metric<State>): Metric<unknown> {
  return metric as unknown as Metric<unknown>;
}
