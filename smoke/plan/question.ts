import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SmokeQuestion } from '../../core/policy/index.ts';
import { InputError, type Place } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type AnswerSchema, answerSchema, matcher } from './answer-schema.ts';

/** A question with its pattern and its schema read. */
export interface PreparedQuestion {
  readonly policy: SmokeQuestion;
  /** Its name, or its number from 1: what ids and titles call it. */
  readonly label: string;
  readonly pattern?: { test(text: string): boolean };
  readonly schema?: AnswerSchema;
  placeOf(key: string): Place;
}

const mostSchemaBytes = 1024 * 1024;

/**
 * Reads what questions refer to, before anything is asked: patterns and schemas that cannot be used are an `InputError` with every problem.
 * `directory` is what files of schemas are relative to.
 */
export async function prepareQuestions(
  questions: readonly SmokeQuestion[],
  directory: string,
  placeOf: (index: number, key: string) => Place,
): Promise<readonly PreparedQuestion[]> {
  const prepared: PreparedQuestion[] = [];
  const failed: InputError[] = [];
  for (const [index, policy] of questions.entries()) {
    try {
      const { regex, json_schema: schema } = policy;
      prepared.push({
        policy,
        label: policy.name ?? String(index + 1),
        placeOf: (key) => placeOf(index, key),
        ...(regex === undefined ? {} : { pattern: patternOf(regex, placeOf(index, 'regex')) }),
        ...(schema === undefined ? {} : { schema: await schemaOf(schema, directory, placeOf(index, 'json_schema')) }),
      });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failed.push(error);
    }
  }
  const [first, ...rest] = failed.flatMap(({ problems }) => problems);
  if (first !== undefined) throw new InputError([first, ...rest]);
  return prepared;
}

function patternOf(regex: string, place: Place): { test(text: string): boolean } {
  try {
    return matcher(regex);
  } catch (cause) {
    throw new InputError(
      {
        code: 'bad-pattern',
        message: `the pattern "${excerpt(regex, 60)}" is not a regular expression that can be used`,
        place,
        found: excerpt(cause instanceof Error ? cause.message : String(cause)),
        expected: 'RE2 syntax: no look-around, no back references',
        fix: 'Correct the pattern; it is looked for anywhere in the answer.',
      },
      { cause },
    );
  }
}

async function schemaOf(
  schema: NonNullable<SmokeQuestion['json_schema']>,
  directory: string,
  place: Place,
): Promise<AnswerSchema> {
  if (typeof schema !== 'string') return answerSchema(schema, place);
  const problem = (code: string, message: string, fix: string) =>
    new InputError({ code, message: `the JSON Schema ${excerpt(schema)} ${message}`, place, fix });
  const file = resolve(directory, schema);
  const facts = await stat(file).catch(() => undefined);
  if (facts?.isFile() !== true)
    throw problem('missing-file', 'is not there', 'Check the path; it is relative to the folder of the policy.');
  if (facts.size > mostSchemaBytes)
    throw problem('file-too-large', 'is larger than 1 MiB', 'Name the schema of one answer.');
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    throw problem('not-json', 'is not JSON', 'Write it as JSON.');
  }
  return answerSchema(value, place);
}
