/**
 * Reading, judging and running ONNX models: facts without loading, a safety scan before loading, and a session that gives the same
 * numbers every time.
 * @module
 */
export type { Computation } from './computation.ts';
export type { ElementType } from './element-type.ts';
export { type ModelFacts, readModelFacts } from './facts.ts';
export { feedProblems } from './feeds.ts';
export { float16ToNumber, numberToFloat16 } from './float16.ts';
export type { InferenceLimits } from './inference-process.ts';
export type { ColdStart, Timetable } from './inference-program.ts';
export { externalDataNames, type ScanOptions } from './inspection.ts';
export { type Model, type OpenOptions, openModel } from './model.ts';
export {
  classifierModel,
  floatTensor,
  identityModel,
  linearModel,
  type ModelToWrite,
  writeModel,
} from './model-writer.ts';
export type { UnsafeNeighbour } from './neighbours.ts';
export { scanModel } from './scan.ts';
export { repeatableSession, silentRun } from './session-options.ts';
export { type Signature, type SignatureChange, signatureChanges } from './signature.ts';
export type { ElementUse, Opset } from './structure.ts';
export {
  arrayOf,
  type CompositeType,
  describeTensor,
  type Feeds,
  isRunnable,
  type Outputs,
  type RunnableType,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from './tensor.ts';
export { coldStartOf, type ModelToTime, Timer, type TimerOptions } from './timer.ts';
