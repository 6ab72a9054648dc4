import type { z } from 'zod';
import { PolicyError, type Problem } from '../problem/index.ts';
import { faultsOf } from './describe-issue.ts';
import { isNonEmpty } from './mendable-problem.ts';
import { describeFaults } from './parse-policy.ts';
import { readYamlDocument, type YamlDocument } from './yaml-document.ts';

/**
 * Reads another YAML file by a schema of its own, as strictly as a policy: every problem at once, with line, column, key and what was probably
 * meant. `contradictions` are asked only where the schema holds.
 * @throws PolicyError with what is wrong; `code` is `empty-policy` for a file without a value
 */
export function parseStrictly<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  contradictions: (value: z.output<Schema>, placeOf: YamlDocument['placeOf']) => readonly Problem[] = () => [],
): z.output<Schema> {
  const document = readYamlDocument(text, file);
  const parsed = schema.safeParse(document.value);
  if (parsed.success) {
    const problems = contradictions(parsed.data, document.placeOf);
    if (isNonEmpty(problems)) throw new PolicyError(problems);
    return parsed.data;
  }
  const problems = describeFaults(faultsOf(parsed.error.issues, document, schema), document);
  if (isNonEmpty(problems)) throw new PolicyError(problems);
  throw parsed.error;
}
