import {
  logVerbosity,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import { grpcPath } from '../../core/inference/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { BearerToken } from '../http/bearer-token.ts';
import { type CallEngine, inferenceCalls, inferenceService } from './grpc-calls.ts';
import { healthCalls, healthService } from './health-service.ts';

export interface GrpcOptions {
  readonly engine: CallEngine;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Callers must send `authorization: Bearer TOKEN` in their metadata; health and readiness of the server stay open. */
  readonly token?: string;
  /** Bytes of one message, after decompression. More is RESOURCE_EXHAUSTED. @default 67108864 (64 MiB) */
  readonly maxMessageBytes?: number;
  /** Calls at once on one connection; further ones wait at the client. @default 128 */
  readonly maxCalls?: number;
  /** Models can be loaded and unloaded. @default false */
  readonly modelControl?: boolean;
}

export interface GrpcFront {
  readonly port: number;
  /** Nothing is ready from now on; calls are still taken. */
  announceEnd(): void;
  /**
   * Takes no more calls, tells clients to go elsewhere, and resolves when those taken are answered.
   * @param patienceMs calls that are still open then are cut. @default never
   */
  drain(patienceMs?: number): Promise<void>;
  /** Ends everything at once. */
  close(): void;
}

/**
 * Serves GRPCInferenceService (Open Inference Protocol v2 with Triton's repository calls) and `grpc.health.v1.Health/Check` for an
 * engine, without TLS. Throws an InputError when the port cannot be had.
 */
export async function startGrpc(options: GrpcOptions): Promise<GrpcFront> {
  const { engine, host = '127.0.0.1', token, maxMessageBytes = 64 * 2 ** 20, maxCalls = 128 } = options;
  // What goes wrong is thrown or answered here; grpc-js would write it to stderr as well, past every log.
  setLogVerbosity(logVerbosity.NONE);
  let draining = false;
  const calls = { engine, modelControl: options.modelControl ?? false, draining: () => draining };
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': maxCalls,
    // Channelz stays on: without it grpc-js 1.14 does not know its connections and forceShutdown leaves them open.
    ...(token === undefined ? {} : { interceptors: [tokenCheck(new BearerToken(token))] }),
  });
  server.addService(inferenceService, inferenceCalls(calls));
  server.addService(healthService, healthCalls(calls));
  const port = await bind(server, host, options.port);
  let ended: Promise<void> | undefined;
  const announceEnd = (): void => {
    draining = true;
  };
  return {
    port,
    announceEnd,
    drain: (patienceMs): Promise<void> => {
      announceEnd();
      ended ??= new Promise((resolve) => {
        const cut = patienceMs === undefined ? undefined : setTimeout(() => server.forceShutdown(), patienceMs);
        server.tryShutdown(() => {
          clearTimeout(cut);
          resolve();
        });
      });
      return ended;
    },
    close: (): void => {
      announceEnd();
      server.forceShutdown();
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) return resolve(bound);
      server.forceShutdown();
      reject(
        new InputError(
          {
            code: 'port-not-bound',
            message: `the gRPC server cannot listen on ${excerpt(address)}`,
            found: excerpt(error.message, 200),
            fix: 'Choose another port (0 takes any that is free), or end the program that has it.',
          },
          { cause: error },
        ),
      );
    });
  });
}

/** What probes ask before anybody can give them a token. */
const open = new Set([grpcPath('ServerLive'), grpcPath('ServerReady'), '/grpc.health.v1.Health/Check']);

/** Turns calls without the token away before their message is read. */
function tokenCheck(token: BearerToken): ServerInterceptor {
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => {
        const listener = new ServerListenerBuilder()
          .withOnReceiveMetadata((metadata, proceed) => {
            const [authorization] = metadata.get('authorization');
            if (open.has(method.path) || token.allows(authorization?.toString('latin1'))) return proceed(metadata);
            call.sendStatus({
              code: status.UNAUTHENTICATED,
              details: 'send the metadata authorization: Bearer with the token of this server',
            });
          })
          .build();
        next(listener);
      },
    });
}
