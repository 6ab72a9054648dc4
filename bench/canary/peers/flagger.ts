/**
 * Flagger's analysis loop, `pkg/controller/scheduler.go` and `scheduler_metrics.go` at 15bd6ad5: one check an interval (default 60 s) of the
 * canary alone against a fixed range.
 */
export interface FlaggerSettings {
  /** `analysis.threshold`: so many failed checks, ever, roll back. Flagger's default is 1. */
  readonly threshold: number;
  readonly stepWeight: number;
  readonly maxWeight: number;
  /** The highest error rate a check accepts (`request-success-rate`, `thresholdRange.min: 99` is 0.01). */
  readonly highestErrorRate: number;
}

export interface FlaggerState {
  readonly weight: number;
  readonly failedChecks: number;
  readonly phase: 'progressing' | 'promoted' | 'rolled back';
}

export const flaggerDefaults: FlaggerSettings = {
  threshold: 1,
  stepWeight: 0.1,
  maxWeight: 0.5,
  highestErrorRate: 0.01,
};

/** Flagger starts at its first step. */
export function startFlagger({ stepWeight }: FlaggerSettings): FlaggerState {
  return { weight: stepWeight, failedChecks: 0, phase: 'progressing' };
}

/**
 * One interval. `errorRate` is the canary's over the interval, `undefined` for no values: that halts the advancement and **counts as a
 * failed check**. The count is looked at when the next interval begins, and never goes down within a rollout.
 */
export function stepFlagger(
  state: FlaggerState,
  settings: FlaggerSettings,
  errorRate: number | undefined,
): FlaggerState {
  if (state.phase !== 'progressing') return state;
  if (state.failedChecks >= settings.threshold) return { ...state, weight: 0, phase: 'rolled back' };
  const passed = errorRate !== undefined && errorRate <= settings.highestErrorRate;
  if (!passed) return { ...state, failedChecks: state.failedChecks + 1 };
  if (state.weight >= settings.maxWeight) return { ...state, weight: 1, phase: 'promoted' };
  return { ...state, weight: Math.min(settings.maxWeight, state.weight + settings.stepWeight) };
}
