/**
 * Readings of both arms, look by look, made into evidence that holds at every look, and a verdict.
 *
 * @module
 */

export { errorShareTest, startErrors } from './error-metric.ts';
export { addExposure, type Exposure, exposureProgress, noExposure, powerReached, severityAt } from './exposure.ts';
export { lookLine, parseLooks, type RecordedLook, type RecordedRun, runLine } from './look-file.ts';
export { openAnalysis } from './open-analysis.ts';
export { type ReplayedLook, replay } from './replay.ts';
export {
  type AgreementSettings,
  type AnalysisPolicy,
  type AnalysisSettings,
  analysisSettings,
  type ErrorSettings,
  type LatencySettings,
  type PredictionSettings,
  type RewardSettings,
} from './settings.ts';
