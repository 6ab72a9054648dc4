import type { InferenceError } from '../engine/engine.ts';

/** An answer that is no result: a status and one line that says why. */
export interface Refusal {
  readonly status: number;
  /** Safe to send: no path of this machine, no stack. */
  readonly message: string;
  /** Headers beside the content type. */
  readonly headers: Readonly<Record<string, string>>;
}

const statuses: Readonly<Record<InferenceError['kind'], number>> = {
  'unknown-model': 404,
  'not-ready': 503,
  'invalid-input': 400,
  'queue-full': 429,
  timeout: 504,
  'model-failed': 500,
  draining: 503,
};

const none = {};
/** Seconds. A queue empties within one if it empties at all. */
const comeBack = { 'retry-after': '1' };

/** The answer to a request the engine did not serve. */
export function refusalOf({ kind, message }: InferenceError): Refusal {
  const status = statuses[kind];
  return { status, message, headers: status === 429 || status === 503 ? comeBack : none };
}

export function refusal(status: number, message: string, headers: Readonly<Record<string, string>> = none): Refusal {
  return { status, message, headers };
}

/** `{"error":"..."}`, the form every Open Inference Protocol client reads. */
export function refusalBody(message: string): string {
  return JSON.stringify({ error: message });
}

/** Takes paths out of a message about this machine's files before a stranger reads it; the log has the whole. */
export function withoutPaths(text: string): string {
  return text.replace(/(?:[A-Za-z]:)?(?:[\\/][^\s\\/:"'<>|,;()]+){2,}[\\/]?/g, '(path)');
}
