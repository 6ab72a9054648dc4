/**
 * Engines that keep tables elsewhere and answer SQL about them: Trino over HTTP, Amazon Athena. A file's engine is DuckDB, in `core/data`.
 *
 * @module
 */
export type { AthenaPlace } from './athena-engine.ts';
export { cancelledWithTheProcess } from './interruption.ts';
export { openAthena, openTrino } from './open-engine.ts';
export type { OpenTableOptions, TableEngine } from './table-engine.ts';
export { baseTypeOf } from './trino-column-type.ts';
export type { TrinoPlace } from './trino-engine.ts';
export { trinoFingerprint } from './trino-fingerprint.ts';
