import { AsyncLocalStorage } from 'node:async_hooks';
import type { DescribeEndpointCommandOutput, SageMakerClient, SageMakerClientConfig } from '@aws-sdk/client-sagemaker';
import type { InvokeEndpointCommandOutput, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import {
  AwsTransport,
  type HttpAnswer,
  type HttpClient,
  type HttpOptions,
  mergeHeaders,
  openHttp,
  said,
} from '../../core/http/index.ts';
import type { Feeds, Outputs } from '../../core/onnx/index.ts';
import { InputError, PeerError, type Problem, SluiceError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { csvOf, readCsv } from '../csv-rows.ts';
import { jsonOf, refusalText } from '../json-exchange.ts';
import { memberOf, within } from '../json-selection.ts';
import { columnsJson, readOutputs, rowsJson, rowsOf, unwrapped } from '../json-tensors.ts';
import type { Answer, Readiness, ServedModel, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';

export interface SageMakerOptions extends HttpOptions {
  /** @default the one in the URL's host name */
  readonly region?: string;
  /** The production variant that must answer (TargetVariant). @default the target's version, else any */
  readonly variant?: string;
  /** What the container takes. `rows` is the bare array, `csv` has no header. @default 'instances' */
  readonly format?: 'instances' | 'inputs' | 'rows' | 'csv';
  /** The API for endpoints' states, where it is not AWS's own. @default https://api.sagemaker.REGION.amazonaws.com */
  readonly controlUrl?: URL;
}

/**
 * An Amazon SageMaker endpoint. The URL is the runtime's (`https://runtime.sagemaker.eu-west-1.amazonaws.com`, with or without
 * `/endpoints/NAME/invocations`), the model the endpoint's name. Ready means `InService`. Credentials are the AWS SDK's own (environment,
 * profile, role); in GitHub Actions `aws-actions/configure-aws-credentials` sets them. Requests are signed for one moment and cannot be
 * sent over and over, so there is no load over this protocol.
 *
 * The SDK signs and understands; the bytes go through `HttpClient`, with its limits and its explanations.
 *
 * References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html,
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html,
 * https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html (formats).
 * Throws an InputError when region or endpoint cannot be told.
 */
export function openSagemaker(target: Target, options: SageMakerOptions = {}): TensorProtocol {
  const { endpoint, origin } = endpointOf(target);
  const region = options.region ?? regionOf(target.url);
  const variant = options.variant ?? target.version;
  const format = options.format ?? 'instances';
  const runtimeHttp = openHttp({ ...target, url: origin }, options);
  const controlUrl = options.controlUrl ?? new URL(`https://api.sagemaker.${region}.amazonaws.com${suffixOf(region)}`);
  const controlHttp = openHttp({ ...target, url: controlUrl }, options);
  const elsewhere = new AwsTransport(options.environment === undefined ? {} : { environment: options.environment });
  // The SDK is big; whoever tests another protocol does not pay for it.
  const runtime = once(async (): Promise<SageMakerRuntimeClient> => {
    const { SageMakerRuntimeClient } = await import('@aws-sdk/client-sagemaker-runtime');
    return new SageMakerRuntimeClient(settings(region, origin, runtimeHttp, elsewhere));
  });
  const control = once(async (): Promise<SageMakerClient> => {
    const { SageMakerClient } = await import('@aws-sdk/client-sagemaker');
    return new SageMakerClient(settings(region, controlUrl, controlHttp, elsewhere));
  });

  const invoke = async <Value>(
    body: string,
    contentType: string,
    read: (output: InvokeEndpointCommandOutput) => Value,
    name = endpoint,
  ): Promise<Answer<Value>> => {
    const { InvokeEndpointCommand } = await import('@aws-sdk/client-sagemaker-runtime');
    const client = await runtime();
    const command = new InvokeEndpointCommand({
      EndpointName: name,
      ContentType: contentType,
      Accept: contentType,
      Body: Buffer.from(body),
      ...(variant === undefined ? {} : { TargetVariant: variant }),
    });
    const { output, refusal, milliseconds } = await called(runtimeHttp, () => client.send(command));
    if (refusal !== undefined) return { ...refusal, milliseconds };
    const { InvokedProductionVariant: by } = output;
    return {
      status: 200,
      milliseconds,
      value: read(output),
      ...(by === undefined ? {} : { modelVersion: said(by, runtimeHttp.hide, 63) }),
    };
  };
  const describe = async (): Promise<Called<DescribeEndpointCommandOutput>> => {
    const { DescribeEndpointCommand } = await import('@aws-sdk/client-sagemaker');
    const client = await control();
    return await called(controlHttp, () => client.send(new DescribeEndpointCommand({ EndpointName: endpoint })));
  };
  const contentType = format === 'csv' ? 'text/csv' : 'application/json';

  return {
    kind: 'tensor',
    name: 'sagemaker',
    ready: async (): Promise<Readiness> => {
      try {
        const { output, refusal } = await describe();
        if (refusal !== undefined) return { ready: false, status: refusal.status, problem: cannotAsk(refusal.refusal) };
        const { EndpointStatus: status = 'unknown', FailureReason: reason } = output;
        if (status === 'InService') return { ready: true };
        const found = said(reason === undefined ? status : `${status}: ${reason}`, controlHttp.hide);
        return { ready: false, status: 200, problem: notInService(endpoint, found) };
      } catch (cause) {
        if (cause instanceof PeerError) return { ready: false, problem: cause.problems[0] };
        throw cause;
      }
    },
    describe: async (): Promise<ServedModel | undefined> => {
      const { output } = await describe();
      // A role may well be allowed to invoke and not to describe.
      if (output === undefined) return undefined;
      const versions = (output.ProductionVariants ?? []).flatMap(({ VariantName: name }) => name ?? []);
      return { name: endpoint, platform: 'sagemaker', versions };
    },
    infer: (feeds, specs): Promise<Answer<Outputs>> =>
      invoke(
        bodyOf(feeds, format),
        contentType,
        ({ Body: body = new Uint8Array(), ContentType: type = contentType }) => {
          const json = /^text\/csv\b/i.test(type)
            ? readCsv(Buffer.from(body).toString('utf8'), rowsOf(feeds))
            : jsonOf({ status: 200, body, headers: { 'content-type': type } }, runtimeHttp.hide);
          return readOutputs(within(json, unwrapped), specs, feeds);
        },
      ),
    malformed: () => [
      { title: 'broken JSON', send: () => invoke('{"instances": [[', 'application/json', () => undefined) },
      {
        title: 'a content type no container takes',
        send: () => invoke('<a/>', 'application/x-nothing', () => undefined),
      },
      {
        title: 'an unknown endpoint',
        send: () => invoke('{}', 'application/json', () => undefined, 'no-endpoint-has-this-name'),
      },
    ],
    wire: () => undefined,
    [Symbol.asyncDispose]: async () => {
      elsewhere.destroy();
      await Promise.all([runtimeHttp[Symbol.asyncDispose](), controlHttp[Symbol.asyncDispose]()]);
    },
  };
}

/** What a call of the SDK came to; the SDK throws for every refusal. */
type Called<Output> =
  | { readonly output: Output; readonly refusal?: never; readonly milliseconds: number }
  | {
      readonly refusal: { readonly status: number; readonly refusal: string };
      readonly output?: never;
      readonly milliseconds: number;
    };

/** The HTTP answer of the call that runs, which the SDK does not hand out. */
const exchanges = new AsyncLocalStorage<{ answer?: HttpAnswer }>();

async function called<Output>(http: HttpClient, call: () => Promise<Output>): Promise<Called<Output>> {
  const exchange: { answer?: HttpAnswer } = {};
  try {
    const output = await exchanges.run(exchange, call);
    return { output, milliseconds: exchange.answer?.milliseconds ?? 0 };
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const { answer } = exchange;
    if (answer === undefined) throw new PeerError(noCall(cause, http));
    if (answer.status < 300) {
      // Throws with what came instead of the API's JSON.
      jsonOf(answer, http.hide);
      throw new PeerError(noCall(cause, http));
    }
    const refusal = refusalText(answer, http.hide);
    return {
      refusal: { status: containerStatus(answer, http) ?? answer.status, refusal },
      milliseconds: answer.milliseconds,
    };
  }
}

/** SageMaker answers 424 (ModelError) for every status of the container that is no 2xx, and tells it. */
function containerStatus(answer: HttpAnswer, http: HttpClient): number | undefined {
  if (answer.status !== 424) return undefined;
  try {
    const original = memberOf(jsonOf(answer, http.hide).value, 'OriginalStatusCode');
    return typeof original === 'number' && original >= 300 && original <= 599 ? original : undefined;
  } catch {
    return undefined;
  }
}

/** Signing failed, or the answer is none of this API. */
function noCall(cause: unknown, http: HttpClient): Problem {
  const found = said(cause instanceof Error ? cause.message : String(cause), http.hide);
  if (cause instanceof Error && /^(Credentials|Token)Provider|NoCredentials/i.test(cause.name)) {
    return {
      code: 'no-credentials',
      message: 'there are no AWS credentials',
      found,
      fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role; in GitHub Actions use aws-actions/configure-aws-credentials.',
    };
  }
  return {
    code: 'broken-answer',
    message: 'the answer is none of the SageMaker API',
    found,
    fix: 'See whether the URL is the endpoint of SageMaker and no proxy answers in its place.',
  };
}

/** The SDK's settings: one try (the plan repeats what should be), and our own transport. `elsewhere` sends what is for other hosts. */
function settings(region: string, url: URL, http: HttpClient, elsewhere: AwsTransport) {
  type Handler = Exclude<NonNullable<SageMakerClientConfig['requestHandler']>, Readonly<Record<string, unknown>>>;
  type Sent = Parameters<Extract<Handler, { handle: unknown }>['handle']>[0];
  return {
    region,
    endpoint: url.origin,
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: Sent, options?: object) => {
        const { protocol, hostname, port, method, path, query, headers, body } = request;
        // The chain of credentials asks its own hosts with what a client sends with: a role's token is not for the server that is tried.
        const { origin } = new URL(`${protocol}//${hostname}:${port ?? ''}`);
        if (origin !== url.origin) return elsewhere.handle(request, options);
        const search = new URLSearchParams(
          Object.entries(query ?? {}).flatMap(([name, value]) =>
            typeof value === 'string' ? [[name, value] as [string, string]] : [],
          ),
        ).toString();
        const { 'content-length': _, ...own } = mergeHeaders(headers);
        const answer = await http.request({
          method: method === 'GET' ? 'GET' : 'POST',
          path: search === '' ? path : `${path}?${search}`,
          headers: own,
          ...(typeof body === 'string' || body instanceof Uint8Array ? { body } : {}),
        });
        const running = exchanges.getStore();
        if (running !== undefined) running.answer = answer;
        return { response: { statusCode: answer.status, headers: { ...answer.headers }, body: answer.body } };
      },
    },
  };
}

function bodyOf(feeds: Feeds, format: NonNullable<SageMakerOptions['format']>): string {
  switch (format) {
    case 'csv':
      return csvOf(feeds);
    case 'rows':
      return rowsJson(feeds, 'python');
    case 'inputs':
      return `{"inputs":${columnsJson(feeds, 'python')}}`;
    case 'instances':
      return `{"instances":${rowsJson(feeds, 'python')}}`;
  }
}

function endpointOf(target: Target): { readonly endpoint: string; readonly origin: URL } {
  const [, inPath] = /^\/endpoints\/([^/]+)\/invocations\/?$/.exec(target.url.pathname) ?? [];
  const endpoint = target.model ?? inPath;
  if (endpoint !== undefined && /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(endpoint)) {
    return { endpoint, origin: new URL(target.url.origin) };
  }
  throw new InputError({
    code: 'no-endpoint',
    message: 'it is not said which SageMaker endpoint to ask',
    ...(endpoint === undefined ? {} : { found: excerpt(endpoint, 63) }),
    expected: 'a name of letters, digits and hyphens',
    fix: "Give the endpoint's name as `model`, or the URL https://runtime.sagemaker.REGION.amazonaws.com/endpoints/NAME/invocations.",
  });
}

function regionOf({ hostname }: URL): string {
  const [, region] = /^(?:[^.]+\.)?runtime(?:-fips)?\.sagemaker\.([a-z0-9-]+)\./.exec(hostname) ?? [];
  const found = region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (found !== undefined && /^[a-z]{2}(-[a-z]+)+-\d+$/.test(found)) return found;
  throw new InputError({
    code: 'no-region',
    message: 'the URL does not name an AWS region',
    found: said(hostname, (text) => text),
    fix: 'Use https://runtime.sagemaker.REGION.amazonaws.com, or set AWS_REGION.',
  });
}

function suffixOf(region: string): string {
  return region.startsWith('cn-') ? '.cn' : '';
}

function notInService(endpoint: string, found: string): Problem {
  return {
    code: 'not-ready',
    message: `the endpoint ${endpoint} is not in service`,
    found,
    expected: 'InService',
    fix: found.startsWith('Failed')
      ? "Read the endpoint's log group in CloudWatch and deploy it again."
      : 'Wait longer: an endpoint takes minutes to come into service.',
  };
}

function cannotAsk(found: string): Problem {
  return {
    code: 'not-ready',
    message: 'AWS does not tell the state of the endpoint',
    found,
    fix: "Correct the endpoint's name and region, and allow the role sagemaker:DescribeEndpoint and sagemaker:InvokeEndpoint.",
  };
}

/** Begun when it is first needed, and only then. */
function once<Value>(begin: () => Promise<Value>): () => Promise<Value> {
  let begun: Promise<Value> | undefined;
  return () => (begun ??= begin());
}
