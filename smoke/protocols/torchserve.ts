import { type HttpClient, type HttpOptions, type HttpRequest, openHttp } from '../../core/http/index.ts';
import type { Feeds } from '../../core/onnx/index.ts';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { exchange, jsonOf, jsonPost, probe, send } from '../json-exchange.ts';
import { memberOf, within } from '../json-selection.ts';
import { readOutputs, rowsJson, unwrapped } from '../json-tensors.ts';
import { modelName } from '../model-name.ts';
import type { ServedModel, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';

export interface TorchServeOptions extends HttpOptions {
  /**
   * `instances`: `{"instances": [...]}`, which the request envelopes `json` and `kserve` take; `rows`: the bare array, which a handler of
   * one's own mostly wants. @default 'instances'
   */
  readonly format?: 'instances' | 'rows';
  /** The management API. @default the target's host, one port up (8080 and 8081) */
  readonly management?: URL;
}

/**
 * TorchServe: `GET /ping` and `POST /predictions/M[/V]` on the inference port (8080), `GET /models/M[/V]` on the management port (8081),
 * which listens on the server's own loopback by default: what cannot be asked there is simply not known.
 *
 * References: https://docs.pytorch.org/serve/inference_api.html, https://docs.pytorch.org/serve/management_api.html and
 * https://docs.pytorch.org/serve/request_envelopes.html; answers of TorchServe 0.12 (ts/torch_handler/request_envelope/json.py).
 * Throws an InputError when the target names no model.
 */
export function openTorchServe(target: Target, options: TorchServeOptions = {}): TensorProtocol {
  const name = modelName(target, 'torchserve');
  const http = openHttp(target, options);
  const management = openManagement(target, options);
  const version = target.version === undefined ? '' : `/${encodeURIComponent(target.version)}`;
  const model = `${encodeURIComponent(name)}${version}`;
  const predict = (body: string, of = model): HttpRequest => jsonPost(`/predictions/${of}`, body);
  const request = (feeds: Feeds): HttpRequest => {
    const rows = rowsJson(feeds, 'python');
    return predict(options.format === 'rows' ? rows : `{"instances":${rows}}`);
  };

  return {
    kind: 'tensor',
    name: 'torchserve',
    ready: async () => {
      const healthy = await probe(http, '/ping', {
        judge: (answer) => {
          const status = memberOf(jsonOf(answer, http.hide).value, 'status');
          return status === 'Healthy' ? undefined : `its status is ${JSON.stringify(status)}`;
        },
      });
      if (!healthy.ready || management === undefined) return healthy;
      const staffed = await probe(management, `/models/${model}`, {
        judge: (answer) => whyNobodyWorks(jsonOf(answer, management.hide).value),
      });
      // A management API that cannot be asked, or does not know the model, says nothing about workers.
      return !staffed.ready && staffed.status === 200 ? staffed : healthy;
    },
    describe: async () => (management === undefined ? undefined : await described(management, model)),
    infer: (feeds, specs) =>
      exchange(http, request(feeds), (json) => readOutputs(within(json, unwrapped), specs, feeds)),
    malformed: () => [
      { title: 'broken JSON', send: () => send(http, predict('{"instances": [[')) },
      { title: 'text instead of rows', send: () => send(http, predict('{"instances": "text"}')) },
      {
        title: 'an unknown model',
        send: () => send(http, predict('{"instances": [[1.0]]}', 'no-model-has-this-name')),
      },
    ],
    wire: ({ feeds }) => http.wire(request(feeds)),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([http[Symbol.asyncDispose](), management?.[Symbol.asyncDispose]()]);
    },
  };
}

function openManagement(target: Target, options: TorchServeOptions): HttpClient | undefined {
  if (options.management !== undefined) {
    if (options.management.hostname !== target.url.hostname) {
      throw new InputError({
        code: 'other-host',
        message: 'the management API is on another host than the model',
        found: options.management.host,
        expected: target.url.hostname,
        fix: 'Give a management URL on the same host: the headers, and the tokens in them, are sent there, too.',
      });
    }
    return openHttp({ ...target, url: options.management }, options);
  }
  // Behind an ingress there is no port beside.
  const port = Number(target.url.port);
  if (target.url.port === '' || port >= 65_535) return undefined;
  const url = new URL(target.url.origin);
  url.port = String(port + 1);
  return openHttp({ ...target, url }, options);
}

/** 0.12 is "Healthy" as soon as it has been told to start a worker, which may still be loading the model, or have died of it. */
function whyNobodyWorks(versions: unknown): string | undefined {
  if (!Array.isArray(versions)) return undefined;
  for (const version of versions) {
    const workers = memberOf(version, 'workers');
    if (!Array.isArray(workers)) continue;
    const statuses = workers.map((worker) => memberOf(worker, 'status'));
    if (statuses.includes('READY')) continue;
    return statuses.length === 0 ? 'the model has no worker' : `no worker is READY: ${JSON.stringify(statuses)}`;
  }
  return undefined;
}

/** `[{"modelName":..., "modelVersion":..., "workers":[{"status":"READY",...}],...}]`, one for each version asked for. */
async function described(management: HttpClient, model: string): Promise<ServedModel | undefined> {
  try {
    const { value } = await exchange(management, { method: 'GET', path: `/models/${model}` }, (json) => json.value);
    if (!Array.isArray(value)) return undefined;
    const versions = value.map((each) => memberOf(each, 'modelVersion')).filter((each) => typeof each === 'string');
    const name = memberOf(value[0], 'modelName');
    const runtime = memberOf(value[0], 'runtime');
    return {
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof runtime === 'string' ? { platform: `torchserve ${runtime}` } : { platform: 'torchserve' }),
      versions,
    };
  } catch (cause) {
    if (cause instanceof PeerError) return undefined;
    throw cause;
  }
}
