/**
 * Load over HTTP: many requests, and how long each took. Built to measure small latencies truly; `HttpClient` is for asking well.
 *
 * @module
 */
export { type LoadOptions, loadHttp } from './load-http.ts';
export type { LoadShape } from './load-shape.ts';
export type { AnswerCheck, LoadFailure, LoadResult } from './tally.ts';
