import type { HttpOptions } from '../core/http/index.ts';
import type { SmokePolicy } from '../core/policy/index.ts';
import { InputError } from '../core/problem/index.ts';
import { excerpt, nearestName } from '../core/text/index.ts';
import type { AnyProtocol, ProtocolName } from './protocol.ts';
import type { RagOptions } from './protocols/rag.ts';
import type { RestTemplate } from './protocols/rest.ts';
import type { Target } from './target.ts';

/** What protocols are told beside the target; a protocol without use for a part ignores it. */
export interface OpenProtocolOptions extends HttpOptions {
  /** kserve-v1, torchserve, mlflow, sagemaker: how rows are written in requests. @default each protocol's own */
  readonly format?: NonNullable<SmokePolicy['format']>;
  /** rest: what requests and answers look like. */
  readonly template?: NonNullable<SmokePolicy['rest']>;
  /** rag: where question, answer and sources stand. @default as most services have it */
  readonly rag?: NonNullable<SmokePolicy['rag']>;
}

type Open = (target: Target, options: OpenProtocolOptions) => Promise<AnyProtocol>;

// Each is loaded when it is asked for: gRPC alone is as large as all the others.
const protocols: Readonly<Record<ProtocolName, Open>> = {
  v2: async (target, options) =>
    (await import('./protocols/open-inference-http.ts')).openInferenceHttp(target, options),
  'v2-grpc': async (target, options) =>
    (await import('./protocols/open-inference-grpc.ts')).openInferenceGrpc(target, options),
  triton: async (target, options) => (await import('./protocols/triton.ts')).openTriton(target, options),
  'kserve-v1': async (target, { format, ...options }) => {
    const { openKserveV1 } = await import('./protocols/kserve-v1.ts');
    return openKserveV1(target, { ...options, ...oneOf(format, ['instances', 'inputs']) });
  },
  torchserve: async (target, { format, ...options }) => {
    const { openTorchServe } = await import('./protocols/torchserve.ts');
    return openTorchServe(target, { ...options, ...oneOf(format, ['instances', 'rows']) });
  },
  mlflow: async (target, { format, ...options }) => {
    const { openMlflow } = await import('./protocols/mlflow.ts');
    const formats = ['inputs', 'named-inputs', 'dataframe_split', 'instances'] as const;
    return openMlflow(target, { ...options, ...oneOf(format, formats) });
  },
  sagemaker: async (target, { format, ...options }) => {
    const { openSagemaker } = await import('./protocols/sagemaker.ts');
    return openSagemaker(target, { ...options, ...oneOf(format, ['instances', 'inputs', 'rows', 'csv']) });
  },
  'openai-chat': async (target, options) => (await import('./protocols/openai.ts')).openOpenAiChat(target, options),
  'openai-completions': async (target, options) =>
    (await import('./protocols/openai.ts')).openOpenAiCompletions(target, options),
  ollama: async (target, options) => (await import('./protocols/ollama.ts')).openOllama(target, options),
  rag: async (target, { rag = {}, ...options }) => {
    const { openRag } = await import('./protocols/rag.ts');
    const { top_k: topK, ...rest } = rag;
    const shape = { ...rest, ...(topK === undefined ? {} : { topK }) } as RagOptions;
    return openRag(target, { ...options, ...shape });
  },
  rest: async (target, { template, ...options }) => {
    if (template === undefined) throw withoutTemplate();
    // The schema's types allow `undefined` for what is left out; a parsed policy never holds it.
    return (await import('./protocols/rest.ts')).openRest(target, { ...options, template: template as RestTemplate });
  },
};

export const protocolNames = Object.keys(protocols) as readonly ProtocolName[];

/**
 * Opens a protocol to a server; nothing is sent yet. Throws an `InputError` for a name that is none, a URL of another scheme, a model that is
 * not named where it must be, or a format or template that the protocol does not have.
 */
export async function openProtocol(
  name: string,
  target: Target,
  options: OpenProtocolOptions = {},
): Promise<AnyProtocol> {
  const known = protocolNames.find((each) => each === name);
  if (known !== undefined) return protocols[known](target, options);
  const near = nearestName(name, protocolNames);
  throw new InputError({
    code: 'unknown-protocol',
    message: `there is no protocol "${excerpt(name)}"`,
    expected: protocolNames.join(', '),
    fix:
      near === undefined
        ? 'Use the one your server speaks; v2 is the Open Inference Protocol.'
        : `Did you mean "${near}"?`,
  });
}

/** The format, if it is one of these; an `InputError` if it is another protocol's. */
function oneOf<Format extends string>(
  format: string | undefined,
  formats: readonly Format[],
): { readonly format?: Format } {
  if (format === undefined) return {};
  const known = formats.find((each) => each === format);
  if (known !== undefined) return { format: known };
  throw new InputError({
    code: 'wrong-format',
    message: `this protocol has no format "${excerpt(format)}"`,
    expected: formats.join(', '),
    fix: 'Use one of them.',
  });
}

function withoutTemplate(): InputError {
  return new InputError({
    code: 'no-template',
    message: 'the protocol rest needs a template of requests and answers',
    fix: 'Add "smoke: { rest: { path: ..., body: ..., outputs: ... } }" to the policy.',
  });
}
