/**
 * The HTTP front of the server: the Open Inference Protocol v2 with Triton's repository and statistics extensions, and `/metrics`.
 * @module
 */
export { AccessLog, type AccessLogOptions } from './access-log.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { type HttpFront, type HttpOptions, openHttp } from './open-http.ts';
