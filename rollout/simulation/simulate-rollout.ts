import type { AnalysisVerdict } from '../analysis-verdict.ts';
import type { Analysed, Look, LookStage, OpenAnalyst } from '../analyst.ts';
import { firstStage, raiseWhileUnsettled, stageAfter } from '../strategy/stages.ts';
import type { Stage, Strategy } from '../strategy/strategy.ts';
import { SimulatedTraffic } from './simulated-traffic.ts';
import type { TrafficShape } from './traffic-shape.ts';

/** How a rollout is run, as `RolloutSettings` says. Times in milliseconds. */
export interface SimulatedPolicy {
  readonly analyst: OpenAnalyst;
  readonly strategy: Strategy;
  readonly lookEvery: number;
  readonly warmUp: number;
  readonly minStage: number;
  readonly maxStage?: number;
  readonly deadline: number;
  /** For how long the baseline was watched before the canary's first request. */
  readonly history: number;
}

export interface SimulatedRollout {
  readonly outcome: 'promoted' | 'rolled-back' | 'expired';
  /** From the canary's first request to the end. */
  readonly seconds: number;
  /** Of the canary. */
  readonly requests: number;
  /** Requests that fared worse at the canary than they would have at the baseline, by expectation. */
  readonly harmed: number;
  readonly looks: number;
  /** The weight at the end, in percent. */
  readonly weight: number;
}

/**
 * One rollout of a policy over traffic of a shape, with the strategy and the analysis that real ones have, without a provider: routes follow at
 * once. `onLook` gets what a rollout would record.
 */
export function simulateRollout(
  policy: SimulatedPolicy,
  shape: TrafficShape,
  seed: string,
  onLook?: (look: Look, analysed: Analysed) => void,
): SimulatedRollout {
  const { lookEvery, strategy, minStage, maxStage = Number.POSITIVE_INFINITY } = policy;
  const seconds = lookEvery / 1000;
  const traffic = new SimulatedTraffic(shape, seed);
  const analyst = policy.analyst(undefined);
  const start = 1_700_000_000_000;
  let number = 0;
  const lookAt = (at: number, stage: LookStage, warmUp: boolean, onlyBaseline: boolean): Analysed => {
    number++;
    const { canary, ...rest } = traffic.read(at);
    const look: Look = { number, at, stage, warmUp, reading: { canary: onlyBaseline ? [] : canary, ...rest } };
    const analysed = analyst.look(look);
    onLook?.(look, analysed);
    return analysed;
  };

  const before = Math.ceil(policy.history / lookEvery);
  for (let index = before; index > 0; index--) {
    traffic.advance(seconds, -index * seconds, 0);
    lookAt(start - (index - 1) * lookEvery, { kind: 'step', index: 0, weight: 0, since: start }, true, true);
  }
  let stage = firstStage(strategy);
  let since = start;
  let index = 0;
  let passed = 0;
  let requests = 0;
  let harmed = 0;
  const ended = (outcome: SimulatedRollout['outcome'], at: number): SimulatedRollout => ({
    outcome,
    seconds: (at - start) / 1000,
    requests,
    harmed,
    looks: number,
    weight: weightOf(stage),
  });
  // Where each series starts.
  lookAt(start, { kind: stage.kind, index, weight: weightOf(stage), since }, true, false);
  for (let at = start + lookEvery; ; at += lookEvery) {
    if (at - start > policy.deadline) return ended('expired', at);
    const weight = stage.kind === 'shadow' ? stage.traffic.mirrorPercent : weightOf(stage);
    const window = traffic.advance(seconds, (at - lookEvery - start) / 1000, weight);
    requests += window.canary.requests;
    // Nobody gets the answers to copies.
    harmed += stage.kind === 'shadow' ? 0 : window.harmed;
    const warm = at - lookEvery - start < policy.warmUp;
    const analysed = lookAt(at, { kind: stage.kind, index, weight: weightOf(stage), since }, warm, false);
    const verdict: AnalysisVerdict = analysed.verdict;
    if (verdict === 'rollback') return ended('rolled-back', at);
    if (at - since > maxStage) return ended('rolled-back', at);
    const situation = {
      passed,
      traffic: stage.traffic,
      analysed,
      requestsPerSecond: shape.requestsPerSecond,
      secondsExposed: 2 * seconds,
    };
    let after: Stage | undefined;
    if (verdict === 'advance' && at - since >= minStage) {
      after = stageAfter(strategy, situation);
      if (after === undefined) return ended('promoted', at);
      passed++;
    } else if (verdict === 'hold' && at - since >= lookEvery) after = raiseWhileUnsettled(strategy, situation);
    if (after === undefined) continue;
    stage = after;
    since = at;
    index++;
  }
}

function weightOf({ traffic }: Stage): number {
  return traffic.canaryWeight;
}

/** Many rollouts of one shape, in short. */
export interface SimulationSummary {
  readonly shape: string;
  readonly rollouts: number;
  readonly rolledBack: number;
  readonly promoted: number;
  readonly expired: number;
  /** Medians; `undefined` where there were none. */
  readonly secondsToRollback?: number;
  readonly requestsToRollback?: number;
  readonly secondsToPromote?: number;
  /** Means over all rollouts, however they ended. */
  readonly harmed: number;
  readonly requests: number;
}

export function summarised(shape: string, rollouts: readonly SimulatedRollout[]): SimulationSummary {
  const endedSo = (outcome: SimulatedRollout['outcome']) => rollouts.filter((each) => each.outcome === outcome);
  const [back, promoted] = [endedSo('rolled-back'), endedSo('promoted')];
  const secondsToRollback = median(back.map(({ seconds }) => seconds));
  const requestsToRollback = median(back.map(({ requests }) => requests));
  const secondsToPromote = median(promoted.map(({ seconds }) => seconds));
  return {
    shape,
    rollouts: rollouts.length,
    rolledBack: back.length,
    promoted: promoted.length,
    expired: endedSo('expired').length,
    ...(secondsToRollback === undefined ? {} : { secondsToRollback }),
    ...(requestsToRollback === undefined ? {} : { requestsToRollback }),
    ...(secondsToPromote === undefined ? {} : { secondsToPromote }),
    harmed: mean(rollouts.map(({ harmed }) => harmed)),
    requests: mean(rollouts.map(({ requests }) => requests)),
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)];
}
