import { describe, expect, test } from 'vitest';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type HttpRoutes, type StandInAnswer, startHttpStandIn, textConformance } from '../conformance.ts';
import type { Target } from '../target.ts';
import { type OllamaOptions, openOllama } from './ollama.ts';

const question = { prompt: 'What is 2 + 2?', system: 'Be brief.', maxTokens: 16, temperature: 0 };

/** Ollama 0.12: docs/api.md and server/routes.go. */
const tags =
  '{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","modified_at":"2025-11-20T10:51:55.384Z","size":2019393189,"digest":"a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72","details":{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"3.2B","quantization_level":"Q4_K_M"}}]}';
const show =
  '{"license":"...","modelfile":"...","parameters":"stop \\"<|eot_id|>\\"","template":"{{ .Prompt }}","details":{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"3.2B","quantization_level":"Q4_K_M"},"model_info":{"general.architecture":"llama"},"capabilities":["completion","tools"],"modified_at":"2025-11-20T10:51:55.384Z"}';
const figures =
  '"total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":8,"eval_duration":2000000000';
const piece = (of: string, more = '"done":false'): string =>
  `{"model":"llama3.2","created_at":"2025-11-21T08:52:19.385406455Z",${of},${more}}`;
const message = (text: string): string => `"message":{"role":"assistant","content":"${text}"}`;
const whole = (of: string): string => piece(of, `"done_reason":"stop","done":true,${figures}`);

const ollama: HttpRoutes = {
  isInference: ({ path }) => path === '/api/chat' || path === '/api/generate',
  control: ({ path }) => {
    if (path === '/api/tags') return { status: 200, body: tags };
    return path === '/api/show' ? { status: 200, body: show } : { status: 404, body: '404 page not found' };
  },
  loading: { status: 200, body: '{"models":[]}' },
  infer: ({ path }) => ({
    status: 200,
    body: whole(path === '/api/chat' ? message('It is 4.') : '"response":"It is 4."'),
  }),
  refusal: { status: 404, body: '{"error":"model \'llama3.2\' not found"}' },
  failure: { status: 500, body: '{"error":"llama runner process has terminated: signal: killed"}' },
};

for (const api of ['chat', 'generate'] as const) {
  textConformance({
    name: `ollama, ${api}`,
    start: (behaviour) => startHttpStandIn(ollama, behaviour),
    open: (target) => openOllama(target, { api }),
    target: { model: 'llama3.2' },
    question,
    text: 'It is 4.',
  });
}

function target(url: URL | string, more: Partial<Target> = {}): Target {
  return { url: new URL(url), model: 'llama3.2', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
}

async function streamed(answer: Partial<StandInAnswer>, options: OllamaOptions = {}) {
  const headers = { 'content-type': 'application/x-ndjson' };
  const infer = (): StandInAnswer => ({ status: 200, headers, body: '', ...answer });
  await using standIn = await startHttpStandIn({ ...ollama, infer }, 'right');
  await using protocol = openOllama(target(standIn.url), options);
  return { answer: await protocol.ask(question, { stream: true }), sent: standIn.requests[0]?.body.toString() ?? '' };
}

describe('Ollama', () => {
  test.each([
    ['chat', message],
    ['generate', (text: string) => `"response":"${text}"`],
  ] as const)('streams %s as lines of JSON, and counts its tokens itself', async (api, of) => {
    const lines = [piece(of('Grüße')), piece(of(', 🌍')), whole(of('')), ''].join('\n');
    const { answer, sent } = await streamed({ body: lines }, { api });
    expect(answer.value).toMatchObject({ text: 'Grüße, 🌍', finishReason: 'stop', tokens: 8, tokensPerSecond: 4 });
    expect(answer.value?.timeToFirstTokenMs).toBeGreaterThan(0);
    expect(JSON.parse(sent)).toEqual({
      model: 'llama3.2',
      ...(api === 'generate'
        ? { prompt: question.prompt, system: 'Be brief.' }
        : {
            messages: [
              { role: 'system', content: 'Be brief.' },
              { role: 'user', content: question.prompt },
            ],
          }),
      options: { num_predict: 16, temperature: 0 },
      stream: true,
    });
  });

  test('gives what it measured also when it does not stream', async () => {
    await using standIn = await startHttpStandIn(ollama, 'right');
    await using protocol = openOllama(target(standIn.url));
    expect((await protocol.ask(question)).value).toEqual({
      text: 'It is 4.',
      tokens: 8,
      tokensPerSecond: 4,
      finishReason: 'stop',
    });
    expect(JSON.parse(standIn.requests[0]?.body.toString() ?? '')).toMatchObject({ stream: false });
  });

  test('that stops before its last line is a problem of its own', async () => {
    const outcome = streamed({ body: `${piece(message('It i'))}\n` });
    await expect(outcome).rejects.toMatchObject({ problems: [{ code: 'stream-ended-early' }] });
    await expect(streamed({ body: '' })).rejects.toThrow(PeerError);
  });

  test('that gives up amid its answer is a problem with what it says', async () => {
    const body = `${piece(message('It i'))}\n{"error":"an error was encountered while running the model"}\n`;
    await expect(streamed({ body })).rejects.toMatchObject({
      problems: [{ code: 'stream-failed', found: 'an error was encountered while running the model' }],
    });
  });

  test('that refuses to stream gives an answer', async () => {
    const { answer } = await streamed({ ...ollama.refusal });
    expect(answer).toMatchObject({ status: 404, refusal: "model 'llama3.2' not found" });
  });

  test.each([
    ['llama3.2', true],
    ['llama3.2:latest', true],
    ['LLAMA3.2', true],
    ['llama3.2:1b', false],
    ['llama3', false],
  ])('has %s: %s', async (model, has) => {
    await using standIn = await startHttpStandIn(ollama, 'right');
    await using protocol = openOllama(target(standIn.url, { model }));
    const readiness = await protocol.ready();
    expect(readiness.ready).toBe(has);
    if (!readiness.ready) expect(readiness.problem.found).toContain('it has llama3.2:latest, not ');
  });

  test('describes its model', async () => {
    await using standIn = await startHttpStandIn(ollama, 'right');
    await using protocol = openOllama(target(`${standIn.url.href}api/`));
    expect(await protocol.describe()).toEqual({
      name: 'llama3.2:latest',
      platform: 'gguf',
      parameters: {
        digest: 'a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72',
        family: 'llama',
        parameter_size: '3.2B',
        quantization_level: 'Q4_K_M',
      },
    });
    expect(standIn.requests.map(({ path }) => path)).toEqual(['/api/tags', '/api/show']);
  });

  test('needs the name of a model, and says when the server is no Ollama', async () => {
    expect(() => openOllama({ ...target('http://a'), model: '' })).toThrow(InputError);
    const infer = (): StandInAnswer => ({ status: 200, body: '{"choices":[]}' });
    await using standIn = await startHttpStandIn({ ...ollama, infer }, 'right');
    await using protocol = openOllama(target(standIn.url));
    await expect(protocol.ask(question)).rejects.toMatchObject({ problems: [{ code: 'broken-answer' }] });
  });
});
