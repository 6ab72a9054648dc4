/**
 * HTTP to servers that a user names: no answer without a reason, no secret in a message, none of the addresses where clouds keep
 * credentials, no redirect that carries a token elsewhere.
 *
 * @module
 */

export { AwsTransport, awsTransport } from './aws-transport.ts';
export { connectionProblem } from './connection-problem.ts';
export { bareHost, isForbiddenAddress, isLoopbackHost } from './forbidden-address.ts';
export { checkHeaders, type Headers, mergeHeaders } from './header-list.ts';
export {
  checkUrl,
  type HttpAnswer,
  type HttpChunk,
  type HttpClient,
  type HttpOptions,
  type HttpRequest,
  type HttpStream,
  lookupOutside,
  openHttp,
  trusted,
} from './http-client.ts';
export type { HttpTarget } from './http-target.ts';
export { type Hide, hiding, said, secretWords } from './secret-words.ts';
export type { WireRequest } from './wire-request.ts';
