/**
 * What every protocol of this room must do, as one suite of tests: each protocol's own test starts a stand-in for its server and hands it
 * in. For tests only: it loads vitest, and `index.ts` does not offer it.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Feeds, Outputs } from '../core/onnx/index.ts';
import { PeerError, SluiceError } from '../core/problem/index.ts';
import type { Answer, AnyProtocol, Question, Readiness, Specs, TensorProtocol, TextProtocol } from './protocol.ts';
import type { Target } from './target.ts';

/**
 * How a stand-in behaves. `right`: as the real server does with a good model. `loading`: up, the model not ready. `refuses`: a 4xx for
 * every inference. `fails`: a 5xx. `broken`: a 200 whose body ends too early to be read. `slow`: no answer in the time of the test.
 * `too-big`: an answer without end. `redirects`: to another host. `wrong-shape`: one row more than was asked for.
 */
export type Behaviour =
  | 'right'
  | 'loading'
  | 'refuses'
  | 'fails'
  | 'broken'
  | 'slow'
  | 'too-big'
  | 'redirects'
  | 'wrong-shape';

/** A fake server on this machine. */
export interface StandIn extends AsyncDisposable {
  readonly url: URL;
  /** What it was asked, in order. */
  readonly requests: readonly StandInRequest[];
}

export interface StandInRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** How the real server answers, byte for byte where it is known. */
export interface HttpRoutes {
  /** Whether a request is an inference; the others are about readiness and metadata. */
  isInference(request: StandInRequest): boolean;
  /** Answers what is no inference when all is well. */
  control(request: StandInRequest): StandInAnswer;
  /** The answer to the readiness probe while the model loads. */
  readonly loading: StandInAnswer;
  /** `rows` is one more than was sent for `wrong-shape`; undefined: as many as were sent. */
  infer(request: StandInRequest, rows?: number): StandInAnswer;
  readonly refusal: StandInAnswer;
  readonly failure: StandInAnswer;
}

/** A stand-in over HTTP/1.1 that has the faults of `behaviour` for every inference. */
export async function startHttpStandIn(routes: HttpRoutes, behaviour: Behaviour): Promise<StandIn> {
  const requests: StandInRequest[] = [];
  const server = createServer((incoming, response) => {
    void readRequest(incoming).then((request) => {
      requests.push(request);
      if (behaviour === 'loading') write(response, routes.loading);
      else if (!routes.isInference(request)) write(response, routes.control(request));
      else if (behaviour === 'too-big') flood(response);
      else if (behaviour !== 'slow') write(response, inferenceAnswer(routes, behaviour, request));
    });
  });
  const port = await listening(server);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function inferenceAnswer(routes: HttpRoutes, behaviour: Behaviour, request: StandInRequest): StandInAnswer {
  switch (behaviour) {
    case 'refuses':
      return routes.refusal;
    case 'fails':
      return routes.failure;
    case 'broken': {
      // A whole HTTP answer with half a document in it.
      const { body } = routes.infer(request);
      return { status: 200, body: Buffer.from(body).subarray(0, body.length >> 1) };
    }
    case 'redirects':
      return { status: 307, headers: { location: elsewhere }, body: '' };
    case 'wrong-shape':
      return routes.infer(request, conformanceRows + 1);
    default:
      return routes.infer(request);
  }
}

function flood(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = (): void => {
    if (!response.destroyed) response.write(' '.repeat(65_536), more);
  };
  more();
}

/** A name that never has an address: a client that follows the redirect fails otherwise than one that refuses it. */
const elsewhere = 'http://elsewhere.invalid/steal';

async function readRequest(incoming: IncomingMessage): Promise<StandInRequest> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: Object.fromEntries(headers),
    body: Buffer.concat(parts),
  };
}

function write(response: ServerResponse, { status, headers, body }: StandInAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port of this machine that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

const conformanceRows = 2;

/** The model that stand-ins serve: a classifier with two rows to classify. All numbers are exact in binary. */
export const conformanceModel: { readonly feeds: Feeds; readonly specs: Specs; readonly expected: Outputs } = {
  feeds: { x: { type: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6.5), dims: [conformanceRows, 3] } },
  specs: {
    inputs: [{ name: 'x', type: 'float32', shape: ['N', 3] }],
    outputs: [
      { name: 'label', type: 'int64', shape: ['N'] },
      { name: 'probabilities', type: 'float32', shape: ['N', 2] },
    ],
  },
  expected: {
    label: { type: 'int64', data: BigInt64Array.of(1n, 0n), dims: [conformanceRows] },
    probabilities: { type: 'float32', data: Float32Array.of(0.25, 0.75, 0.5, 0.5), dims: [conformanceRows, 2] },
  },
};

/** The classifier's answer as rows, for stand-ins: `rows` of them. */
export function conformanceAnswer(rows = conformanceRows): {
  readonly label: readonly number[];
  readonly probabilities: readonly (readonly number[])[];
} {
  return {
    label: [1, 0, 1].slice(0, rows),
    probabilities: [
      [0.25, 0.75],
      [0.5, 0.5],
      [0.25, 0.75],
    ].slice(0, rows),
  };
}

interface Subject<Opened extends AnyProtocol> {
  readonly name: string;
  start(behaviour: Behaviour): Promise<StandIn>;
  open(target: Target): Opened;
  /** Beside the URL: model, version, headers. @default { model: 'model' } */
  readonly target?: Partial<Target>;
  /** The scheme of `open`'s URL when nobody is there. @default 'http' */
  readonly scheme?: string;
  /** What the transport cannot do. gRPC has no redirects. */
  readonly without?: readonly Behaviour[];
}

export interface TensorSubject extends Subject<TensorProtocol> {
  /** @default `conformanceModel` */
  readonly model?: { readonly feeds: Feeds; readonly specs: Specs; readonly expected: Outputs };
}

export interface TextSubject extends Subject<TextProtocol> {
  readonly question: Question;
  /** What the `right` stand-in answers. */
  readonly text: string;
}

/** Registers the tests of a protocol that takes tensors. */
export function tensorConformance(subject: TensorSubject): void {
  const { feeds, specs, expected } = subject.model ?? conformanceModel;
  conformance(subject, (protocol) => protocol.infer(feeds, specs), {
    right: (value) => expect(value).toEqual(expected),
    wrongShape: (value) => expect(value).not.toEqual(expected),
    wire: (protocol) => protocol.wire({ feeds, specs }),
  });
}

/** Registers the tests of a protocol that takes text. A wrong shape does not exist there. */
export function textConformance(subject: TextSubject): void {
  const { question, text } = subject;
  conformance(
    { ...subject, without: [...(subject.without ?? []), 'wrong-shape'] },
    (protocol) => protocol.ask(question),
    {
      right: (value) => expect(value.text).toBe(text),
      wrongShape: () => expect.unreachable(),
      wire: (protocol) => protocol.wire(question),
    },
  );
}

function conformance<Opened extends AnyProtocol, Value>(
  subject: Subject<Opened>,
  infer: (protocol: Opened) => Promise<Answer<Value>>,
  its: {
    right(value: Value): void;
    wrongShape(value: Value): void;
    wire(protocol: Opened): ReturnType<TensorProtocol['wire']>;
  },
): void {
  const has = (behaviour: Behaviour): boolean => !(subject.without ?? []).includes(behaviour);
  const target = (url: URL, more: Partial<Target> = {}): Target => ({
    url,
    model: 'model',
    headers: {},
    timeoutMs: 20_000,
    maxAnswerBytes: 1_000_000,
    ...subject.target,
    ...more,
  });
  const withServer = async <Result>(
    behaviour: Behaviour,
    work: (protocol: Opened, standIn: StandIn) => Promise<Result>,
    more?: Partial<Target>,
  ): Promise<Result> => {
    await using standIn = await subject.start(behaviour);
    await using protocol = subject.open(target(standIn.url, more));
    return await work(protocol, standIn);
  };
  const failureOf = async (behaviour: Behaviour, more?: Partial<Target>): Promise<PeerError> => {
    const thrown = await withServer(behaviour, (protocol) => infer(protocol).catch((error: unknown) => error), more);
    expect(thrown).toBeInstanceOf(SluiceError);
    if (!(thrown instanceof PeerError)) throw thrown;
    for (const problem of thrown.problems) expect(problem.fix).toMatch(/\S/);
    return thrown;
  };
  const problemOf = (readiness: Readiness): SluiceError['problems'][0] => {
    if (readiness.ready) throw new Error('it says it is ready');
    return readiness.problem;
  };

  describe(`the protocol ${subject.name}, as every protocol,`, () => {
    test('says that a server with its model is ready', async () => {
      expect(await withServer('right', (protocol) => protocol.ready())).toEqual({ ready: true });
    });

    test('says that a server is not ready while its model loads, and why', async () => {
      const readiness = await withServer('loading', (protocol) => protocol.ready());
      expect(problemOf(readiness).fix).toMatch(/\S/);
    });

    test('says that a server is not ready when nobody is there, without throwing', async () => {
      const url = new URL(`${subject.scheme ?? 'http'}://127.0.0.1:${await freePort()}`);
      await using protocol = subject.open(target(url));
      const problem = problemOf(await protocol.ready());
      expect(problem.fix).toMatch(/\S/);
      expect(problem.message).toContain(url.port);
    });

    test('gives the right answer, and how long it took', async () => {
      const answer = await withServer('right', infer);
      expect(answer.refusal).toBeUndefined();
      if (answer.value === undefined) throw new Error('no value');
      its.right(answer.value);
      expect(answer.status).toBe(200);
      expect(answer.milliseconds).toBeGreaterThan(0);
    });

    test('answers again and again on one connection, also several at once', async () => {
      const answers = await withServer('right', async (protocol) => [
        await infer(protocol),
        ...(await Promise.all([infer(protocol), infer(protocol), infer(protocol)])),
      ]);
      for (const { value } of answers) if (value !== undefined) its.right(value);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    });

    test('gives load the very bytes that it sends itself', async () => {
      await withServer('right', async (protocol, { requests }) => {
        await infer(protocol);
        const sent = requests.at(-1);
        const wire = its.wire(protocol);
        if (wire === undefined) return;
        expect(wire).toMatchObject({ method: sent?.method, path: sent?.path });
        expect(Buffer.from(wire.body).toString('latin1')).toBe(sent?.body.toString('latin1'));
        expect(sent?.headers).toMatchObject(wire.headers);
      });
    });

    test.runIf(has('refuses'))('gives a refusal as an answer, with what the server says', async () => {
      const answer = await withServer('refuses', infer);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.refusal).toMatch(/\S/);
      expect(answer.value).toBeUndefined();
    });

    test.runIf(has('fails'))('gives a failure of the server as an answer, with what the server says', async () => {
      const answer = await withServer('fails', infer);
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(answer.refusal).toMatch(/\S/);
      expect(answer.value).toBeUndefined();
    });

    test.runIf(has('broken'))('throws for an answer that cannot be read', async () => {
      await failureOf('broken');
    });

    test.runIf(has('slow'))('throws for an answer that does not come in time', async () => {
      expect((await failureOf('slow', { timeoutMs: 80 })).problems[0].code).toBe('timeout');
    });

    test.runIf(has('too-big'))('throws for an answer that is too big', async () => {
      expect((await failureOf('too-big')).problems[0].code).toBe('answer-too-big');
    });

    test.runIf(has('redirects'))('throws for a redirect to another host and does not follow it', async () => {
      expect((await failureOf('redirects')).problems[0].code).toBe('redirected-elsewhere');
    });

    test.runIf(has('wrong-shape'))('never takes an answer of another shape for the right one', async () => {
      const outcome = await withServer('wrong-shape', (protocol) => infer(protocol).catch((error: unknown) => error));
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(SluiceError);
      else its.wrongShape((outcome as Answer<Value>).value as Value);
    });

    test.runIf(has('refuses'))('has malformed requests, each with its own title, and hears their refusal', async () => {
      await withServer('refuses', async (protocol) => {
        const malformed = protocol.malformed();
        expect(malformed.length).toBeGreaterThan(0);
        expect(new Set(malformed.map(({ title }) => title)).size).toBe(malformed.length);
        for (const { title, send } of malformed) {
          const { status, refusal } = await send();
          expect(status, title).toBeGreaterThanOrEqual(400);
          expect(refusal, title).toMatch(/\S/);
        }
      });
    });
  });
}
