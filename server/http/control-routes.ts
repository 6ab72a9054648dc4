import type { Server } from 'node:http';
import type { Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods } from 'fastify';
import { tensorMetadata } from '../../core/inference/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import manifest from '../../package.json' with { type: 'json' };
import type { ServedVersion } from '../engine/index.ts';
import { type Exposition, type MeteredEngine, modelStatistics } from '../metrics/index.ts';
import type { AccessLog } from './access-log.ts';
import type { BearerToken } from './bearer-token.ts';
import type { BodyBudget } from './body-budget.ts';
import type { InferenceAnswer, InferenceService } from './inference-service.ts';
import type { Limits } from './limits.ts';
import { BodyRefused, type ReceivedBody, receiveBody } from './received-body.ts';
import { type Refusal, withoutPaths } from './refusal.ts';

export interface ControlOptions {
  readonly engine: MeteredEngine;
  readonly service: InferenceService;
  readonly exposition: Exposition;
  readonly limits: Limits;
  readonly budget: BodyBudget;
  readonly token: BearerToken | undefined;
  /** `/metrics` needs no token. */
  readonly openMetrics: boolean;
  /** Models can be loaded and unloaded. */
  readonly modelControl: boolean;
  readonly log: AccessLog | undefined;
  /** Asked at each request. */
  readonly draining: () => boolean;
  readonly makeServer: (handler: Parameters<typeof import('node:http').createServer>[1] & {}) => Server;
}

const allMethods: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

type ModelRoute = { Params: { readonly model: string; readonly version?: string } };

/**
 * Every route, on Fastify: health, metadata, the model repository, statistics, metrics; and inference for requests the fast lane left
 * (chunked, compressed, large, escaped).
 */
export function controlRoutes(options: ControlOptions): FastifyInstance {
  const { engine, service, exposition, limits, budget, token, openMetrics, modelControl, log, draining } = options;
  const app = fastify({
    serverFactory: (handler) => options.makeServer((request, response) => handler(request, response)),
    logger: false,
    // Bodies are read by `receiveBody`, which counts what comes out of decompression.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy();
      const [status, message] = clientErrors[error.code ?? ''] ?? ['400 Bad Request', 'this is not HTTP/1.1'];
      const body = JSON.stringify({ error: message });
      socket.end(
        `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request: FastifyRequest, payload: Readable) =>
    receiveBody(request.raw, payload, { limit: limits.maxBodyBytes, budget }),
  );

  const open = (url: string): boolean => url.startsWith('/v2/health/') || (openMetrics && url === '/metrics');
  app.addHook('onRequest', async (request, reply) => {
    if (draining()) reply.header('connection', 'close');
    if (token !== undefined && !open(request.url) && !token.allows(request.headers.authorization)) {
      return reply
        .code(401)
        .headers({ 'www-authenticate': 'Bearer', connection: 'close' })
        .send({ error: 'send Authorization: Bearer with the token of this server' });
    }
    return undefined;
  });
  app.addHook('preHandler', async (request, reply) => {
    const body = request.body as ReceivedBody | undefined;
    if (body !== undefined) reply.raw.once('close', () => body.release());
  });
  app.addHook('onResponse', async (request, reply) => {
    if (log?.wants(reply.statusCode) !== true) return;
    log.request({
      method: request.method,
      path: request.url.split('?')[0] ?? '',
      status: reply.statusCode,
      milliseconds: reply.elapsedTime,
      bytesIn: Number(request.headers['content-length'] ?? 0),
      bytesOut: Number(reply.getHeader('content-length') ?? 0),
      remote: request.socket.remoteAddress,
    });
  });
  app.setErrorHandler((error, _, reply) => {
    const status = statusOf(error);
    // A stack or a path is for the log, not for a stranger.
    const message = status < 500 || error instanceof BodyRefused ? messageOf(error) : 'the server failed';
    if (status >= 500 && !(error instanceof BodyRefused)) log?.event('error', { message: messageOf(error) });
    if (error instanceof BodyRefused) reply.header('connection', 'close');
    if (status === 503) reply.header('retry-after', '1');
    return reply.code(status).send({ error: excerpt(withoutPaths(message), 500) });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'there is no such route; /v2 is the start' }));

  /** A route with one method; the others are told so (405), which Fastify by itself calls not found. */
  const route = (
    method: 'GET' | 'POST',
    urls: readonly string[],
    handler: (request: FastifyRequest<ModelRoute>, reply: FastifyReply) => unknown,
  ): void => {
    const allowed = method === 'GET' ? 'GET, HEAD' : 'POST';
    for (const url of urls) {
      app.route<ModelRoute>({ method, url, handler: async (request, reply) => handler(request, reply) });
      app.route({
        method: allMethods.filter((each) => each !== method),
        url,
        handler: (_, reply) =>
          reply
            .code(405)
            .header('allow', allowed)
            .send({ error: `this route takes ${allowed} only` }),
      });
    }
  };
  const ofModel = (rest: string): readonly string[] => [
    `/v2/models/:model${rest}`,
    `/v2/models/:model/versions/:version${rest}`,
  ];
  const versionsOf = ({ params }: FastifyRequest<ModelRoute>): readonly ServedVersion[] =>
    engine.versions().filter(({ model, version }) => model === params.model && (params.version ?? version) === version);
  const unknown = (reply: FastifyReply): FastifyReply =>
    reply.code(404).send({ error: 'there is no such model or version here; POST /v2/repository/index lists them' });

  route('GET', ['/', '/v2'], () => ({
    name: 'sluice',
    version: manifest.version,
    extensions: ['model_repository', 'binary_tensor_data', 'statistics'],
  }));
  route('GET', ['/v2/health/live'], () => ({ live: true }));
  route('GET', ['/v2/health/ready'], (_, reply) => {
    const ready = engine.ready && !draining();
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  route('GET', ['/v2/models'], () => ({ models: [...new Set(engine.versions().map(({ model }) => model))] }));
  route('GET', ['/v2/models/stats'], () => ({ model_stats: engine.meters().map(modelStatistics) }));
  route('GET', ofModel('/stats'), (request, reply) => {
    const wanted = versionsOf(request);
    if (wanted.length === 0) return unknown(reply);
    return {
      model_stats: engine
        .meters()
        .filter((meter) => wanted.some(({ model, version }) => model === meter.model && version === meter.version))
        .map(modelStatistics),
    };
  });
  route('GET', ofModel(''), (request, reply) => {
    const versions = versionsOf(request);
    const { model, version } = request.params;
    // Without a version: the one that answers. Where none does, whichever there is.
    const shown = engine.find(model, version) ?? versions.at(-1);
    if (shown === undefined) return unknown(reply);
    return {
      name: shown.model,
      versions: versions.map((each) => each.version),
      platform: 'onnxruntime_onnx',
      inputs: tensorMetadata(shown.inputs),
      outputs: tensorMetadata(shown.outputs),
      parameters: { version: shown.version, sha256: shown.sha256, md5: shown.md5 },
    };
  });
  route('GET', ofModel('/ready'), (request, reply) => {
    const versions = versionsOf(request);
    if (versions.length === 0) return unknown(reply);
    const ready = versions.some(({ state }) => state === 'ready') && !draining();
    return reply.code(ready ? 200 : 503).send({ name: request.params.model, ready });
  });
  route('POST', ['/v2/repository/index'], () =>
    engine.versions().map(({ model, version, state, error }) => ({
      name: model,
      version,
      state: state.toUpperCase(),
      reason: error === undefined ? '' : excerpt(withoutPaths(error), 500),
    })),
  );
  const control =
    (work: (model: string) => Promise<void>) =>
    async (request: FastifyRequest<ModelRoute>, reply: FastifyReply): Promise<unknown> => {
      if (!modelControl) {
        return reply
          .code(403)
          .send({ error: 'loading and unloading is off; the server is started with --model-control to allow it' });
      }
      await work(request.params.model);
      return {};
    };
  route(
    'POST',
    ['/v2/repository/models/:model/load'],
    control((model) => engine.load(model)),
  );
  route(
    'POST',
    ['/v2/repository/models/:model/unload'],
    control((model) => engine.unload(model)),
  );
  route('GET', ['/metrics'], async (_, reply) => reply.type(exposition.contentType).send(await exposition.text()));
  route('POST', ofModel('/infer'), async (request, reply) => {
    const { model, version } = request.params;
    const body = (request.body as ReceivedBody | undefined)?.bytes ?? new Uint8Array();
    const jsonLength = request.headers['inference-header-content-length'];
    const { refused, answer } = await new Promise<{
      refused: Refusal | undefined;
      answer: InferenceAnswer | undefined;
    }>((resolve) =>
      service.answer(
        {
          model,
          version,
          jsonLength: Array.isArray(jsonLength) ? jsonLength.join() : jsonLength,
          body,
          receivedAt: performance.now(),
        },
        (refused, answer) => resolve({ refused, answer }),
      ),
    );
    if (answer !== undefined) return reply.headers(answer.headers).send(answer.body);
    return reply
      .code(refused?.status ?? 500)
      .headers(refused?.headers ?? {})
      .send({ error: refused?.message ?? '' });
  });
  return app;
}

const clientErrors: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers of the request are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to arrive'],
};

function statusOf(error: unknown): number {
  if (error instanceof SluiceError) return 400;
  const status = (error as { readonly statusCode?: unknown }).statusCode;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}

/** Of our own problems the messages, without the files they are about. */
function messageOf(error: unknown): string {
  if (error instanceof SluiceError) return error.problems.map(({ message }) => message).join('; ');
  return error instanceof Error ? error.message : String(error);
}
