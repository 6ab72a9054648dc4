import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

// For tests: AWS's APIs on loopback. A request is answered only if it is signed and has the shape that AWS's own model of the API asks for;
// what a test has it answer is held against the model, too.

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  readonly member?: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

interface ServiceModel {
  readonly target: string;
  readonly version: string;
  readonly signing: string;
  readonly operations: Readonly<Record<string, { readonly input?: string; readonly output?: string }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const models = JSON.parse(readFileSync(new URL('./api-shapes.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, ServiceModel>
>;

/** Everything in which a value is not of that shape, by its path. */
export function shapeErrors(service: string, shapeName: string, value: unknown, path = ''): readonly string[] {
  const shape = models[service]?.shapes[shapeName];
  if (shape === undefined) return [`${path}: no shape ${shapeName}`];
  const size = typeof value === 'string' || Array.isArray(value) ? value.length : value;
  const bounds =
    typeof size === 'number'
      ? [
          ...(shape.min !== undefined && size < shape.min ? [`${path}: below ${shape.min}`] : []),
          ...(shape.max !== undefined && size > shape.max ? [`${path}: above ${shape.max}`] : []),
        ]
      : [];
  switch (shape.type) {
    case 'structure': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: no structure`];
      const members = new Map(Object.entries(shape.members ?? {}));
      return [
        ...(shape.required ?? []).filter((name) => !(name in value)).map((name) => `${path}.${name}: missing`),
        ...Object.entries(value).flatMap(([name, inner]) => {
          const member = members.get(name);
          return member === undefined
            ? [`${path}.${name}: unknown`]
            : shapeErrors(service, member, inner, `${path}.${name}`);
        }),
      ];
    }
    case 'list':
      if (!Array.isArray(value)) return [`${path}: no list`];
      return [
        ...bounds,
        ...value.flatMap((inner, index) => shapeErrors(service, shape.member ?? '', inner, `${path}[${index}]`)),
      ];
    case 'string': {
      if (typeof value !== 'string') return [`${path}: no string`];
      const fits = shape.pattern === undefined || new RegExp(`^(?:${shape.pattern})$`, 'u').test(value);
      const known = shape.enum === undefined || shape.enum.includes(value);
      return [
        ...bounds,
        ...(fits ? [] : [`${path}: not as ${shape.pattern}`]),
        ...(known ? [] : [`${path}: not of the enum`]),
      ];
    }
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path}: no boolean`];
    case 'integer':
    case 'long':
      return Number.isInteger(value) ? bounds : [`${path}: no integer`];
    case 'timestamp':
    case 'float':
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? bounds : [`${path}: no number`];
    default:
      return [`${path}: the stand-in has no ${shape.type}`];
  }
}

/** What an operation answers: its output, or how it refuses. */
export type ApiAnswer =
  | { readonly output: Readonly<Record<string, unknown>> }
  | { readonly refuse: string; readonly status?: number; readonly message?: string; readonly retryAfter?: number };

export type ApiHandlers = Readonly<
  Record<string, (input: Readonly<Record<string, unknown>>) => ApiAnswer | Promise<ApiAnswer>>
>;

export interface ApiCall {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export const standInCredentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session-of-a-test',
} as const;

/** AWS on one port. `handlers` by `sagemaker:AddTags`. */
export class ApiStandIn implements AsyncDisposable {
  readonly calls: ApiCall[] = [];
  /** What is wrong with the tests' own answers and the code's requests; a test looks at the end. */
  readonly faults: string[] = [];
  /** Asked before any handler: what it gives is the answer. */
  before: ((call: ApiCall) => ApiAnswer | undefined) | undefined;
  /** AWS's clock, in milliseconds of the epoch. */
  clock: () => number = Date.now;
  failure: 'is-gone' | 'fails' | 'babbles' | 'hangs' | undefined;
  #handlers: ApiHandlers;
  readonly #server: Server;

  private constructor(handlers: ApiHandlers) {
    this.#handlers = handlers;
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', async () => {
        if (this.failure === 'hangs') return;
        const { status, text, type, more } = await this.#answer(request, body);
        response.sendDate = false;
        response.writeHead(status, {
          date: new Date(this.clock()).toUTCString(),
          'content-type': 'application/x-amz-json-1.1',
          ...(type === undefined ? {} : { 'x-amzn-errortype': type }),
          ...more,
        });
        response.end(text);
      });
    });
  }

  static async start(handlers: ApiHandlers): Promise<ApiStandIn> {
    const standIn = new ApiStandIn(handlers);
    standIn.#server.listen(0, '127.0.0.1');
    await once(standIn.#server, 'listening');
    return standIn;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`);
  }

  handle(handlers: ApiHandlers): void {
    this.#handlers = { ...this.#handlers, ...handlers };
  }

  operations(): readonly string[] {
    return [...new Set(this.calls.map(({ service, operation }) => `${service}:${operation}`))].toSorted();
  }

  async fail(how: NonNullable<ApiStandIn['failure']>): Promise<void> {
    this.failure = how;
    if (how === 'is-gone') await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(
    request: IncomingMessage,
    body: string,
  ): Promise<{ status: number; text: string; type?: string; more?: Readonly<Record<string, string>> }> {
    if (this.failure === 'fails')
      return { status: 500, text: '{"message":"An internal error"}', type: 'InternalFailure' };
    if (this.failure === 'babbles') return { status: 200, text: '<!doctype html><p>Welcome to nginx!' };
    const refuse = (type: string, message: string, status = 400, more = {}) => ({
      status,
      type,
      text: JSON.stringify({ __type: type, message }),
      more,
    });
    const [target = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const [service, model] = Object.entries(models).find(([, each]) => each.target === target) ?? [];
    const shapes = model?.operations[operation];
    if (service === undefined || model === undefined || shapes === undefined) {
      this.faults.push(`unknown operation ${target}.${operation}`);
      return refuse('UnknownOperationException', 'unknown');
    }
    if (request.headers['content-type'] !== `application/x-amz-json-${model.version}`) {
      this.faults.push(`content type ${request.headers['content-type']}`);
      return refuse('UnknownOperationException', 'content type');
    }
    const at = Date.parse(
      String(request.headers['x-amz-date']).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'),
    );
    if (Math.abs(at - this.clock()) > 300_000) {
      return refuse('InvalidSignatureException', 'Signature expired: it is now later than the date of the request.');
    }
    const expected = signatureOf(request, body, standInCredentials.secretAccessKey);
    if (!String(request.headers.authorization).endsWith(`Signature=${expected}`)) {
      this.faults.push('wrong signature');
      return refuse('InvalidSignatureException', 'The request signature we calculated does not match', 403);
    }
    if (!String(request.headers.authorization).includes(`/${model.signing}/aws4_request`)) {
      this.faults.push('wrong scope');
      return refuse('InvalidSignatureException', 'Credential should be scoped to correct service', 403);
    }
    const input = JSON.parse(body) as Readonly<Record<string, unknown>>;
    const wrong = shapeErrors(service, shapes.input ?? '', input);
    if (wrong.length > 0) {
      this.faults.push(...wrong.map((each) => `${operation}${each}`));
      return refuse('ValidationException', wrong.join('; '));
    }
    const call = { service, operation, input };
    this.calls.push(call);
    const answer = this.before?.(call) ?? (await this.#handlers[`${service}:${operation}`]?.(input));
    if (answer === undefined) {
      this.faults.push(`nobody answers ${service}:${operation}`);
      return refuse('InternalFailure', 'no handler', 500);
    }
    if ('refuse' in answer) {
      const after = answer.retryAfter === undefined ? {} : { 'retry-after': String(answer.retryAfter) };
      return refuse(answer.refuse, answer.message ?? answer.refuse, answer.status, after);
    }
    const odd = shapes.output === undefined ? [] : shapeErrors(service, shapes.output, answer.output);
    this.faults.push(...odd.map((each) => `answer of ${operation}${each}`));
    return { status: 200, text: shapes.output === undefined ? '' : JSON.stringify(answer.output) };
  }
}

interface Signed {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The signature that a request should have, by the words of AWS's guide and not by its library. For paths without special characters. */
export function signatureOf({ method = 'GET', url = '/', headers }: Signed, body: string, secret: string): string {
  const authorization = String(headers['authorization']);
  const [, scope = '', names = ''] = /Credential=[^/]+\/(\S+), SignedHeaders=(\S+),/.exec(authorization) ?? [];
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const encoded = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&');
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`);
  const canonical = [method, pathname, query, lines.join(''), names, sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(canonical)].join('\n');
  const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const key = scope.split('/').reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}
