import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type HttpRoutes, type StandInRequest, startHttpStandIn, textConformance } from '../conformance.ts';
import type { Target } from '../target.ts';
import { openOpenAiChat, openOpenAiCompletions } from './openai.ts';

const question = { prompt: 'What is 2 + 2?', system: 'Be brief.', maxTokens: 16, temperature: 0 };

/** vLLM 0.10: pydantic's compact JSON; vllm/entrypoints/openai/engine/protocol.py (ModelCard, ErrorResponse, UsageInfo). */
const models =
  '{"object":"list","data":[{"id":"model","object":"model","created":1763700000,"owned_by":"vllm","root":"org/model-7b","parent":null,"max_model_len":4096,"permission":[]}]}';
const usage = '"usage":{"prompt_tokens":21,"total_tokens":24,"completion_tokens":3,"prompt_tokens_details":null}';
const vllm: HttpRoutes = {
  isInference: ({ method }) => method === 'POST',
  control: ({ path }) => {
    if (path === '/health') return { status: 200, body: '' };
    return path === '/v1/models' ? { status: 200, body: models } : { status: 404, body: '{"detail":"Not Found"}' };
  },
  loading: { status: 503, body: '' },
  infer: ({ path }) => ({
    status: 200,
    body: path.endsWith('/chat/completions')
      ? `{"id":"chatcmpl-1","object":"chat.completion","created":1763700000,"model":"model","choices":[{"index":0,"message":{"role":"assistant","content":"It is 4.","refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],"reasoning_content":null},"logprobs":null,"finish_reason":"stop","stop_reason":null}],"service_tier":null,"system_fingerprint":null,${usage},"prompt_logprobs":null,"kv_transfer_params":null}`
      : `{"id":"cmpl-1","object":"text_completion","created":1763700000,"model":"model","choices":[{"index":0,"text":"It is 4.","logprobs":null,"finish_reason":"length","stop_reason":null,"prompt_logprobs":null}],${usage}}`,
  }),
  refusal: {
    status: 404,
    body: '{"error":{"message":"The model `model` does not exist.","type":"NotFoundError","param":null,"code":404}}',
  },
  failure: {
    status: 500,
    body: '{"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}',
  },
};

textConformance({
  name: 'openai-chat against vLLM',
  start: (behaviour) => startHttpStandIn(vllm, behaviour),
  open: openOpenAiChat,
  question,
  text: 'It is 4.',
});

textConformance({
  name: 'openai-completions against vLLM',
  start: (behaviour) => startHttpStandIn(vllm, behaviour),
  open: openOpenAiCompletions,
  question,
  text: 'It is 4.',
});

function target(url: URL | string, more: Partial<Target> = {}): Target {
  return { url: new URL(url), model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
}

type Play = (response: ServerResponse, request: { readonly url: string; readonly body: string }) => unknown;

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function served(play: Play, type = 'text/event-stream; charset=utf-8'): Promise<URL> {
  const server = createServer((incoming, response) => {
    let body = '';
    incoming
      .on('data', (part) => (body += part))
      .on('end', () => {
        response.setHeader('content-type', type);
        void play(response, { url: incoming.url ?? '', body });
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function asked(url: URL, open = openOpenAiChat) {
  await using protocol = open(target(url));
  return await protocol.ask(question, { stream: true });
}

async function failure(url: URL): Promise<PeerError> {
  const thrown = await asked(url).catch((error: unknown) => error);
  if (!(thrown instanceof PeerError)) throw new Error('it gave an answer');
  expect(thrown.problems[0].fix).toMatch(/\S/);
  return thrown;
}

const head = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763700000,"model":"model"';
const chunk = (delta: string, finish = 'null'): string =>
  `data: {${head},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`;
const usageChunk = `data: {${head},"choices":[],${usage}}\n\n`;

describe('a chat that streams', () => {
  test('gives the text, the count of tokens, and the time to the first one', async () => {
    const bodies: string[] = [];
    const url = await served(async (response, { body }) => {
      bodies.push(body);
      response.write(chunk('{"role":"assistant","content":""}'));
      await sleep(60);
      response.write(chunk('{"content":"Grüße"}'));
      response.write(chunk('{"content":", "}'));
      response.write(chunk('{"content":"🌍"}') + chunk('{"content":""}', '"stop"') + usageChunk);
      response.end('data: [DONE]\n\n');
    });
    const { status, value, milliseconds } = await asked(url);
    expect(status).toBe(200);
    expect(value).toMatchObject({ text: 'Grüße, 🌍', finishReason: 'stop', tokens: 3 });
    // The role alone is no token.
    expect(value?.timeToFirstTokenMs).toBeGreaterThan(50);
    expect(milliseconds).toBeGreaterThanOrEqual(value?.timeToFirstTokenMs ?? Number.NaN);
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      model: 'model',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is 2 + 2?' },
      ],
      max_tokens: 16,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test.each([1, 2, 3, 7, 64])('is read in pieces of %i bytes, cut within characters, with CRLF', async (size) => {
    const bytes = Buffer.from(
      `: ping\n\n${chunk('{"role":"assistant"}')}${chunk('{"content":"é🌍"}')}${chunk('{"content":"!"}', '"stop"')}data: [DONE]\n\n`.replaceAll(
        '\n',
        '\r\n',
      ),
    );
    const url = await served(async (response) => {
      for (let at = 0; at < bytes.length; at += size) {
        if (!response.write(bytes.subarray(at, at + size))) await once(response, 'drain');
        if (at % 32 === 0) await new Promise(setImmediate);
      }
      response.end();
    });
    expect((await asked(url)).value).toMatchObject({ text: 'é🌍!', finishReason: 'stop' });
  });

  test('counts reasoning as tokens and not as text', async () => {
    const url = await served((response) =>
      response.end(`${chunk('{"reasoning_content":"Hm."}')}${chunk('{"content":null}', '"length"')}data: [DONE]\n\n`),
    );
    const { value } = await asked(url);
    expect(value?.text).toBe('');
    expect(value?.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  test('has no rate where the server does not count or sends all at once', async () => {
    const uncounted = await served((response) => response.end(`${chunk('{"content":"4"}', '"stop"')}data: [DONE]\n\n`));
    const { value } = await asked(uncounted);
    expect(value).toMatchObject({ text: '4', finishReason: 'stop' });
    expect(value).not.toHaveProperty('tokens');
    expect(value).not.toHaveProperty('tokensPerSecond');
  });

  test('takes the count of llama.cpp, which comes with the last choice, and a missing [DONE] after it', async () => {
    const url = await served((response) =>
      response.end(
        `${chunk('{"content":"4"}')}data: {${head},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],${usage}}\n\n`,
      ),
    );
    expect((await asked(url)).value).toMatchObject({ text: '4', tokens: 3, finishReason: 'stop' });
  });

  test('that ends too early, or breaks off, is a problem of its own', async () => {
    const early = await failure(await served((response) => response.end(chunk('{"content":"It i"}'))));
    expect(early.problems[0]).toMatchObject({ code: 'stream-ended-early', found: '4 characters, and no [DONE]' });
    const url = await served(async (response) => {
      response.write(chunk('{"content":"It i"}'));
      await sleep(20);
      response.destroy();
    });
    expect((await failure(url)).problems[0].code).toBe('connection-lost');
  });

  test.each([
    // vLLM: create_streaming_error_response.
    `data: {"error": {"message": "KV cache is full", "type": "InternalServerError", "param": null, "code": 500}}\n\ndata: [DONE]\n\n`,
    // TGI: an event with error and error_type.
    `data:{"error":"KV cache is full","error_type":"generation"}\n\n`,
  ])('in which the server gives up is a problem with what it says: %#', async (error) => {
    const url = await served((response) => response.end(chunk('{"content":"It i"}') + error));
    expect((await failure(url)).problems[0]).toMatchObject({ code: 'stream-failed', found: 'KV cache is full' });
  });

  test('whose events are no JSON is a problem', async () => {
    const url = await served((response) => response.end('data: {"choices"\n\n'));
    expect((await failure(url)).problems[0].code).toBe('broken-answer');
  });

  test('that is refused before it begins is an answer', async () => {
    const url = await served(
      (response) => response.writeHead(400).end('{"error":{"message":"too long","type":"BadRequestError","code":400}}'),
      'application/json',
    );
    expect(await asked(url)).toMatchObject({ status: 400, refusal: 'too long' });
  });

  test('comes whole from a server that does not stream', async () => {
    const { body } = vllm.infer({ path: '/v1/chat/completions' } as StandInRequest);
    const url = await served((response) => response.end(body), 'application/json');
    const { value } = await asked(url);
    expect(value).toEqual({ text: 'It is 4.', tokens: 3, finishReason: 'stop' });
  });
});

describe('completions that stream', () => {
  test('put the system prompt before the prompt, and read the text of each chunk', async () => {
    const seen: string[] = [];
    const url = await served((response, { body }) => {
      seen.push(body);
      const piece = (text: string, finish: string): string =>
        `data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"model","choices":[{"index":0,"text":"${text}","logprobs":null,"finish_reason":${finish}}],"usage":null}\n\n`;
      response.end(`${piece('It is', 'null')}${piece(' 4.', '"length"')}data: [DONE]\n\n`);
    });
    expect((await asked(url, openOpenAiCompletions)).value).toMatchObject({ text: 'It is 4.', finishReason: 'length' });
    expect(JSON.parse(seen[0] ?? '')).toMatchObject({ prompt: 'Be brief.\n\nWhat is 2 + 2?' });
  });
});

describe('an OpenAI-compatible server', () => {
  test.each([
    ['', '/v1/chat/completions'],
    ['/', '/v1/chat/completions'],
    ['/v1', '/v1/chat/completions'],
    ['/v1/', '/v1/chat/completions'],
    ['/proxy/model', '/proxy/model/v1/chat/completions'],
    ['/openai/v1', '/openai/v1/chat/completions'],
    ['/v1beta/openai/', '/v1beta/openai/chat/completions'],
    ['/v2', '/v2/chat/completions'],
  ])('at %s is asked at %s', async (at, path) => {
    await using protocol = openOpenAiChat(target(`http://127.0.0.1:1${at}`));
    expect(protocol.wire(question)?.path).toBe(path);
  });

  const routes = (answers: Readonly<Record<string, readonly [number, string]>>): HttpRoutes => ({
    ...vllm,
    control: ({ path }) => {
      const [status, body] = answers[path] ?? [404, ''];
      return { status, body };
    },
  });
  const readiness = async (answers: Parameters<typeof routes>[0], model = 'model') => {
    await using standIn = await startHttpStandIn(routes(answers), 'right');
    await using protocol = openOpenAiChat(target(standIn.url, { model }));
    return await protocol.ready();
  };

  test('is ready without a path for its health, and not when that tells of trouble', async () => {
    expect(await readiness({ '/v1/models': [200, models] })).toEqual({ ready: true });
    expect(await readiness({ '/health': [401, ''], '/v1/models': [200, models] })).toEqual({ ready: true });
    expect(await readiness({ '/health': [503, ''], '/v1/models': [200, models] })).toMatchObject({
      ready: false,
      status: 503,
    });
  });

  test('is ready by its health alone where it does not list models, as an old TGI', async () => {
    expect(await readiness({ '/health': [200, ''] })).toEqual({ ready: true });
    expect(await readiness({})).toMatchObject({ ready: false, status: 404 });
  });

  test('is not ready with another model, and says which it has', async () => {
    expect(await readiness({ '/v1/models': [200, models] }, 'other')).toMatchObject({
      ready: false,
      problem: { found: 'it serves model, not other' },
    });
    expect(await readiness({ '/v1/models': [200, '{"object":"list","data":null}'] })).toMatchObject({ ready: false });
  });

  test("is ready with Ollama's full name of the model", async () => {
    const list =
      '{"object":"list","data":[{"id":"llama3.2:latest","object":"model","created":1763700000,"owned_by":"library"}]}\n';
    expect(await readiness({ '/v1/models': [200, list] }, 'llama3.2')).toEqual({ ready: true });
  });

  test('describes its model by the list, and with TGI by /info', async () => {
    const info =
      '{"model_id":"org/model-7b","model_sha":"abc123","model_pipeline_tag":null,"max_concurrent_requests":128,"max_best_of":2,"max_stop_sequences":4,"max_input_tokens":1024,"max_total_tokens":2048,"validation_workers":2,"max_client_batch_size":4,"router":"text-generation-router","version":"3.3.0","sha":null,"docker_label":null}';
    const describeOf = async (answers: Parameters<typeof routes>[0]) => {
      await using standIn = await startHttpStandIn(routes(answers), 'right');
      await using protocol = openOpenAiChat(target(standIn.url));
      return await protocol.describe();
    };
    expect(await describeOf({ '/v1/models': [200, models] })).toEqual({
      name: 'model',
      parameters: { owned_by: 'vllm', root: 'org/model-7b', max_model_len: 4096 },
    });
    expect(await describeOf({ '/info': [200, info] })).toEqual({
      name: 'model',
      versions: ['abc123'],
      parameters: {
        model_id: 'org/model-7b',
        model_sha: 'abc123',
        max_input_tokens: 1024,
        max_total_tokens: 2048,
        version: '3.3.0',
      },
    });
    expect(await describeOf({})).toBeUndefined();
    expect(await describeOf({ '/v1/models': [200, '<html>'], '/info': [200, '<html>'] })).toBeUndefined();
  });

  test('that answers something else is a problem', async () => {
    await using standIn = await startHttpStandIn({ ...vllm, infer: () => ({ status: 200, body: '{}' }) }, 'right');
    await using protocol = openOpenAiChat(target(standIn.url));
    await expect(protocol.ask(question)).rejects.toMatchObject({ problems: [{ code: 'broken-answer' }] });
  });

  test('may refuse in the words of the model, or answer in parts', async () => {
    const of = async (message: string) => {
      const body = `{"choices":[{"index":0,"message":${message},"finish_reason":"stop"}]}`;
      await using standIn = await startHttpStandIn({ ...vllm, infer: () => ({ status: 200, body }) }, 'right');
      await using protocol = openOpenAiChat(target(standIn.url));
      return (await protocol.ask({ prompt: 'x' })).value?.text;
    };
    expect(await of('{"role":"assistant","content":null,"refusal":"I cannot."}')).toBe('I cannot.');
    expect(await of('{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}')).toBe('ab');
    expect(await of('{"content":null,"tool_calls":[]}')).toBe('');
  });

  test('needs the name of a model', () => {
    expect(() => openOpenAiChat({ ...target('http://a'), model: '' })).toThrow(InputError);
    expect(() => openOpenAiCompletions({ ...target('http://a'), model: '' })).toThrow(InputError);
  });
});
