import { readFileSync } from 'node:fs';
import { parseStrictly } from '../../core/policy/index.ts';
import { PolicyError, type Problem, SluiceError } from '../../core/problem/index.ts';
import { contradictionsOf } from './contradictions.ts';
import { type InfraConfig, infraSchema } from './schema.ts';

/** The file of the infrastructure cannot be read or contradicts itself. */
export class ConfigError extends SluiceError {
  override readonly name = 'ConfigError';
}

const emptyFix = 'Copy the one in infra/ and write your account, region and repository into it.';

/**
 * Reads the YAML text of `file` strictly.
 * @throws ConfigError with every problem found, each with line, column and key
 */
export function parseConfig(text: string, file: string): InfraConfig {
  try {
    return parseStrictly(infraSchema, text, file, contradictionsOf);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const [first, ...rest] = error.problems;
    throw new ConfigError([ofConfig(first), ...rest.map(ofConfig)], { cause: error });
  }
}

/**
 * Reads the file of the infrastructure.
 * @throws ConfigError where it is missing or wrong
 */
export function readConfig(file: string): InfraConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(
      {
        code: 'missing-file',
        message: 'the file of the infrastructure cannot be read',
        place: { file },
        fix: emptyFix,
      },
      { cause: error },
    );
  }
  return parseConfig(text, file);
}

function ofConfig(problem: Problem): Problem {
  return problem.code === 'empty-policy'
    ? { ...problem, code: 'empty-config', message: 'the file is empty', fix: emptyFix }
    : problem;
}
