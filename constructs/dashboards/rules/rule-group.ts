/**
 * `critical` wakes somebody: users are hurt now, or soon will be. `warning` is for the next working day. `info` is for who looks at the
 * dashboard.
 */
export type Severity = 'critical' | 'warning' | 'info';

/** A question asked at every evaluation, its answer kept as a series of its own. In the form of Prometheus' rule files. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface AlertAnnotations {
  /** One line, with the labels it fires for. */
  readonly summary: string;
  /** What was measured, and against what. */
  readonly description: string;
  /** What to do, in order. */
  readonly runbook: string;
  /** Where more is written. */
  readonly runbook_url?: string;
}

/** In the form of Prometheus' rule files. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold before it fires. */
  readonly for?: string;
  /** How long it goes on firing afterwards, so that it does not come and go. */
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>> & { readonly severity: Severity };
  readonly annotations: AlertAnnotations;
}

export interface RuleGroup {
  readonly name: string;
  /** Between two evaluations. Absent: as Prometheus is set. */
  readonly interval?: string;
  readonly rules: readonly (RecordingRule | AlertRule)[];
}

export function isAlert(rule: RecordingRule | AlertRule): rule is AlertRule {
  return 'alert' in rule;
}
