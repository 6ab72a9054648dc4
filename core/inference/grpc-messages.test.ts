import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { decodeGrpc, encodeGrpc, type GrpcMessageName, grpcCalls, grpcPath, MessageError, protoText } from './index.ts';

const root = protobuf.parse(protoText).root;
const service = root.lookupService('inference.GRPCInferenceService');

describe('the messages of the gRPC service', () => {
  test('the calls are those of the proto', () => {
    expect(service.methodsArray.map(({ name }) => name).toSorted()).toEqual([...grpcCalls].toSorted());
    expect(grpcPath('ModelInfer')).toBe('/inference.GRPCInferenceService/ModelInfer');
  });

  test('come back as they were written, 64-bit sizes as numbers', () => {
    const metadata = {
      name: 'churn',
      versions: ['1', '2'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 30] }],
      outputs: [],
    };
    expect(decodeGrpc('ModelMetadataResponse', encodeGrpc('ModelMetadataResponse', metadata))).toEqual(metadata);
    const index = { models: [{ name: 'churn', version: '2', state: 'READY', reason: '' }] };
    expect(decodeGrpc('RepositoryIndexResponse', encodeGrpc('RepositoryIndexResponse', index))).toEqual(index);
  });

  test('have every member when they are read from nothing', () => {
    const empty = new Uint8Array();
    expect(decodeGrpc('ServerReadyResponse', empty)).toEqual({ ready: false });
    expect(decodeGrpc('ModelReadyRequest', empty)).toEqual({ name: '', version: '' });
    expect(decodeGrpc('ServerMetadataResponse', empty)).toEqual({ name: '', version: '', extensions: [] });
    expect(decodeGrpc('RepositoryIndexRequest', empty)).toEqual({ repositoryName: '', ready: false });
    expect(decodeGrpc('RepositoryModelLoadRequest', empty)).toMatchObject({ repositoryName: '', modelName: '' });
  });

  test('random bytes give a MessageError or a message', () => {
    const names = [
      'ModelMetadataResponse',
      'RepositoryIndexResponse',
      'RepositoryModelLoadRequest',
      'ModelReadyRequest',
    ] as const satisfies readonly GrpcMessageName[];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 100 }), (name, bytes) => {
        try {
          decodeGrpc(name, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
        }
      }),
    );
  });
});
