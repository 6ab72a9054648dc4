import { type Hide, type HttpAnswer, type HttpClient, type HttpRequest, said } from '../core/http/index.ts';
import { parseJson } from '../core/inference/index.ts';
import { PeerError } from '../core/problem/index.ts';
import { parsedJson } from '../core/text/index.ts';
import { isObject, type Json, memberOf } from './json-selection.ts';
import type { Answer, Readiness } from './protocol.ts';

/** A POST of JSON text. */
export function jsonPost(path: string, body: string): HttpRequest {
  return { method: 'POST', path, headers: { 'content-type': 'application/json', accept: 'application/json' }, body };
}

/**
 * Sends a request; `read` takes the JSON of a 2xx. Any other status is a refusal, with what the server says about it. Throws a PeerError
 * when no answer comes or a 2xx is not JSON, and whatever `read` throws.
 */
export async function exchange<Value>(
  http: HttpClient,
  request: HttpRequest,
  read: (json: Json, answer: HttpAnswer) => Value,
): Promise<Answer<Value>> {
  const answer = await http.request(request);
  const { status, milliseconds } = answer;
  if (status < 200 || status > 299) return { status, milliseconds, refusal: refusalText(answer, http.hide) };
  return { status, milliseconds, value: read(jsonOf(answer, http.hide), answer) };
}

/** The same for requests of which only the status matters. */
export async function send(http: HttpClient, request: HttpRequest): Promise<Answer<unknown>> {
  const answer = await http.request(request);
  const { status, milliseconds } = answer;
  const good = status >= 200 && status <= 299;
  return { status, milliseconds, ...(good ? { value: textOf(answer) } : { refusal: refusalText(answer, http.hide) }) };
}

/** Throws a PeerError for what is no JSON. */
export function jsonOf(answer: Pick<HttpAnswer, 'status' | 'body' | 'headers'>, hide: Hide): Json {
  try {
    return parseJson(answer.body, 'answer');
  } catch {
    const type = answer.headers['content-type'];
    throw new PeerError({
      code: 'broken-answer',
      message: `the server answered ${answer.status} with something that is no JSON`,
      found: said(textOf(answer), hide) || 'an empty body',
      ...(type === undefined ? {} : { expected: `JSON; its content type is ${said(type, hide, 60)}` }),
      fix: 'See whether the URL and the protocol are right: a login page or a proxy answers like this, too.',
    });
  }
}

/** Where servers put what went wrong, the most telling first. */
const reasons = [
  'OriginalMessage',
  'message',
  'Message',
  'error',
  'detail',
  'error_msg',
  'reason',
  'error_code',
  'type',
];

/** What the server says it did not like, on one line and without secrets; the status alone when it says nothing. */
export function refusalText(answer: Pick<HttpAnswer, 'status' | 'body'>, hide: Hide): string {
  const text = textOf(answer);
  return said(reasonIn(parsedJson(text)) ?? text, hide) || `HTTP ${answer.status}`;
}

function reasonIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return undefined;
  for (const name of reasons) {
    const reason = memberOf(value, name);
    if (typeof reason === 'string' && reason !== '') return reason;
    if (isObject(reason)) return reasonIn(reason) ?? JSON.stringify(reason);
    if (Array.isArray(reason) && reason.length > 0) return JSON.stringify(reason);
  }
  return undefined;
}

/**
 * One try whether a server is ready: GET `path` gives `status` (200), and `judge` finds nothing to say against the answer. Never throws
 * for what the server or the network does.
 */
export async function probe(
  http: HttpClient,
  path: string,
  options: {
    readonly status?: number;
    /** A clause that says why the server is not ready after all. */
    readonly judge?: (answer: HttpAnswer) => string | undefined;
  } = {},
): Promise<Readiness> {
  const expected = options.status ?? 200;
  try {
    const answer = await http.request({ method: 'GET', path });
    if (answer.status !== expected) return notReady(answer.status, expected, refusalText(answer, http.hide));
    const against = options.judge?.(answer);
    return against === undefined ? { ready: true } : notReady(answer.status, expected, said(against, http.hide));
  } catch (cause) {
    if (cause instanceof PeerError) return { ready: false, problem: cause.problems[0] };
    throw cause;
  }
}

function notReady(status: number, expected: number, found: string): Readiness {
  const fixes: Readonly<Record<number, string>> = {
    401: 'Give the token as a header (`Authorization: Bearer ...`).',
    403: 'Give a token that may use this model.',
    404: 'Correct the name of the model, its version and the path in the URL; some servers answer 404 until a model is loaded.',
  };
  return {
    ready: false,
    status,
    problem: {
      code: 'not-ready',
      message: status === expected ? 'the server is not ready' : `the server is not ready (HTTP ${status})`,
      found,
      fix: fixes[status] ?? "Wait longer, or read in the server's log why the model does not load.",
    },
  };
}

export function textOf(answer: Pick<HttpAnswer, 'body'>): string {
  return Buffer.from(answer.body.buffer, answer.body.byteOffset, answer.body.byteLength).toString('utf8');
}
