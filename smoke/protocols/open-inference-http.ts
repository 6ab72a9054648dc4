import {
  type Hide,
  type HttpAnswer,
  type HttpClient,
  type HttpOptions,
  type HttpRequest,
  openHttp,
  said,
} from '../../core/http/index.ts';
import {
  decodeInferResponse,
  encodeInferRequest,
  headerLengthName,
  MessageError,
  specsOfMetadata,
} from '../../core/inference/index.ts';
import type { Feeds, Outputs, Tensor } from '../../core/onnx/index.ts';
import { describeProblem, PeerError } from '../../core/problem/index.ts';
import { exchange, jsonOf, jsonPost, probe, refusalText, send, textOf } from '../json-exchange.ts';
import { isObject, memberOf } from '../json-selection.ts';
import { modelName } from '../model-name.ts';
import type { Answer, Readiness, ServedModel, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';

export interface InferenceHttpOptions extends HttpOptions {
  /**
   * Tensors as binary data after the JSON. Not every server of the protocol has this extension, so by default only what JSON cannot carry
   * everywhere goes so: half precision, NaN and infinities. @default as needed
   */
  readonly binary?: boolean;
}

/**
 * The Open Inference Protocol v2 over HTTP (KServe, MLServer, Triton, `sluice serve`): `/v2/models/M[/versions/V]`, its `/ready` and its
 * `/infer`. Ready is a 200; what else its body says is heard (KServe says `"ready": false` in a 200), an empty body is fine (MLServer,
 * Triton).
 *
 * References: https://github.com/kserve/open-inference-protocol and Triton's docs/protocol/extension_binary_data.md.
 * Throws an InputError when the target names no model.
 */
export function openInferenceHttp(target: Target, options: InferenceHttpOptions = {}): TensorProtocol {
  return inferenceOverHttp(openHttp(target, options), target, options.binary);
}

/** The paths of the target's model. */
export function modelPath(target: Target, model: string): string {
  const version = target.version === undefined ? '' : `/versions/${encodeURIComponent(target.version)}`;
  return `/v2/models/${encodeURIComponent(model)}${version}`;
}

/** The protocol on an HTTP client, which it closes. */
export function inferenceOverHttp(http: HttpClient, target: Target, binary: boolean | undefined): TensorProtocol {
  const name = modelName(target, 'v2');
  const model = modelPath(target, name);
  const request = (feeds: Feeds): HttpRequest => {
    const message = encodeInferRequest({ feeds, binary: binary ?? Object.values(feeds).some(needsBinary) });
    return { method: 'POST', path: `${model}/infer`, headers: message.headers, body: message.body };
  };
  return {
    kind: 'tensor',
    name: 'v2',
    ready: async () => {
      const readiness = await probe(http, `${model}/ready`, { judge: (answer) => whyNotReady(answer, http.hide) });
      return readiness.ready || readiness.status !== 400 ? readiness : await explained(readiness, http, model);
    },
    describe: async () => {
      const answer = await exchange(http, { method: 'GET', path: model }, ({ value }) => servedModel(value));
      if (answer.value !== undefined) return answer.value;
      throw new PeerError({
        code: 'no-metadata',
        message: `the server does not tell of its model (HTTP ${answer.status})`,
        ...(answer.refusal === undefined ? {} : { found: answer.refusal }),
        fix: 'Check the name and the version of the model, and the path in the URL.',
      });
    },
    infer: async (feeds) => inferenceAnswer(await http.request(request(feeds)), http.hide),
    malformed: () =>
      malformedRequests(model).map(({ title, path, body }) => ({
        title,
        send: () => send(http, jsonPost(path, body)),
      })),
    wire: ({ feeds }) => http.wire(request(feeds)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** JSON has no word for them that every server reads, and Triton refuses FP16 in JSON. */
function needsBinary(tensor: Tensor): boolean {
  if (tensor.type === 'float16') return true;
  if (tensor.type !== 'float32' && tensor.type !== 'float64') return false;
  return !tensor.data.every(Number.isFinite);
}

/** A 200 that says otherwise, or comes from somebody else. */
function whyNotReady(answer: HttpAnswer, hide: Hide): string | undefined {
  if (textOf(answer).trim() === '') return undefined;
  const ready = memberOf(jsonOf(answer, hide).value, 'ready');
  return ready === undefined || /^true$/i.test(String(ready)) ? undefined : `ready is ${JSON.stringify(ready)}`;
}

/** Triton answers 400 for a model that loads and for one it does not have; its metadata (404) tells them apart. */
async function explained(
  readiness: Readiness & { readonly ready: false },
  http: HttpClient,
  model: string,
): Promise<Readiness> {
  const metadata = await http.request({ method: 'GET', path: model }).catch(() => undefined);
  if (metadata?.status !== 404) return readiness;
  return {
    ready: false,
    status: 404,
    problem: {
      ...readiness.problem,
      message: 'the server has no such model, or has not loaded it',
      found: refusalText(metadata, http.hide),
      fix: 'Correct the name and the version of the model, or load it.',
    },
  };
}

function servedModel(value: unknown): ServedModel {
  const text = (name: string): string | undefined => {
    const found = memberOf(value, name);
    return typeof found === 'string' && found !== '' ? found : undefined;
  };
  const [name, platform] = [text('name'), text('platform')];
  const versions = memberOf(value, 'versions');
  const inputs = specsOfMetadata(memberOf(value, 'inputs'));
  const outputs = specsOfMetadata(memberOf(value, 'outputs'));
  const parameters = memberOf(value, 'parameters');
  return {
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
    ...(Array.isArray(versions) && versions.length > 0 ? { versions: versions.map(String) } : {}),
    ...(inputs === undefined ? {} : { inputs }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(isObject(parameters) ? { parameters } : {}),
  };
}

function inferenceAnswer(answer: HttpAnswer, hide: Hide): Answer<Outputs> {
  const { status, milliseconds, headers, body } = answer;
  if (status < 200 || status > 299) return { status, milliseconds, refusal: refusalText(answer, hide) };
  return readingAnswer(hide, () => {
    const { outputs, modelVersion } = decodeInferResponse(body, headers[headerLengthName]);
    return {
      status,
      milliseconds,
      value: outputs,
      ...(modelVersion === undefined || modelVersion === '' ? {} : { modelVersion: said(modelVersion, hide) }),
    };
  });
}

/** What cannot be read as an answer of the protocol is a PeerError. */
export function readingAnswer<Value>(hide: Hide, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof MessageError)) throw cause;
    throw new PeerError({
      code: 'broken-answer',
      message: 'the server answered with something that is no answer of the Open Inference Protocol',
      found: said(cause.problems.map(describeProblem).join(' '), hide, 400),
      fix: 'See whether the URL and the protocol are right; if they are, the server breaks the protocol.',
    });
  }
}

function malformedRequests(
  model: string,
): readonly { readonly title: string; readonly path: string; readonly body: string }[] {
  const infer = `${model}/infer`;
  const input = (members: object): string =>
    JSON.stringify({
      inputs: [{ name: 'no-input-has-this-name', datatype: 'FP32', shape: [1, 1], data: [1], ...members }],
    });
  return [
    { title: 'broken JSON', path: infer, body: '{"inputs": [{' },
    { title: 'a request without inputs', path: infer, body: '{}' },
    { title: 'an unknown datatype', path: infer, body: input({ datatype: 'FLOAT' }) },
    { title: 'an unknown input', path: infer, body: input({}) },
    { title: 'an unknown model', path: '/v2/models/no-model-has-this-name/infer', body: input({}) },
  ];
}
