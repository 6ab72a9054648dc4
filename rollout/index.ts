/**
 * Opening traffic to a canary by degrees: what moves it, what watches it, the persisted state machine between them. Knows nothing of
 * GitHub: the action and the command use it, and so does the guard inside a cluster.
 *
 * @module
 */
export type { AnalysisVerdict, MetricEvidence } from './analysis-verdict.ts';
export type { Analysed, Analyst, Look, LookStage, OpenAnalyst } from './analyst.ts';
export type { HistogramCounts, MetricsSource, Reading, SeriesCounts } from './metrics-source.ts';
export {
  type Command,
  commands,
  isOver,
  type Phase,
  parseRecord,
  type RolloutRecord,
  recordText,
} from './state/record.ts';
export {
  type StoredRecord,
  type Traffic,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from './traffic-provider.ts';
