import type { WireRequest } from '../core/http/index.ts';
import type { Feeds, Outputs, TensorSpec } from '../core/onnx/index.ts';
import type { Problem } from '../core/problem/index.ts';

export type { WireRequest } from '../core/http/index.ts';

export type ProtocolName =
  | 'v2'
  | 'v2-grpc'
  | 'triton'
  | 'kserve-v1'
  | 'torchserve'
  | 'mlflow'
  | 'sagemaker'
  | 'openai-chat'
  | 'openai-completions'
  | 'ollama'
  | 'rag'
  | 'rest';

/** `status` is the HTTP status, or the gRPC code's name; absent when no answer came. */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly status?: number | string; readonly problem: Problem };

/** What a server says about the model it runs. A part it does not tell is absent. */
export interface ServedModel {
  readonly name?: string;
  readonly versions?: readonly string[];
  readonly platform?: string;
  readonly inputs?: readonly TensorSpec[];
  readonly outputs?: readonly TensorSpec[];
  /** What else it says of the model: Sluice's server puts the model file's `sha256` and `md5` here. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** One request and what came of it. A refusal (4xx, 5xx) is an answer; an answer that never came is a `PeerError`. */
export interface Answer<Value> {
  /** HTTP status, or the HTTP status a gRPC code stands for (INVALID_ARGUMENT 400, NOT_FOUND 404, UNAVAILABLE 503, else 500). */
  readonly status: number;
  /** What the server calls the trouble, printable and cut; present when `value` is not. */
  readonly refusal?: string;
  readonly value?: Value;
  /** Milliseconds from the first byte sent to the last byte read. */
  readonly milliseconds: number;
  /** What the server says of itself in headers or body: model version, request id. */
  readonly modelVersion?: string;
}

/** What every protocol can, whatever it carries. */
export interface Protocol extends AsyncDisposable {
  readonly name: ProtocolName;
  /** One try; the plan repeats it until its deadline. Never throws for a server that is not there yet. */
  ready(): Promise<Readiness>;
  /** `undefined`: the protocol has no way to ask. */
  describe(): Promise<ServedModel | undefined>;
  /** Requests that any sane server answers with a 4xx: broken JSON, a wrong type, a wrong shape, an unknown model. */
  malformed(): readonly { readonly title: string; send(): Promise<Answer<unknown>> }[];
  /** The bytes of one valid request, for load over HTTP; `undefined` where the transport is not plain HTTP. */
  wire(input: unknown): WireRequest | undefined;
}

/** A server that takes tensors (or rows) and gives tensors. */
export interface TensorProtocol extends Protocol {
  readonly kind: 'tensor';
  /**
   * Runs the model once. `specs` are the model's own inputs and outputs (from the ONNX file, or from `describe`): protocols without
   * types (MLflow, KServe V1, REST) read the JSON they get as these. Outputs the protocol cannot name come in `specs.outputs`' order.
   */
  infer(feeds: Feeds, specs: Specs): Promise<Answer<Outputs>>;
  wire(input: { readonly feeds: Feeds; readonly specs: Specs }): WireRequest | undefined;
}

export interface Specs {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** What is asked of a language model or of a retrieval endpoint. */
export interface Question {
  readonly prompt: string;
  readonly system?: string;
  readonly maxTokens?: number;
  readonly temperature?: number;
  /** RAG: how many passages. */
  readonly topK?: number;
}

export interface TextAnswer {
  readonly text: string;
  /** RAG: what the answer rests on, in the server's order. */
  readonly sources?: readonly string[];
  /** Milliseconds to the first token (streaming only). */
  readonly timeToFirstTokenMs?: number;
  readonly tokens?: number;
  readonly tokensPerSecond?: number;
  readonly finishReason?: string;
}

/** A server that takes text and gives text: chat, completions, RAG. */
export interface TextProtocol extends Protocol {
  readonly kind: 'text';
  /** `stream`: server-sent events (or Ollama's JSON lines) where the protocol has them. */
  ask(question: Question, options?: { readonly stream?: boolean }): Promise<Answer<TextAnswer>>;
  wire(input: Question): WireRequest | undefined;
}

export type AnyProtocol = TensorProtocol | TextProtocol;
