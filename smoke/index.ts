/**
 * Talking to running model servers: one protocol a file behind one interface, load, and the smoke plan.
 *
 * @module
 */

export { type LoadOptions, type LoadResult, type LoadShape, loadHttp } from './load/index.ts';
export { type OpenProtocolOptions, openProtocol, protocolNames } from './open-protocol.ts';
export { durationWords, millisecondsOf } from './plan/duration.ts';
export { casesOfFile } from './plan/feeds-file.ts';
export { type GoldenCase, type GoldenCases, spread } from './plan/golden-case.ts';
export type { LocalModel, PlanOptions, SmokeFindings } from './plan/plan-options.ts';
export { type PreparedQuestion, prepareQuestions } from './plan/question.ts';
export { runPlan } from './plan/run-plan.ts';
export type {
  Answer,
  AnyProtocol,
  Protocol,
  ProtocolName,
  Question,
  Readiness,
  ServedModel,
  Specs,
  TensorProtocol,
  TextAnswer,
  TextProtocol,
  WireRequest,
} from './protocol.ts';
export { textOnServer } from './server-text.ts';
export type { Target } from './target.ts';
