/** Argo Rollouts' analysis run for one metric, `analysis/analysis.go` at 9f8d111d8. */
export interface ArgoSettings {
  /** More failures than this fail the run. Argo's default is 0. */
  readonly failureLimit: number;
  readonly inconclusiveLimit: number;
  /** More errors in a row than this (default 4) make the run an error, which aborts like a failure. */
  readonly consecutiveErrorLimit: number;
  /** So many measurements complete the run; `undefined` for a background analysis, which ends with the rollout. */
  readonly count: number | undefined;
}

export type ArgoMeasurement = 'Successful' | 'Failed' | 'Inconclusive' | 'Error';
export type ArgoPhase = 'Running' | ArgoMeasurement;

export interface ArgoState {
  readonly successful: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly consecutiveErrors: number;
  readonly phase: ArgoPhase;
}

export const argoDefaults: ArgoSettings = {
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
  count: undefined,
};

export const startArgo: ArgoState = {
  successful: 0,
  failed: 0,
  inconclusive: 0,
  consecutiveErrors: 0,
  phase: 'Running',
};

/** One measurement. `Failed` and `Error` abort the rollout, `Inconclusive` pauses it. */
export function stepArgo(state: ArgoState, settings: ArgoSettings, measurement: ArgoMeasurement): ArgoState {
  if (state.phase !== 'Running') return state;
  const next = {
    successful: state.successful + (measurement === 'Successful' ? 1 : 0),
    failed: state.failed + (measurement === 'Failed' ? 1 : 0),
    inconclusive: state.inconclusive + (measurement === 'Inconclusive' ? 1 : 0),
    consecutiveErrors: measurement === 'Error' ? state.consecutiveErrors + 1 : 0,
  };
  return { ...next, phase: phaseOf(next, settings) };
}

/**
 * A run that is ended before its first measurement is `Successful` in Argo, so a background analysis without traffic lets the rollout
 * through.
 */
export function endArgo(state: ArgoState): ArgoState {
  return state.phase === 'Running' ? { ...state, phase: 'Successful' } : state;
}

/** `successCondition` on a query's result; an empty vector is an error of the expression, not a failure. */
export function measureArgo(value: number | undefined, highest: number): ArgoMeasurement {
  if (value === undefined) return 'Error';
  return value <= highest ? 'Successful' : 'Failed';
}

function phaseOf(state: Omit<ArgoState, 'phase'>, settings: ArgoSettings): ArgoPhase {
  if (state.failed > settings.failureLimit) return 'Failed';
  if (state.inconclusive > settings.inconclusiveLimit) return 'Inconclusive';
  if (state.consecutiveErrors > settings.consecutiveErrorLimit) return 'Error';
  const measured = state.successful + state.failed + state.inconclusive;
  return settings.count !== undefined && measured >= settings.count ? 'Successful' : 'Running';
}
