/**
 * The gRPC front of the server: the Open Inference Protocol v2 with Triton's repository calls, and the standard health check.
 * @module
 */
export { type GrpcFront, type GrpcOptions, startGrpc } from './start-grpc.ts';
