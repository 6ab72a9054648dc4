import { decodeInferRequest, encodeInferResponse, MessageError } from '../../core/inference/index.ts';
import { describeProblem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { MeteredEngine } from '../metrics/index.ts';
import { type Refusal, refusal, refusalOf } from './refusal.ts';

/** One inference request, whole, whichever way it came. */
export interface InferenceCall {
  readonly model: string;
  readonly version: string | undefined;
  /** The header `Inference-Header-Content-Length`, if it was sent. */
  readonly jsonLength: string | undefined;
  readonly body: Uint8Array;
  /** When its last byte came, in milliseconds of `performance.now()`. */
  readonly receivedAt: number;
}

export interface InferenceAnswer {
  /** Content type, and where the JSON ends when binary data follow. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Exactly one of the two is given. */
export type Reply = (refused: Refusal | undefined, answer: InferenceAnswer | undefined) => void;

/** From a request's bytes to its answer's: decoding, the engine, encoding. Calls `reply` exactly once; never throws. */
export class InferenceService {
  readonly #engine: MeteredEngine;

  constructor(engine: MeteredEngine) {
    this.#engine = engine;
  }

  answer(call: InferenceCall, reply: Reply): void {
    const engine = this.#engine;
    const served = engine.find(call.model, call.version);
    if (served === undefined) {
      // Why it is not there (unknown, still loading, shutting down) the engine says best.
      engine.infer({ ...named(call), feeds: {} }, (error) => reply(refusalOf(error ?? noReason), undefined));
      return;
    }
    let request: ReturnType<typeof decodeInferRequest>;
    try {
      request = decodeInferRequest(call.body, call.jsonLength);
    } catch (error) {
      engine.refused(served, 'invalid-input');
      reply(refusal(400, complaintOf(error)), undefined);
      return;
    }
    const { id, outputs: requested, binaryOutput, parameters } = request;
    const timeoutMs = timeoutOf(parameters['timeout']);
    engine.infer(
      {
        model: served.model,
        version: served.version,
        feeds: request.feeds,
        receivedAt: call.receivedAt,
        ...(requested === undefined ? undefined : { outputs: requested.map(({ name }) => name) }),
        ...(timeoutMs === undefined ? undefined : { timeoutMs }),
      },
      (error, outputs) => {
        if (outputs === undefined) {
          reply(refusalOf(error ?? noReason), undefined);
          return;
        }
        let answer: InferenceAnswer;
        try {
          answer = encodeInferResponse(
            {
              modelName: served.model,
              modelVersion: served.version,
              outputs,
              ...(id === undefined ? undefined : { id }),
            },
            requested === undefined
              ? binaryOutput
                ? everything
                : undefined
              : (output) => requested.find(({ name }) => name === output)?.binary ?? binaryOutput,
          );
        } catch {
          reply(refusal(500, 'the outputs of the model cannot be written in this protocol'), undefined);
          return;
        }
        reply(undefined, answer);
      },
    );
  }
}

const everything = () => true;
const noReason = { kind: 'model-failed', message: 'the model gave no outputs' } as const;

function named({ model, version }: InferenceCall): { readonly model: string; readonly version?: string } {
  return version === undefined ? { model } : { model, version };
}

/** Triton's request parameter, in microseconds. */
function timeoutOf(timeout: unknown): number | undefined {
  return typeof timeout === 'number' && timeout > 0 ? timeout / 1000 : undefined;
}

/** On one line: clients log it. */
function complaintOf(error: unknown): string {
  if (!(error instanceof MessageError)) return 'the request cannot be read';
  return excerpt(error.problems.map(describeProblem).join('; '), 2000);
}
