/**
 * Where ONNX Runtime and DuckDB come from. Importing this is cheap: nothing native and nothing that downloads is loaded before it is
 * asked for.
 * @module
 */
export { type BareSession, openBareSession } from './bare-session.ts';
export { bringNativeParts, type FillOptions } from './fill-directory.ts';
export {
  type DuckDb,
  loadDuckDb,
  loadOnnxRuntime,
  locateOnnxRuntime,
  type OnnxRuntime,
  withoutTelemetry,
} from './load.ts';
export type { NativeOptions, Patience } from './options.ts';
export { nativeVersions, type PartName } from './parts.ts';
export { proxyFor } from './proxy.ts';
export { userCache } from './user-cache.ts';
