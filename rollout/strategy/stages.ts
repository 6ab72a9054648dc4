import { nextWeight } from '../../core/statistics/index.ts';
import type { MetricEvidence } from '../analysis-verdict.ts';
import type { Analysed } from '../analyst.ts';
import type { Traffic } from '../traffic-provider.ts';
import type { AdaptiveStrategy, Stage, StageSituation, Strategy } from './strategy.ts';

/** The stages before the first weight, in order: copies first, since nobody sees the answers, then marked requests. */
function preludeOf({ shadow, header }: Strategy): readonly Stage[] {
  return [
    ...(shadow === undefined
      ? []
      : [{ kind: 'shadow' as const, traffic: { canaryWeight: 0, mirrorPercent: shadow.percent } }]),
    ...(header === undefined
      ? []
      : [{ kind: 'header' as const, traffic: withHeader({ canaryWeight: 0, mirrorPercent: 0 }, header) }]),
  ];
}

/** The first stage of a rollout. */
export function firstStage(strategy: Strategy): Stage {
  return preludeOf(strategy)[0] ?? stepOf(strategy, firstWeight(strategy));
}

/**
 * What comes when the stage that is on has passed; `undefined`: that was the last one. Weights only rise. The header's route stays, so that
 * who tests by hand still reaches the canary.
 */
export function stageAfter(strategy: Strategy, situation: StageSituation): Stage | undefined {
  const prelude = preludeOf(strategy);
  const passed = situation.passed + 1;
  if (passed < prelude.length) return prelude[passed];
  const weight = situation.traffic.canaryWeight;
  if (strategy.kind === 'steps') {
    const next = strategy.weights[passed - prelude.length];
    return next === undefined ? undefined : stepOf(strategy, next);
  }
  if (passed === prelude.length) return stepOf(strategy, strategy.startWeight);
  if (weight >= strategy.maxWeight) return undefined;
  // The stage has passed: whatever the budget says, the rollout goes on by the least there is.
  return stepOf(strategy, Math.max(affordable(strategy, situation), weight + 1));
}

/** Adaptive: the weight that the evidence allows now, though it settles nothing yet. `undefined`: no more than there is. */
export function raiseWhileUnsettled(strategy: Strategy, situation: StageSituation): Stage | undefined {
  if (strategy.kind !== 'adaptive' || situation.traffic.canaryWeight === 0) return undefined;
  const weight = affordable(strategy, situation);
  return weight > situation.traffic.canaryWeight ? stepOf(strategy, weight) : undefined;
}

function firstWeight(strategy: Strategy): number {
  return strategy.kind === 'steps' ? strategy.weights[0] : strategy.startWeight;
}

function stepOf(strategy: Strategy, weight: number): Stage {
  return { kind: 'step', traffic: withHeader({ canaryWeight: weight, mirrorPercent: 0 }, strategy.header) };
}

function withHeader(traffic: Traffic, header: { readonly name: string; readonly value: string } | undefined): Traffic {
  return header === undefined ? traffic : { ...traffic, header: { name: header.name, value: header.value } };
}

/** Whole percent, never below what there is: going back is the analysis' decision. */
function affordable(strategy: AdaptiveStrategy, situation: StageSituation): number {
  const { traffic, analysed, requestsPerSecond, secondsExposed } = situation;
  const { weight } = nextWeight(
    { harmedRequests: strategy.risk },
    {
      canaryRequests: analysed.requests.canary,
      excessUpper: excessUpperOf(analysed),
      requestsPerSecond,
      secondsExposed,
      weight: traffic.canaryWeight / 100,
    },
    { lowest: strategy.startWeight / 100, highest: strategy.maxWeight / 100, growth: strategy.growth },
  );
  // The last bits of a hundredth must not cost a whole percent.
  return Math.max(traffic.canaryWeight, Math.floor(weight * 100 + 1e-9));
}

/**
 * The largest extra share of harmed requests that errors and latency leave possible; 1 where one says nothing. A request whose prediction
 * differs is not counted as harmed: that is judged, but it is no loss that a budget of requests could count.
 */
function excessUpperOf({ metrics }: Analysed): number {
  const harming = metrics.filter(({ metric }) => metric === 'errors' || metric === 'latency');
  return harming.length === 0 ? 1 : Math.min(1, Math.max(0, ...harming.map(excessOf)));
}

function excessOf({ effect, baseline, says }: MetricEvidence): number {
  if (says === 'no-data' || effect === undefined || Number.isNaN(effect.upper)) return 1;
  if (effect.kind !== 'ratio') return effect.upper;
  // Jeffreys' half event: a baseline without errors so far is not one that has none.
  const rate = (baseline.events + 0.5) / (baseline.requests + 1);
  return (effect.upper - 1) * rate;
}
