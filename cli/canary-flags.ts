import { type Command, InvalidArgumentError } from 'commander';
import type { AnalysisPolicy, AnalysisSettings, Strategy } from '../rollout/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';

/** Flags of the sub-commands that try a canary before there is one. Times in milliseconds. */
export interface CanaryTrialFlags extends CommonFlags {
  readonly weights: readonly [number, ...number[]];
  readonly adaptive?: number;
  readonly maxWeight: number;
  readonly minStep: number;
  readonly maxStep?: number;
  readonly lookEvery: number;
  readonly warmUp: number;
  readonly history: number;
  readonly deadline: number;
  readonly minRequests: number;
  readonly maxRatio: number;
  readonly detectRatio?: number;
  readonly sloMs?: number;
  readonly falseRollback: number;
}

/** The flags by which the rollout and its analysis are set; each default is the policy's. */
export function addCanaryTrialFlags(command: Command): Command {
  return addCommonFlags(
    command
      .option('--weights <percents>', "the canary's weights, step by step", weights, [1, 5, 10, 25, 50])
      .option(
        '--adaptive <requests>',
        'instead: as fast as the evidence allows, with so many requests at risk',
        number(0),
      )
      .option('--max-weight <percent>', 'with --adaptive: the largest weight', number(1, 100), 50)
      .option('--min-step <time>', 'a step lasts at least this long', duration, 120_000)
      .option('--max-step <time>', 'a step that is unsettled for longer is rolled back', duration)
      .option('--look-every <time>', 'how often both arms are looked at', duration, 5000)
      .option('--warm-up <time>', "after the canary's first request nothing is judged for so long", duration, 60_000)
      .option('--history <time>', 'for how long the baseline is known before', duration, 3_600_000)
      .option('--deadline <time>', 'the whole canary may take this long', duration, 21_600_000)
      .option('--min-requests <number>', 'requests of the canary in each step', number(1), 200)
      .option('--max-ratio <ratio>', "times the baseline's errors that are no harm", number(0), 1)
      .option(
        '--detect-ratio <ratio>',
        "times the baseline's errors that must be excluded at 50 % (default: twice --max-ratio)",
        number(0),
      )
      .option('--slo-ms <milliseconds>', 'judge latency, too, by this bound', number(0))
      .option('--false-rollback <chance>', 'that a canary without harm is ever rolled back', number(0, 1), 0.01),
  );
}

/** When to look and how long a stage may last, for plan and simulation alike. */
export function paceOf({ lookEvery, warmUp, minStep, maxStep, deadline, history }: CanaryTrialFlags): {
  readonly lookEvery: number;
  readonly warmUp: number;
  readonly minStage: number;
  readonly maxStage?: number;
  readonly deadline: number;
  readonly history: number;
} {
  return {
    lookEvery,
    warmUp,
    minStage: minStep,
    ...(maxStep === undefined ? {} : { maxStage: maxStep }),
    deadline,
    history,
  };
}

export function strategyOf({ weights: steps, adaptive, maxWeight }: CanaryTrialFlags): Strategy {
  if (adaptive === undefined) return { kind: 'steps', weights: steps };
  return { kind: 'adaptive', risk: adaptive, startWeight: Math.min(1, maxWeight), maxWeight, growth: 2 };
}

export function analysisOf(
  flags: CanaryTrialFlags,
  settings: (policy: AnalysisPolicy) => AnalysisSettings,
): AnalysisSettings {
  const { minRequests, maxRatio, detectRatio, sloMs, falseRollback, warmUp } = flags;
  return settings({
    minRequests,
    falseRollback,
    warmUp,
    errors: { maxRatio, ...(detectRatio === undefined ? {} : { detectRatio }) },
    ...(sloMs === undefined ? {} : { latency: { sloMs } }),
  });
}

/** `5s`, `2m`, `1h`, `500ms`. */
export function duration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[found?.[2] ?? ''];
  const milliseconds = Number(found?.[1]) * (unit ?? Number.NaN);
  if (!Number.isFinite(milliseconds)) throw new InvalidArgumentError('Write a time such as 30s, 5m or 2h.');
  return milliseconds;
}

export function number(lowest: number, highest: number = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= lowest && value <= highest) return value;
    const range = highest === Number.MAX_VALUE ? `of at least ${lowest}` : `from ${lowest} to ${highest}`;
    throw new InvalidArgumentError(`Write a number ${range}.`);
  };
}

function weights(text: string): readonly [number, ...number[]] {
  const [first = Number.NaN, ...rest] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const all = [first, ...rest];
  const rising = all.every(
    (weight, index) => weight > (all[index - 1] ?? 0) && weight <= 100 && Number.isInteger(weight),
  );
  if (!rising) throw new InvalidArgumentError('Write whole percents that rise, such as 1,5,10,25,50.');
  return [first, ...rest];
}
