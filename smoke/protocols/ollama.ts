import { type HttpClient, type HttpOptions, type HttpRequest, openHttp } from '../../core/http/index.ts';
import { PeerError } from '../../core/problem/index.ts';
import { endedEarly, failedInStream, linesOf } from '../event-stream.ts';
import { exchange, jsonOf, jsonPost, probe, refusalText, send } from '../json-exchange.ts';
import { memberOf } from '../json-selection.ts';
import { modelName } from '../model-name.ts';
import type { Answer, Question, ServedModel, TextAnswer, TextProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { TokenTimes } from '../token-times.ts';
import { splitPath } from '../url-base.ts';

export interface OllamaOptions extends HttpOptions {
  /** `chat`: `/api/chat`. `generate`: `/api/generate`. @default 'chat' */
  readonly api?: 'chat' | 'generate';
}

/**
 * Ollama's own API: `POST /api/chat` or `/api/generate`, streamed as lines of JSON. Ready is a server that lists the model (`/api/tags`); the
 * first question loads it, which may take long. Tokens a second are what the server measured (`eval_count / eval_duration`), as its
 * documentation computes them. The URL may end in `/api` or not.
 *
 * References: https://github.com/ollama/ollama/blob/main/docs/api.md, server/routes.go. Throws an InputError when the target names no model.
 */
export function openOllama(target: Target, options: OllamaOptions = {}): TextProtocol {
  const model = modelName(target, 'ollama');
  const { root } = splitPath(target, /\/api$/);
  const http = openHttp(root, options);
  const { api = 'chat' } = options;
  const path = `/api/${api}`;
  const request = (question: Question, stream: boolean): HttpRequest =>
    jsonPost(path, JSON.stringify({ model, ...promptOf(question, api), ...optionsOf(question), stream }));
  const wrong = (more: Readonly<Record<string, unknown>>): Promise<Answer<unknown>> => {
    const body = { model, ...promptOf({ prompt: 'Hello' }, api), options: { num_predict: 1 }, stream: false, ...more };
    return send(http, jsonPost(path, JSON.stringify(body)));
  };

  return {
    kind: 'text',
    name: 'ollama',
    ready: () =>
      probe(http, '/api/tags', {
        judge: (answer) => {
          const names = modelsIn(jsonOf(answer, http.hide).value).map(nameOf);
          if (names.some((name) => isCalled(name, model))) return undefined;
          const has = names.length === 0 ? 'no models' : names.slice(0, 5).join(', ');
          return `it has ${has}, not ${model}; \`ollama pull\` brings a model`;
        },
      }),
    describe: () => description(http, model),
    ask: (question, { stream = false } = {}) =>
      stream
        ? streamed(http, request(question, true))
        : exchange(http, request(question, false), ({ value }) => wholeAnswer(value)),
    malformed: () => [
      { title: 'broken JSON', send: () => send(http, jsonPost(path, '{"model": ')) },
      {
        title: 'a prompt of the wrong type',
        send: () => wrong(api === 'chat' ? { messages: 'text' } : { prompt: { text: 'an object' } }),
      },
      { title: 'text as options', send: () => wrong({ options: 'warm' }) },
      { title: 'an unknown model', send: () => wrong({ model: 'no-model-has-this-name' }) },
    ],
    wire: (question) => http.wire(request(question, false)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

function promptOf({ prompt, system }: Question, api: 'chat' | 'generate'): Readonly<Record<string, unknown>> {
  if (api === 'generate') return { prompt, ...(system === undefined ? {} : { system }) };
  return {
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: prompt },
    ],
  };
}

function optionsOf({ maxTokens, temperature }: Question): Readonly<Record<string, unknown>> {
  const options = {
    ...(maxTokens === undefined ? {} : { num_predict: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
  };
  return Object.keys(options).length === 0 ? {} : { options };
}

async function description(http: HttpClient, model: string): Promise<ServedModel | undefined> {
  const tags = await exchange(http, { method: 'GET', path: '/api/tags' }, ({ value }) => modelsIn(value));
  const tag = tags.value?.find((each) => isCalled(nameOf(each), model));
  const show = await exchange(http, jsonPost('/api/show', JSON.stringify({ model })), ({ value }) => value);
  if (tag === undefined && show.value === undefined) return undefined;
  const details = memberOf(show.value, 'details') ?? memberOf(tag, 'details');
  const told = {
    // Of the manifest, not of the file with the weights.
    digest: memberOf(tag, 'digest'),
    family: memberOf(details, 'family'),
    parameter_size: memberOf(details, 'parameter_size'),
    quantization_level: memberOf(details, 'quantization_level'),
  };
  const parameters = Object.fromEntries(Object.entries(told).filter(([, value]) => typeof value === 'string'));
  const format = memberOf(details, 'format');
  return {
    name: tag === undefined ? model : nameOf(tag),
    ...(typeof format === 'string' && format !== '' ? { platform: format } : {}),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}

function modelsIn(value: unknown): readonly unknown[] {
  const models = memberOf(value, 'models');
  return Array.isArray(models) ? models : [];
}

function nameOf(model: unknown): string {
  const name = memberOf(model, 'name') ?? memberOf(model, 'model');
  return typeof name === 'string' ? name : '';
}

/** Without a tag a name means `latest`; names count alike in capitals. */
function isCalled(listed: string, model: string): boolean {
  const full = /:[^/]*$/.test(model) ? model : `${model}:latest`;
  return listed.toLowerCase() === full.toLowerCase();
}

function wholeAnswer(value: unknown): TextAnswer {
  const text = textOf(value);
  if (text === undefined) {
    throw new PeerError({
      code: 'broken-answer',
      message: 'the answer has neither a message nor a response',
      expected: '{"message": {"content": ...}} or {"response": ...}',
      fix: 'See whether the URL leads to Ollama; its /v1 is the protocol openai-chat.',
    });
  }
  return { text, ...tokensOf(value), ...finishOf(value) };
}

async function streamed(http: HttpClient, request: HttpRequest): Promise<Answer<TextAnswer>> {
  const { status, headers, chunks } = await http.stream(request);
  const times = new TokenTimes();
  const lines: string[] = [];
  let text = '';
  let last: unknown;
  let milliseconds = 0;
  for await (const line of linesOf(chunks)) {
    milliseconds = line.milliseconds;
    if (status !== 200) {
      lines.push(line.text);
      continue;
    }
    const part = { status, headers, body: Buffer.from(line.text) };
    last = jsonOf(part, http.hide).value;
    if (memberOf(last, 'error') !== undefined) throw failedInStream(refusalText(part, http.hide));
    const added = textOf(last) ?? '';
    if (added !== '' || thinks(last)) times.came(line.milliseconds);
    text += added;
  }
  if (status !== 200) {
    return { status, milliseconds, refusal: refusalText({ status, body: Buffer.from(lines.join('\n')) }, http.hide) };
  }
  if (memberOf(last, 'done') !== true) throw endedEarly(`${text.length} characters, and no line with "done": true`);
  const tokens = tokensOf(last);
  return { status, milliseconds, value: { text, ...times.figures(tokens.tokens), ...tokens, ...finishOf(last) } };
}

function textOf(value: unknown): string | undefined {
  const text = memberOf(memberOf(value, 'message'), 'content') ?? memberOf(value, 'response');
  return typeof text === 'string' ? text : undefined;
}

function thinks(value: unknown): boolean {
  const thought = memberOf(memberOf(value, 'message'), 'thinking') ?? memberOf(value, 'thinking');
  return typeof thought === 'string' && thought !== '';
}

function tokensOf(value: unknown): Pick<TextAnswer, 'tokens' | 'tokensPerSecond'> {
  const tokens = memberOf(value, 'eval_count');
  const nanoseconds = memberOf(value, 'eval_duration');
  if (typeof tokens !== 'number') return {};
  if (typeof nanoseconds !== 'number' || nanoseconds <= 0) return { tokens };
  return { tokens, tokensPerSecond: tokens / (nanoseconds / 1e9) };
}

function finishOf(value: unknown): Pick<TextAnswer, 'finishReason'> {
  const finishReason = memberOf(value, 'done_reason');
  return typeof finishReason === 'string' && finishReason !== '' ? { finishReason } : {};
}
