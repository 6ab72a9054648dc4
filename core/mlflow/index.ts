/**
 * Reading an MLflow tracking server: registered models and their aliases, runs and their metrics, files through the server's own proxy.
 * Nothing is ever written there.
 *
 * @module
 */

export { type MlflowReader, type ModelVersion, openMlflow, type Run } from './mlflow-reader.ts';
export { type Environment, type TrackingServer, trackingServerOf } from './tracking-server.ts';
