/**
 * A CloudWatch alarm, and SageMaker's deployment guardrail on it: any alarm in ALARM while the canary bakes rolls back
 * (`AutoRollbackConfiguration`, "Use canary traffic shifting" in SageMaker's guide; "Using Amazon CloudWatch alarms").
 */
export interface AlarmSettings {
  /** M of the last N datapoints must breach. */
  readonly datapointsToAlarm: number;
  readonly evaluationPeriods: number;
  readonly threshold: number;
  readonly missing: 'missing' | 'ignore' | 'breaching' | 'notBreaching';
}

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export const alarmDefaults: AlarmSettings = {
  datapointsToAlarm: 1,
  evaluationPeriods: 1,
  threshold: 0.01,
  missing: 'missing',
};

/**
 * The state after the newest datapoint; `undefined` is a missing one. `points` are all so far, oldest first, of which the last
 * `evaluationPeriods` are evaluated. (CloudWatch looks a few periods further back where points are missing; not modelled.)
 */
export function alarmState(
  points: readonly (number | undefined)[],
  settings: AlarmSettings,
  before: AlarmState,
): AlarmState {
  const recent = points.slice(-settings.evaluationPeriods);
  const present = recent.filter((point) => point !== undefined);
  const absent = settings.evaluationPeriods - present.length;
  const breaching = present.filter((point) => point > settings.threshold).length;
  if (present.length === 0 && settings.missing === 'missing') return 'INSUFFICIENT_DATA';
  if (settings.missing === 'ignore' && absent > 0 && breaching < settings.datapointsToAlarm) return before;
  const counted = breaching + (settings.missing === 'breaching' ? absent : 0);
  return counted >= settings.datapointsToAlarm ? 'ALARM' : 'OK';
}

/** The guardrail at the end of a period: back on ALARM, on when the canary has baked long enough, else wait. */
export function guardrail(state: AlarmState, bakedSeconds: number, waitSeconds: number): 'rollback' | 'shift' | 'bake' {
  if (state === 'ALARM') return 'rollback';
  return bakedSeconds >= waitSeconds ? 'shift' : 'bake';
}
