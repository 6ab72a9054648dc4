import protobuf from 'protobufjs';
import { decoding } from './message-error.ts';
import { protoText } from './proto-text.ts';
import type { TensorMetadata } from './tensor-metadata.ts';

/** The messages of the service that are read and written as objects; ModelInfer's have their own codec (`grpc-infer.ts`). */
export interface GrpcMessages {
  readonly ServerLiveRequest: Readonly<Record<never, never>>;
  readonly ServerLiveResponse: { readonly live: boolean };
  readonly ServerReadyRequest: Readonly<Record<never, never>>;
  readonly ServerReadyResponse: { readonly ready: boolean };
  readonly ModelReadyRequest: { readonly name: string; readonly version: string };
  readonly ModelReadyResponse: { readonly ready: boolean };
  readonly ServerMetadataRequest: Readonly<Record<never, never>>;
  readonly ServerMetadataResponse: {
    readonly name: string;
    readonly version: string;
    readonly extensions: readonly string[];
  };
  readonly ModelMetadataRequest: { readonly name: string; readonly version: string };
  readonly ModelMetadataResponse: {
    readonly name: string;
    readonly versions: readonly string[];
    readonly platform: string;
    readonly inputs: readonly TensorMetadata[];
    readonly outputs: readonly TensorMetadata[];
  };
  readonly RepositoryIndexRequest: { readonly repositoryName: string; readonly ready: boolean };
  readonly RepositoryIndexResponse: {
    readonly models: readonly {
      readonly name: string;
      readonly version: string;
      readonly state: string;
      readonly reason: string;
    }[];
  };
  readonly RepositoryModelLoadRequest: { readonly repositoryName: string; readonly modelName: string };
  readonly RepositoryModelLoadResponse: Readonly<Record<never, never>>;
  readonly RepositoryModelUnloadRequest: { readonly repositoryName: string; readonly modelName: string };
  readonly RepositoryModelUnloadResponse: Readonly<Record<never, never>>;
}

export type GrpcMessageName = keyof GrpcMessages;

let parsed: protobuf.Root | undefined;

function typeOf(message: string): protobuf.Type {
  parsed ??= protobuf.parse(protoText).root;
  return parsed.lookupType(`inference.${message}`);
}

/** Writes a message; members that are left out have protobuf's default. */
export function encodeGrpc<Name extends GrpcMessageName>(name: Name, message: Partial<GrpcMessages[Name]>): Uint8Array {
  return typeOf(name).encode(typeOf(name).fromObject(message)).finish();
}

/**
 * Reads a message with every member; 64-bit integers (sizes of a shape) are numbers.
 * @throws MessageError for bytes that are no such message
 */
export function decodeGrpc<Name extends GrpcMessageName>(name: Name, bytes: Uint8Array): GrpcMessages[Name] {
  return decoding(`${name} message`, () => {
    const type = typeOf(name);
    // Its fields are those of the interface above: both are written after the same source, and a test compares them.
    return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true }) as GrpcMessages[Name];
  });
}

/** The calls of the service, each with the path that HTTP/2 carries. */
export const grpcCalls = [
  'ServerLive',
  'ServerReady',
  'ModelReady',
  'ServerMetadata',
  'ModelMetadata',
  'ModelInfer',
  'RepositoryIndex',
  'RepositoryModelLoad',
  'RepositoryModelUnload',
] as const;

export type GrpcCall = (typeof grpcCalls)[number];

export function grpcPath(call: GrpcCall): string {
  return `/inference.GRPCInferenceService/${call}`;
}
