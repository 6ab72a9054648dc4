import { type ServerErrorResponse, status } from '@grpc/grpc-js';
import { MessageError } from '../../core/inference/index.ts';
import { describeProblem, SluiceError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { InferenceError } from '../engine/engine.ts';
import { withoutPaths } from '../http/refusal.ts';

const codes: Readonly<Record<InferenceError['kind'], status>> = {
  'unknown-model': status.NOT_FOUND,
  'not-ready': status.UNAVAILABLE,
  'invalid-input': status.INVALID_ARGUMENT,
  'queue-full': status.RESOURCE_EXHAUSTED,
  timeout: status.DEADLINE_EXCEEDED,
  'model-failed': status.INTERNAL,
  draining: status.UNAVAILABLE,
};

/** The status of a request the engine did not serve. */
export function statusOf({ kind, message }: InferenceError): Partial<ServerErrorResponse> {
  return { code: codes[kind], details: message };
}

/** The status of anything thrown. What a stranger reads is one line without a path of this machine. */
export function statusOfError(error: unknown): Partial<ServerErrorResponse> {
  if (error instanceof MessageError) {
    return {
      code: status.INVALID_ARGUMENT,
      details: excerpt(error.problems.map(describeProblem).join('; '), 2000),
    };
  }
  if (error instanceof SluiceError) {
    const unknown = error.problems.some(({ code }) => code === 'unknown-model');
    return {
      code: unknown ? status.NOT_FOUND : status.FAILED_PRECONDITION,
      details: excerpt(withoutPaths(error.problems.map(({ message }) => message).join('; ')), 500),
    };
  }
  return { code: status.INTERNAL, details: 'the server failed' };
}

export function refused(code: status, details: string): Partial<ServerErrorResponse> {
  return { code, details: excerpt(details, 500) };
}
