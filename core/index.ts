/**
 * `sluice/core`: everything that is pure knowledge, by room. `import { metrics, policy } from 'sluice/core'`, or one room alone:
 * `import { parsePolicy } from 'sluice/core/policy'`.
 */
export * as awsPermissions from './aws-permissions/index.ts';
export * as data from './data/index.ts';
export * as drift from './drift/index.ts';
export * as engines from './engines/index.ts';
export * as evaluation from './evaluation/index.ts';
export * as host from './host/index.ts';
export * as http from './http/index.ts';
export * as inference from './inference/index.ts';
export * as metrics from './metrics/index.ts';
export * as mlflow from './mlflow/index.ts';
export * as native from './native/index.ts';
export * as onnx from './onnx/index.ts';
export * as policy from './policy/index.ts';
export * as problem from './problem/index.ts';
export * as report from './report/index.ts';
export * as s3 from './s3/index.ts';
export * as statistics from './statistics/index.ts';
export * as telemetry from './telemetry/index.ts';
export * as text from './text/index.ts';
