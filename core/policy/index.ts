/**
 * `sluice.yaml`: reading it strictly, the stricter of two, waivers, and its JSON Schema.
 *
 * @module
 */
export {
  type CanaryMetrics,
  type CanaryPolicy,
  type CanaryTraffic,
  canarySchema,
  servingNames,
} from './canary-schema.ts';
export type { Champion, RegisteredChampion, ReleasedChampion } from './champion-schema.ts';
export {
  type DataCheck,
  type DataCheckName,
  type DataCheckOptions,
  type DataSource,
  dataChecks,
} from './data-schema.ts';
export { policyDefaults } from './defaults.ts';
export {
  type DriftBound,
  type DriftMeasure,
  type DriftPolicy,
  type DriftSide,
  driftBoundsOf,
  driftMeasures,
} from './drift-schema.ts';
export { durationMs } from './duration.ts';
export { type EngineName, type Engines, engineNames, type SourceOfRows } from './engines-schema.ts';
export { type EpisodesPolicy, episodeGateNames } from './episodes-schema.ts';
export type { ExplainPolicy } from './explain-schema.ts';
export type { Guardrail } from './guardrail-schema.ts';
export { policyJsonSchema, policyJsonSchemaText } from './json-schema.ts';
export type { LoadedPolicy } from './loaded-policy.ts';
export { type MetricRange, rangeOf } from './metric-range.ts';
export { maximumChecks, maximumPolicyBytes, parsePolicy } from './parse-policy.ts';
export { parseStrictly } from './parse-strictly.ts';
export type { PolicyPath } from './policy-path.ts';
export { defaultsOf, type PolicySettings } from './policy-settings.ts';
export { readPolicy } from './read-policy.ts';
export {
  type CustomMetric,
  classificationMetrics,
  type FairnessMetric,
  fairnessMetrics,
  type Gates,
  type MetricBound,
  type MetricName,
  metricNames,
  multiLabelMetrics,
  type Policy,
  policySchema,
  rankingMetrics,
  regressionMetrics,
  type Variant,
  type Waiver,
} from './schema.ts';
export {
  isCondition,
  type SliceCondition,
  type SliceCut,
  type SliceDeclaration,
} from './slice-schema.ts';
export { type SmokePolicy, type SmokeQuestion, tensorProtocols, textProtocols } from './smoke-schema.ts';
export { sourceName } from './source-name.ts';
export type {
  EndpointSource,
  PredictionsSource,
  RunSource,
  SourceKind,
} from './source-schema.ts';
export { type EffectivePolicy, headOnly, stricterOf } from './stricter-policy.ts';
export { sourceKindOf } from './stricter-source.ts';
export { applyWaivers, type WaivedChecks, type WaiverOptions } from './waivers.ts';
export type { WeakSlicePolicy } from './weak-slice-schema.ts';
export type { RowCondition, Where } from './where-schema.ts';
export { oneLineYaml } from './yaml-text.ts';
