import { type HttpClient, type HttpOptions, type HttpRequest, openHttp } from '../../core/http/index.ts';
import { PeerError } from '../../core/problem/index.ts';
import { endedEarly, failedInStream, serverSentEvents } from '../event-stream.ts';
import { exchange, jsonOf, jsonPost, probe, refusalText, send } from '../json-exchange.ts';
import { memberOf } from '../json-selection.ts';
import { modelName } from '../model-name.ts';
import type { Answer, Question, Readiness, ServedModel, TextAnswer, TextProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { TokenTimes } from '../token-times.ts';
import { splitPath } from '../url-base.ts';

/**
 * OpenAI's chat completions, as vLLM, TGI, Ollama, llama.cpp, SGLang, LiteLLM and hosted services have them: `POST /v1/chat/completions`.
 * The URL may end in `/v1` (or in another version, as `/openai/v1` or `/v1beta/openai`) or not.
 *
 * Ready is a server whose `/v1/models` lists the model and whose `/health` says nothing against it (vLLM, TGI, llama.cpp have it; others
 * answer 404). Streams are asked to end with the tokens' count (`stream_options.include_usage`). The sampling length goes as `max_tokens`,
 * which all of them know; OpenAI's own reasoning models want another name for it and refuse.
 *
 * References: https://platform.openai.com/docs/api-reference/chat; vLLM vllm/entrypoints/openai (serving.py, engine/protocol.py); TGI
 * docs/openapi.json. Throws an InputError when the target names no model.
 */
export function openOpenAiChat(target: Target, options: HttpOptions = {}): TextProtocol {
  return openOpenAi(target, options, chat);
}

/** OpenAI's completions of a prompt, `POST /v1/completions`; else as `openOpenAiChat`. A system prompt goes before the prompt. */
export function openOpenAiCompletions(target: Target, options: HttpOptions = {}): TextProtocol {
  return openOpenAi(target, options, completions);
}

interface Api {
  readonly name: 'openai-chat' | 'openai-completions';
  readonly path: string;
  prompt(question: Question): Readonly<Record<string, unknown>>;
  /** A request body whose prompt is of a type that no server takes. */
  readonly wrongPrompt: Readonly<Record<string, unknown>>;
  /** The text of a choice: whole, or what a chunk adds. */
  textOf(choice: unknown): string;
  /** Whether a chunk's choice has a token, even one that is not part of the text (reasoning). */
  hasToken(choice: unknown): boolean;
}

const chat: Api = {
  name: 'openai-chat',
  path: '/chat/completions',
  prompt: ({ prompt, system }) => ({
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: prompt },
    ],
  }),
  wrongPrompt: { messages: 'text' },
  textOf: (choice) => {
    const message = memberOf(choice, 'message') ?? memberOf(choice, 'delta');
    const content = textIn(memberOf(message, 'content'));
    return content === '' ? textIn(memberOf(message, 'refusal')) : content;
  },
  hasToken: (choice) => {
    const delta = memberOf(choice, 'delta');
    // vLLM, SGLang and DeepSeek call it reasoning_content, newer vLLM and Ollama reasoning.
    const texts = ['content', 'refusal', 'reasoning_content', 'reasoning'].map((name) => textIn(memberOf(delta, name)));
    return texts.some((text) => text !== '') || Array.isArray(memberOf(delta, 'tool_calls'));
  },
};

const completions: Api = {
  name: 'openai-completions',
  path: '/completions',
  prompt: ({ prompt, system }) => ({ prompt: system === undefined ? prompt : `${system}\n\n${prompt}` }),
  wrongPrompt: { prompt: { text: 'an object' } },
  textOf: (choice) => textIn(memberOf(choice, 'text')),
  hasToken: (choice) => textIn(memberOf(choice, 'text')) !== '',
};

/** Content is text, or a list of parts with text. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value
    .map((part) => memberOf(part, 'text'))
    .filter((text) => typeof text === 'string')
    .join('');
}

function openOpenAi(target: Target, options: HttpOptions, api: Api): TextProtocol {
  const model = modelName(target, api.name);
  const { root, ended = '/v1' } = splitPath(target, /\/v\d+\w*(\/openai)?$/);
  const http = openHttp(root, options);
  const path = `${ended}${api.path}`;
  const body = (question: Question, stream: boolean): string =>
    JSON.stringify({
      model,
      ...api.prompt(question),
      ...(question.maxTokens === undefined ? {} : { max_tokens: question.maxTokens }),
      ...(question.temperature === undefined ? {} : { temperature: question.temperature }),
      ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    });
  const request = (question: Question): HttpRequest => jsonPost(path, body(question, false));
  const wrong = (more: Readonly<Record<string, unknown>>): Promise<Answer<unknown>> =>
    send(http, jsonPost(path, JSON.stringify({ model, ...api.prompt({ prompt: 'Hello' }), max_tokens: 1, ...more })));

  return {
    kind: 'text',
    name: api.name,
    ready: () => readiness(http, `${ended}/models`, model),
    describe: () => description(http, `${ended}/models`, model),
    ask: (question, { stream = false } = {}) =>
      stream
        ? streamed(http, jsonPost(path, body(question, true)), api)
        : exchange(http, request(question), ({ value }) => whole(value, api)),
    // Not among them: an unknown model. Servers of one model (TGI, llama.cpp) take any name.
    malformed: () => [
      { title: 'broken JSON', send: () => send(http, jsonPost(path, '{"model": ')) },
      { title: 'a prompt of the wrong type', send: () => wrong(api.wrongPrompt) },
      { title: 'text as temperature', send: () => wrong({ temperature: 'warm' }) },
      { title: 'text as max_tokens', send: () => wrong({ max_tokens: 'many' }) },
    ],
    wire: (question) => http.wire(request(question)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

async function readiness(http: HttpClient, path: string, model: string): Promise<Readiness> {
  const listed = await probe(http, path, {
    judge: (answer) => {
      const ids = modelsIn(jsonOf(answer, http.hide).value).map(idOf);
      if (ids.length === 0) return 'it lists no models';
      return ids.some((id) => isCalled(id, model))
        ? undefined
        : `it serves ${ids.slice(0, 5).join(', ')}, not ${model}`;
    },
  });
  const listsNone = !listed.ready && (listed.status === 404 || listed.status === 405);
  if (!listed.ready && !listsNone) return listed;
  // Not before: LiteLLM's /health has every model answer, and this is asked over and over.
  const health = await probe(http, '/health');
  if (health.ready) return health;
  // That its engine is dead, vLLM says by a 5xx here only. Who has no such path, or wants a token there, says nothing.
  return typeof health.status === 'number' && health.status >= 500 ? health : listed;
}

async function description(http: HttpClient, path: string, model: string): Promise<ServedModel | undefined> {
  const answer = await exchange(http, { method: 'GET', path }, ({ value }) => modelsIn(value)).catch(noJson);
  const found = answer?.value?.find((each) => isCalled(idOf(each), model));
  const info = await exchange(http, { method: 'GET', path: '/info' }, ({ value }) => value).catch(noJson);
  const told = memberOf(info?.value, 'model_id') === undefined ? undefined : info?.value;
  if (found === undefined && told === undefined) return undefined;
  const parameters = {
    ...scalarsOf(found, ['owned_by', 'root', 'parent', 'max_model_len']),
    // TGI's /info.
    ...scalarsOf(told, ['model_id', 'model_sha', 'max_input_tokens', 'max_total_tokens', 'version']),
  };
  const sha = memberOf(told, 'model_sha');
  return {
    name: found === undefined ? model : idOf(found),
    ...(typeof sha === 'string' ? { versions: [sha] } : {}),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}

/** What answers with a page of its own does not tell. */
function noJson(cause: unknown): undefined {
  if (!(cause instanceof PeerError && cause.problems[0].code === 'broken-answer')) throw cause;
}

function modelsIn(value: unknown): readonly unknown[] {
  const data = memberOf(value, 'data');
  return Array.isArray(data) ? data : [];
}

function idOf(model: unknown): string {
  const id = memberOf(model, 'id');
  return typeof id === 'string' ? id : '';
}

/** Ollama lists `llama3.2:latest`, which goes by `llama3.2`. */
function isCalled(id: string, model: string): boolean {
  return id === model || id === `${model}:latest`;
}

function scalarsOf(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  const found = names.map((name) => [name, memberOf(value, name)] as const);
  return Object.fromEntries(found.filter(([, each]) => typeof each === 'string' || typeof each === 'number'));
}

function whole(value: unknown, api: Api): TextAnswer {
  const choice = firstChoice(value);
  if (choice === undefined) throw withoutChoices();
  const tokens = tokensIn(value);
  return {
    text: api.textOf(choice),
    ...(tokens === undefined ? {} : { tokens }),
    ...finishOf(choice),
  };
}

async function streamed(http: HttpClient, request: HttpRequest, api: Api): Promise<Answer<TextAnswer>> {
  const { status, headers, chunks } = await http.stream(request);
  if (!/^text\/event-stream\b/i.test(headers['content-type'] ?? '')) {
    // A refusal, or a server that does not stream.
    const parts: Uint8Array[] = [];
    let milliseconds = 0;
    for await (const chunk of chunks) {
      parts.push(chunk.bytes);
      milliseconds = chunk.milliseconds;
    }
    const answer = { status, headers, body: Buffer.concat(parts), milliseconds };
    if (status < 200 || status > 299) return { status, milliseconds, refusal: refusalText(answer, http.hide) };
    return { status, milliseconds, value: whole(jsonOf(answer, http.hide).value, api) };
  }

  const times = new TokenTimes();
  let text = '';
  let finish: Pick<TextAnswer, 'finishReason'> = {};
  let tokens: number | undefined;
  let last = 0;
  let done = false;
  for await (const part of serverSentEvents(chunks)) {
    last = part.milliseconds;
    if (part.text.trim() === '[DONE]') {
      done = true;
      break;
    }
    const event = { status, headers: {}, body: Buffer.from(part.text) };
    const { value } = jsonOf(event, http.hide);
    if ((memberOf(value, 'error') ?? null) !== null) throw failedInStream(refusalText(event, http.hide));
    tokens = tokensIn(value) ?? tokens;
    const choice = firstChoice(value);
    if (choice === undefined) continue;
    if (api.hasToken(choice)) times.came(part.milliseconds);
    text += api.textOf(choice);
    finish = { ...finish, ...finishOf(choice) };
  }
  if (!done && finish.finishReason === undefined) throw endedEarly(`${text.length} characters, and no [DONE]`);
  return { status, milliseconds: last, value: { text, ...finish, ...times.figures(tokens) } };
}

function firstChoice(value: unknown): unknown {
  const choices = memberOf(value, 'choices');
  return Array.isArray(choices) ? choices[0] : undefined;
}

/** In the whole answer, or in the last chunk but one, where `choices` is empty (llama.cpp: where it is not). */
function tokensIn(value: unknown): number | undefined {
  const tokens = memberOf(memberOf(value, 'usage'), 'completion_tokens');
  return typeof tokens === 'number' ? tokens : undefined;
}

function finishOf(choice: unknown): Pick<TextAnswer, 'finishReason'> {
  const finishReason = memberOf(choice, 'finish_reason');
  return typeof finishReason === 'string' && finishReason !== '' ? { finishReason } : {};
}

function withoutChoices(): PeerError {
  return new PeerError({
    code: 'broken-answer',
    message: 'the answer has no choices',
    expected: '{"choices": [...]}',
    fix: "See whether the URL leads to an OpenAI-compatible API; Ollama's own API is the protocol ollama.",
  });
}
