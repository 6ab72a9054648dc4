import { type CanaryPolicy, durationMs, policyDefaults } from '../core/policy/index.ts';
import { type AnalysisPolicy, type AnalysisSettings, analysisSettings } from './analysis/index.ts';
import type { RolloutSettings } from './state/settings.ts';
import type { Strategy } from './strategy/strategy.ts';

const { canary: defaults } = policyDefaults;

/** How the policy wants a rollout to be run; what it does not say has its default. */
export function settingsOfPolicy({ strategy, analysis = {}, ...canary }: CanaryPolicy): RolloutSettings {
  const maxStage = durationMs(strategy.max_step);
  return {
    strategy: strategyOfPolicy(strategy),
    lookEvery: time(analysis.look_every, defaults.look_every),
    warmUp: time(analysis.warm_up, defaults.warm_up),
    minStage: time(strategy.min_step, defaults.min_step),
    ...(maxStage === undefined ? {} : { maxStage }),
    deadline: time(canary.deadline, defaults.deadline),
    readyDeadline: time(canary.ready_deadline, defaults.ready_deadline),
    lease: time(canary.lease, defaults.lease),
    resumeWithin: time(canary.resume_within, defaults.resume_within),
    approval: (canary.approval ?? defaults.approval) !== 'none',
  };
}

function strategyOfPolicy(strategy: CanaryPolicy['strategy']): Strategy {
  const { shadow, header } = strategy;
  const prelude = {
    ...(shadow === undefined ? {} : { shadow }),
    ...(header === undefined
      ? {}
      : {
          header: {
            name: header.name,
            value: header.value,
            minRequests: header.min_requests ?? defaults.header_min_requests,
          },
        }),
  };
  if (strategy.kind === 'steps') {
    const [first = 1, ...rest] = strategy.weights;
    return { kind: 'steps', weights: [first, ...rest], ...prelude };
  }
  return {
    kind: 'adaptive',
    risk: strategy.risk,
    startWeight: strategy.start_weight ?? defaults.start_weight,
    maxWeight: strategy.max_weight ?? defaults.max_weight,
    growth: strategy.growth ?? defaults.growth,
    ...prelude,
  };
}

/** How the policy wants harm to be judged. Throws an `InputError` with everything that is out of range. */
export function analysisOfPolicy({ analysis = {} }: CanaryPolicy): AnalysisSettings {
  const { look_every: _, warm_up, errors, rewards, ...rest } = analysis;
  const warmUp = time(warm_up, defaults.warm_up);
  // The same words in another spelling; `analysisSettings` checks their ranges.
  const given = {
    ...(inCamelCase(rest) as AnalysisPolicy),
    ...(errors === undefined ? {} : { errors: errors === false ? (false as const) : inCamelCase(errors) }),
    ...(rewards === undefined ? {} : { rewards: rewards.map(inCamelCase) }),
    warmUp,
  };
  return analysisSettings(given as AnalysisPolicy);
}

function inCamelCase(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [
        key.replace(/_(.)/g, (_all, letter: string) => letter.toUpperCase()),
        inCamelCase(inner),
      ]),
  );
}

function time(given: string | undefined, usual: string): number {
  const found = durationMs(given ?? usual);
  if (found === undefined) throw new RangeError(`"${given ?? usual}" is not a time`);
  return found;
}
