import { isUtf8 } from 'node:buffer';
import { FaultError } from './message-error.ts';

/** A JSON text and its value. */
export interface JsonDocument {
  readonly value: unknown;
  /** The same value with every number as the text it has in the message, so that integers beyond 2^53 lose nothing. */
  exact(): unknown;
}

/**
 * Parses what Triton parses: JSON, and NaN, Infinity, Inf and their negatives as numbers (rapidjson's kParseNanAndInfFlag; Python's
 * `json.dumps` writes the first two). NaN becomes null, which the readers of floating-point data take for NaN.
 */
export function parseJson(bytes: Uint8Array, what: string): JsonDocument {
  if (!isUtf8(bytes)) {
    throw new FaultError({
      code: 'not-utf8',
      message: `the JSON of the ${what} is not UTF-8`,
      fix: 'Encode the JSON as UTF-8; binary tensors need the header Inference-Header-Content-Length, which says where the JSON ends.',
    });
  }
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = buffer.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const standard = rewrite(text, nonFinite);
    try {
      if (standard === text) throw cause;
      text = standard;
      value = JSON.parse(text);
    } catch (stillBroken) {
      throw new FaultError({
        code: 'broken-json',
        message: `the ${what} is not JSON`,
        found: stillBroken instanceof Error ? stillBroken.message : String(stillBroken),
        fix: 'Send valid JSON; binary tensors need the header Inference-Header-Content-Length, which says where the JSON ends.',
      });
    }
  }
  let exact: unknown;
  return {
    value,
    // Once, however many tensors of the message ask.
    exact: (): unknown => (exact ??= JSON.parse(rewrite(text, quotedNumber))),
  };
}

/** A token that begins at `start`, outside strings: where it ends and what to write instead. */
type Rewriting = (text: string, start: number) => { readonly end: number; readonly instead: string } | undefined;

/** 1e999 is valid JSON and reads as Infinity. */
const nonFiniteWords: readonly (readonly [word: string, instead: string])[] = [
  ['NaN', 'null'],
  ['-NaN', 'null'],
  ['Infinity', '1e999'],
  ['-Infinity', '-1e999'],
  ['Inf', '1e999'],
  ['-Inf', '-1e999'],
];

const nonFinite: Rewriting = (text, start) => {
  const code = text.charCodeAt(start);
  if (code !== 0x4e && code !== 0x49 && code !== 0x2d) return undefined;
  const found = nonFiniteWords.find(([word]) => text.startsWith(word, start));
  return found === undefined ? undefined : { end: start + found[0].length, instead: found[1] };
};

const quotedNumber: Rewriting = (text, start) => {
  let end = start;
  while (isNumeric(text.charCodeAt(end), end > start)) end++;
  return end === start ? undefined : { end, instead: `"${text.slice(start, end)}"` };
};

/** Digits and minus begin a number; `+ . e E` go on with one. */
function isNumeric(code: number, within: boolean): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    (within && (code === 0x2b || code === 0x2e || code === 0x45 || code === 0x65))
  );
}

/** One pass over the text; strings are stepped over. No regular expression: a long string must not exhaust its stack. */
function rewrite(text: string, rewriting: Rewriting): string {
  const parts: string[] = [];
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    if (text.charCodeAt(at) === 0x22) {
      at = endOfString(text, at);
      continue;
    }
    const found = rewriting(text, at);
    if (found === undefined) {
      at++;
      continue;
    }
    parts.push(text.slice(copied, at), found.instead);
    copied = found.end;
    at = found.end;
  }
  return copied === 0 ? text : parts.join('') + text.slice(copied);
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    at += code === 0x5c ? 2 : 1;
  }
  return text.length;
}
