import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { InputError, type Place } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** What is wrong with a text that should be JSON of a schema, as a clause; `undefined` when nothing is. */
export type AnswerSchema = (text: string) => string | undefined;

/**
 * Compiles a JSON Schema (2020-12). Its patterns run on RE2, so that none can hang on a long answer; formats are notes, as the standard has
 * it. References to other documents are not followed. Throws an `InputError` for a schema that cannot be used.
 */
export function answerSchema(schema: unknown, place: Place): AnswerSchema {
  let validate: ValidateFunction;
  try {
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new Error('it is no JSON object');
    validate = new Ajv2020({ strict: false, validateFormats: false, logger: false, code: { regExp: linear } }).compile(
      schema,
    );
  } catch (cause) {
    throw new InputError(
      {
        code: 'bad-json-schema',
        message: 'the JSON Schema of a question cannot be used',
        place,
        found: excerpt(cause instanceof Error ? cause.message : String(cause), 300),
        expected: 'JSON Schema 2020-12 in one document, patterns in RE2 syntax',
        fix: 'Check it with a JSON Schema validator.',
      },
      { cause },
    );
  }
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return text.trimStart().startsWith('```') ? 'the JSON is wrapped in a code fence' : 'it is not JSON';
    }
    if (validate(value)) return undefined;
    return (validate.errors ?? []).slice(0, 3).map(described).join('; ') || 'it does not follow the schema';
  };
}

function described({ instancePath, message }: ErrorObject): string {
  return excerpt(`${instancePath === '' ? 'the answer' : instancePath} ${message ?? 'is wrong'}`, 160);
}

/** RE2: linear in the text, whatever the pattern. Ajv tells patterns apart by their `toString`. */
const linear = Object.assign((pattern: string) => ({ ...matcher(pattern), toString: () => pattern }), {
  code: 'undefined',
});

/** A pattern in RE2 syntax that is looked for anywhere in a text. Throws re2js's error for a pattern that is none. */
export function matcher(pattern: string): { test(text: string): boolean } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.matcher(text).find() };
}
