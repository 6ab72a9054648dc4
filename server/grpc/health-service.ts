import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type ServiceDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { bytesMethod, type CallOptions, type Unary } from './grpc-calls.ts';
import { refused } from './grpc-status.ts';

/**
 * `grpc.health.v1.Health/Check`, which Kubernetes' gRPC probes and grpc_health_probe ask: the server's readiness for the empty name, a
 * model's for its name. https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export const healthService: ServiceDefinition = { Check: bytesMethod('/grpc.health.v1.Health/Check') };

/** HealthCheckResponse with field 1, `status`. */
const serving = Uint8Array.of(0x08, 1);
const notServing = Uint8Array.of(0x08, 2);

export function healthCalls({ engine, draining }: CallOptions): UntypedServiceImplementation {
  const check: Unary = ({ request }, done) => {
    let service: string;
    try {
      service = serviceOf(request);
    } catch {
      return done(refused(status.INVALID_ARGUMENT, 'this is no HealthCheckRequest'));
    }
    if (service !== '' && !engine.versions().some(({ model }) => model === service)) {
      return done(refused(status.NOT_FOUND, 'there is no such model here'));
    }
    const ready = service === '' ? engine.ready : engine.find(service)?.state === 'ready';
    done(null, ready && !draining() ? serving : notServing);
  };
  return { Check: check };
}

/** HealthCheckRequest has one field, the name of a service. */
function serviceOf(request: Uint8Array): string {
  const reader = new BinaryReader(request);
  let service = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) service = reader.string(true);
    else reader.skip(wireType, field);
  }
  return service;
}
