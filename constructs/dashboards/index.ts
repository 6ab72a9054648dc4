/**
 * What to look at and when to be told, made from the metric vocabulary of core/telemetry: Grafana dashboards as JSON and Prometheus' rules as
 * data. Pure functions; nothing here knows Kubernetes or a cloud. README.md says what each alert means.
 * @module
 */

export type { DashboardJson } from './grafana.ts';
export type { DashboardContent, Panel, PanelQuery, PanelSource, Row, Variable } from './panel.ts';
export type { DriftSettings } from './rules/drift.ts';
export { secondsOf } from './rules/duration.ts';
export type { GpuSettings } from './rules/gpu.ts';
export type { AbsentRule, MonitoredModel } from './rules/monitored-model.ts';
export type { RewardSettings } from './rules/reward.ts';
export type { RolloutSettings } from './rules/rollout.ts';
export {
  type AlertAnnotations,
  type AlertRule,
  isAlert,
  type RecordingRule,
  type RuleGroup,
  type Severity,
} from './rules/rule-group.ts';
export { type BudgetBurn, budgetBurns, type ServiceLevel, usualServiceLevel } from './rules/service-level.ts';
export { type ServingRules, type ServingRulesOptions, servingRules } from './rules/serving-rules.ts';
export { type ServingDashboard, type ServingDashboardOptions, servingDashboard } from './serving-dashboard.ts';
