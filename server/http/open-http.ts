import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { InputError, PeerError } from '../../core/problem/index.ts';
import type { Exposition, MeteredEngine } from '../metrics/index.ts';
import type { AccessLog } from './access-log.ts';
import { BearerToken } from './bearer-token.ts';
import { BodyBudget } from './body-budget.ts';
import { controlRoutes } from './control-routes.ts';
import { FastConnection } from './fast-connection.ts';
import { InferenceService } from './inference-service.ts';
import { defaultLimits, type Limits } from './limits.ts';

export interface HttpOptions {
  readonly engine: MeteredEngine;
  readonly exposition: Exposition;
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** Several processes may listen on the port; the system spreads connections over them. */
  readonly reusePort: boolean;
  readonly token: string | undefined;
  readonly openMetrics: boolean;
  readonly modelControl: boolean;
  readonly limits: Partial<Limits>;
  readonly log: AccessLog | undefined;
}

/** The HTTP front: listens, and stops without losing a request. */
export interface HttpFront {
  readonly port: number;
  /** `ready` turns 503 and every answer ends its connection; requests are still taken. */
  announceEnd(): void;
  /**
   * Takes no new connections, answers what is on its way, and ends.
   * @param quietMs a connection without a request for this long is closed; a client of one that is used would have sent by then
   * @param patienceMs connections that are still open then are cut
   */
  end(quietMs: number, patienceMs: number): Promise<void>;
}

/**
 * Listens for HTTP. Each connection begins in the fast lane (`FastConnection`) and moves to Node's HTTP server and Fastify with the first
 * request that is not plain inference. Throws an InputError when the address cannot be listened on.
 */
export async function openHttp(options: HttpOptions): Promise<HttpFront> {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const { engine, log } = options;
  const service = new InferenceService(engine);
  const budget = new BodyBudget(limits.maxBufferedBytes);
  const token = options.token === undefined ? undefined : new BearerToken(options.token);
  const sockets = new Set<Socket>();
  const fast = new Set<FastConnection>();
  let draining = false;

  const makeServer = (handler: Parameters<typeof createServer>[1]): Server => {
    const server = createServer(
      {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        keepAliveTimeout: limits.keepAliveTimeoutMs,
        connectionsCheckingInterval: 1000,
        noDelay: true,
      },
      handler,
    );
    server.maxConnections = limits.maxConnections;
    // Node's own way to take a connection, kept for those that leave the fast lane.
    const [general] = server.listeners('connection');
    server.removeAllListeners('connection');
    const lane = {
      service,
      limits,
      budget,
      token,
      log,
      get draining() {
        return draining;
      },
      handOver(socket: Socket, unread: Buffer): void {
        socket.pause();
        socket.unshift(unread);
        general?.call(server, socket);
        socket.resume();
      },
      closed(connection: FastConnection): void {
        fast.delete(connection);
      },
    };
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      fast.add(new FastConnection(lane, socket));
    });
    return server;
  };

  const app = controlRoutes({
    engine,
    service,
    exposition: options.exposition,
    limits,
    budget,
    token,
    openMetrics: options.openMetrics,
    modelControl: options.modelControl,
    log,
    draining: () => draining,
    makeServer,
  });
  await app.ready();
  const { server } = app;
  await listen(server, options);
  const sweep = setInterval(() => {
    const now = performance.now();
    for (const connection of fast) connection.sweep(now);
  }, 1000).unref();

  return {
    port: (server.address() as AddressInfo).port,
    announceEnd: () => {
      draining = true;
    },
    end: async (quietMs, patienceMs) => {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const start = performance.now();
      const leave = setInterval(() => {
        const now = performance.now();
        const over = now - start >= quietMs;
        for (const connection of fast) if (over || connection.idleFor(now) >= quietMs) connection.endIfIdle();
        if (over) server.closeIdleConnections();
        if (now - start >= patienceMs) for (const socket of sockets) socket.destroy();
      }, 10);
      await closed;
      clearInterval(leave);
      clearInterval(sweep);
      await app.close();
    },
  };
}

function listen(server: Server, { address, port, reusePort }: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => reject(listenError(cause, address, port));
    server.once('error', fail);
    server.listen({ host: address, port, reusePort, backlog: 1024 }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, address: string, port: number): Error {
  const place = `${address}:${port}`;
  switch (cause.code) {
    case 'EADDRINUSE':
      return new InputError(
        {
          code: 'port-in-use',
          message: `another program already listens on ${place}`,
          fix: 'End that program, or choose another port with --port (0 takes any that is free).',
        },
        { cause },
      );
    case 'EACCES':
      return new InputError(
        {
          code: 'port-not-allowed',
          message: `this user may not listen on ${place}`,
          fix: 'Choose a port above 1023 with --port.',
        },
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new InputError(
        {
          code: 'no-such-address',
          message: `this machine has no address ${address}`,
          fix: 'Use --host 127.0.0.1 for this machine alone, or --host 0.0.0.0 for every network it is on.',
        },
        { cause },
      );
    default:
      return new PeerError(
        {
          code: 'cannot-listen',
          message: `cannot listen on ${place}`,
          found: cause.message,
          fix: 'Choose another --host or --port.',
        },
        { cause },
      );
  }
}
