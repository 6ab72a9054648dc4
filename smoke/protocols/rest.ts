import * as z from 'zod';
import { type HttpOptions, type HttpRequest, openHttp, said } from '../../core/http/index.ts';
import type { Outputs } from '../../core/onnx/index.ts';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { exchange, probe, send } from '../json-exchange.ts';
import { isObject, type Json, within } from '../json-selection.ts';
import { parseSelector, type Selector } from '../json-selector.ts';
import { readOutputs } from '../json-tensors.ts';
import type { Answer, Specs, TensorProtocol } from '../protocol.ts';
import { fillPath, fillTemplate, type JsonTemplate, spoilTemplate } from '../request-template.ts';
import type { Target } from '../target.ts';

/** How a server without a protocol of its own is asked. A policy holds it. */
export interface RestTemplate {
  /** @default 'POST' */
  readonly method?: 'GET' | 'POST' | undefined;
  /** Below the target's path; may hold `{{model}}` and `{{version}}`. */
  readonly path: string;
  /** Beside the target's. @default content-type and accept of JSON */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** See `fillTemplate` for its placeholders. A GET has none. */
  readonly body?: JsonTemplate | undefined;
  /** Where in the JSON answer each output of the model stands, by its name in the ONNX file; see `parseSelector`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Where the answer says the model's version. */
  readonly version?: string | undefined;
  /** What a ready server answers, and with which status. @default `/` with 200 */
  readonly ready?: { readonly path: string; readonly status?: number | undefined } | undefined;
}

const templateSchema = z.strictObject({
  method: z.enum(['GET', 'POST']).optional(),
  path: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.json().optional(),
  outputs: z.record(z.string(), z.string()),
  version: z.string().optional(),
  ready: z.strictObject({ path: z.string(), status: z.int().min(100).max(599).optional() }).optional(),
});

export interface RestOptions extends HttpOptions {
  /** A `RestTemplate`; checked here, since it may come from a policy. */
  readonly template?: unknown;
}

/**
 * Any HTTP server that takes and gives JSON: BentoML (`/livez`, `/readyz`, one path an API), FastAPI, Ray Serve, Flask, gateways over
 * RedisAI or DeepStream.
 *
 * References: RFC 8259 (JSON), RFC 6901 (JSON Pointer), RFC 9535 (JSONPath; names, indices and `*` of it); for BentoML
 * https://docs.bentoml.com/en/latest/build-with-bentoml/services.html.
 * Throws an InputError for a template that cannot be used.
 */
export function openRest(target: Target, options: RestOptions = {}): TensorProtocol {
  const template = checkedTemplate(options.template);
  const http = openHttp(target, options);
  const { method = 'POST', body } = template;
  const path = checkedPath(fillPath(template.path, target));
  const ready = {
    status: template.ready?.status ?? 200,
    path: checkedPath(fillPath(template.ready?.path ?? '/', target)),
  };
  const selectors = Object.entries(template.outputs).map(([name, text]) => ({
    name,
    text,
    select: parseSelector(text),
  }));
  const version = template.version === undefined ? undefined : parseSelector(template.version);
  if (method === 'GET' && body !== undefined) {
    throw new InputError({
      code: 'body-of-get',
      message: 'a GET has no body',
      fix: 'Use `method: POST`, or leave the body out.',
    });
  }
  const json = { 'content-type': 'application/json', accept: 'application/json' };
  const sending = (text: string | undefined): HttpRequest => ({
    method,
    path,
    headers: { ...(text === undefined ? { accept: json.accept } : json), ...template.headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const request = (feeds: Parameters<typeof fillTemplate>[1]['feeds']): HttpRequest =>
    sending(
      body === undefined ? undefined : fillTemplate(body, { feeds, model: target.model, version: target.version }),
    );

  return {
    kind: 'tensor',
    name: 'rest',
    ready: () => probe(http, ready.path, { status: ready.status }),
    describe: async () => undefined,
    infer: async (feeds, specs): Promise<Answer<Outputs>> => {
      checkOutputs(selectors, specs);
      let modelVersion: unknown;
      const answer = await exchange(http, request(feeds), (answered) => {
        modelVersion = version?.(answered.value);
        return readOutputs(selected(answered, selectors), specs, feeds);
      });
      return typeof modelVersion === 'string' || typeof modelVersion === 'number'
        ? { ...answer, modelVersion: said(String(modelVersion), http.hide, 60) }
        : answer;
    },
    malformed: () =>
      body === undefined
        ? []
        : [
            { title: 'broken JSON', send: () => send(http, sending('{"')) },
            { title: 'an empty body', send: () => send(http, sending('')) },
            { title: 'text instead of values', send: () => send(http, sending(spoilTemplate(body, '"text"'))) },
            { title: 'nothing instead of values', send: () => send(http, sending(spoilTemplate(body, 'null'))) },
          ],
    wire: ({ feeds }) => http.wire(request(feeds)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

function checkedTemplate(given: unknown): RestTemplate {
  const read = templateSchema.safeParse(given ?? {});
  if (read.success) return read.data;
  const [first, ...others] = read.error.issues.map(({ path, message }) => ({
    code: 'bad-template',
    message: `the template for rest is wrong: ${excerpt(message, 160)}`,
    place: { key: ['rest', ...path].map(String).join('.') },
    fix: 'A template has `path` and `outputs`, and may have `method`, `headers`, `body`, `ready` and `version`.',
  }));
  if (first === undefined) throw read.error;
  throw new InputError([first, ...others]);
}

type NamedSelector = { readonly name: string; readonly text: string; readonly select: Selector };

/** An object with the outputs by name. Throws a PeerError when the answer has none of them where the template looks. */
function selected(answer: Json, selectors: readonly NamedSelector[]): Json {
  const pick = (value: unknown): Record<string, unknown> =>
    Object.fromEntries(
      selectors.flatMap(({ name, select }) => {
        const part = select(value);
        return part === undefined ? [] : [[name, part]];
      }),
    );
  const outputs = within(answer, pick);
  if (Object.keys(outputs.value as object).length > 0) return outputs;
  const { value } = answer;
  throw new PeerError({
    code: 'no-outputs',
    message: 'the answer has no output where the template looks',
    found: isObject(value)
      ? `an object with ${
          Object.keys(value)
            .slice(0, 10)
            .map((key) => `"${excerpt(key, 40)}"`)
            .join(', ') || 'nothing'
        }`
      : Array.isArray(value)
        ? `an array of ${value.length}`
        : excerpt(JSON.stringify(value), 60),
    expected: selectors.map(({ name, text }) => `${excerpt(name, 40)} at ${excerpt(text, 60)}`).join(', '),
    fix: 'Correct the selectors under `outputs`, or see why the server answers otherwise.',
  });
}

function checkOutputs(selectors: readonly NamedSelector[], specs: Specs): void {
  const known = specs.outputs.map(({ name }) => name);
  const extra = selectors.find(({ name }) => !known.includes(name));
  if (extra === undefined && selectors.length > 0) return;
  throw new InputError({
    code: 'unknown-output',
    message:
      extra === undefined
        ? 'the template names no output'
        : `the template names an output that the model does not have`,
    ...(extra === undefined ? {} : { found: `"${excerpt(extra.name, 60)}"` }),
    expected: known.map((name) => `"${excerpt(name, 60)}"`).join(', '),
    fix: 'Name outputs under `outputs` as the ONNX file does.',
  });
}

function checkedPath(path: string): string {
  // undici sends what is printable; a space or a line break would end the request line.
  if (path.startsWith('/') && /^[\x21-\x7e]*$/.test(path)) return path;
  throw new InputError({
    code: 'bad-path',
    message: `"${excerpt(path, 60)}" is no path on the server`,
    fix: 'Begin with / and percent-encode what is not ASCII.',
  });
}
