/**
 * The Open Inference Protocol v2 (KServe, Triton, MLServer) on the wire: requests and responses of HTTP with Triton's binary tensor
 * extension, and of gRPC; both directions, for server and client. Bytes in, tensors out: nothing here opens a connection.
 * @module
 */
export { type Datatype, datatypeOf, datatypes, runnableTypeOf } from './datatype.ts';
export {
  decodeModelInferRequest,
  decodeModelInferResponse,
  encodeModelInferRequest,
  encodeModelInferResponse,
  type GrpcInferRequest,
} from './grpc-infer.ts';
export {
  decodeGrpc,
  encodeGrpc,
  type GrpcCall,
  type GrpcMessageName,
  type GrpcMessages,
  grpcCalls,
  grpcPath,
} from './grpc-messages.ts';
export { type HttpMessage, headerLengthName } from './http-message.ts';
export { decodeInferRequest, encodeInferRequest, type InferRequest, type RequestedOutput } from './infer-request.ts';
export { decodeInferResponse, encodeInferResponse, type InferAnswer, type InferResponse } from './infer-response.ts';
export { type JsonData, tensorOfJson } from './json-data.ts';
export { type JsonDocument, parseJson } from './json-text.ts';
export { type MessageLimits, messageLimits } from './limits.ts';
export { FaultError, MessageError } from './message-error.ts';
export { protoText } from './proto-text.ts';
export { specsOfMetadata, type TensorMetadata, tensorMetadata } from './tensor-metadata.ts';
