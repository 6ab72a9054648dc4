/**
 * Opening traffic to a canary by degrees: what moves it, what watches it, the persisted state machine between them. Knows nothing of
 * GitHub: the action and the command use it, and so does the guard inside a cluster.
 *
 * @module
 */

export { requireAbReport } from './ab-report.ts';
export {
  type AgreementSettings,
  type AnalysisPolicy,
  type AnalysisSettings,
  analysisSettings,
  type ErrorSettings,
  type LatencySettings,
  lookLine,
  openAnalysis,
  type PredictionSettings,
  parseLooks,
  type ReplayedLook,
  type RewardSettings,
  replay,
  runLine,
} from './analysis/index.ts';
export type { AnalysisVerdict, MetricEvidence } from './analysis-verdict.ts';
export type { Analysed, Analyst, Look, LookStage, OpenAnalyst } from './analyst.ts';
export { type AccountPlace, leastPermissions, type PermissionPolicy } from './aws/least-permissions.ts';
export { type Clock, steadyClock } from './clock.ts';
export { type EndOptions, endRollout } from './end-rollout.ts';
export { type GuardOrder, guardArguments } from './guard/guard-order.ts';
export type { Guarded } from './guard/lease-guard.ts';
export { type Manifest, type RolloutSubject, roleManifests } from './guard/role-manifests.ts';
export { runGuard } from './guard/run-guard.ts';
export type { RolloutOptions, Turn } from './live-rollout.ts';
export { LookLog } from './look-log.ts';
export { type CloudWatchOptions, openCloudWatch } from './metrics/cloudwatch.ts';
export { type DatadogOptions, openDatadog } from './metrics/datadog.ts';
export { type ArmSelector, openPrometheus, type PrometheusOptions } from './metrics/prometheus.ts';
export { openProxyMetrics } from './metrics/proxy.ts';
export { openScrape, type ScrapeArm, type ScrapeOptions, type ScrapeTarget } from './metrics/scrape.ts';
export type { HistogramCounts, MetricsSource, Reading, SeriesCounts } from './metrics-source.ts';
export { type NoticeTarget, noticeUrl } from './notices/post-json.ts';
export { annotateGrafana, type RolloutNotice, sendToWebhook } from './notices/rollout-notice.ts';
export { type OpenMetricsOptions, openMetrics } from './open-metrics.ts';
export { type OpenTrafficOptions, openTraffic } from './open-traffic.ts';
export { type OrderOptions, orderRollout } from './order-rollout.ts';
export { type CanaryPlan, measureTraffic, type PlannedTraffic, type PlanOptions, planCanary } from './plan/index.ts';
export { type ProxyOptions, type RunningProxy, startProxy } from './proxy/reverse-proxy.ts';
export { rolloutChecks } from './rollout-checks.ts';
export { type RolloutResult, runRollout } from './run-rollout.ts';
export { analysisOfPolicy, settingsOfPolicy } from './settings-of-policy.ts';
export {
  type SimulatedPolicy,
  type SimulationSummary,
  simulateRollout,
  summarised,
  type TrafficShape,
  trafficShapes,
} from './simulation/index.ts';
export { durationText } from './state/duration-text.ts';
export {
  type Command,
  commands,
  isOver,
  type Phase,
  parseRecord,
  type RolloutRecord,
  recordText,
} from './state/record.ts';
export type { RolloutSettings } from './state/settings.ts';
export { RolloutStory } from './story.ts';
export type { AdaptiveStrategy, StepsStrategy, Strategy } from './strategy/strategy.ts';
export { type LocalTrafficOptions, openLocalTraffic } from './traffic/local.ts';
export { kubernetesTrafficOf } from './traffic/policy-traffic.ts';
export {
  type StoredRecord,
  type Traffic,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from './traffic-provider.ts';
